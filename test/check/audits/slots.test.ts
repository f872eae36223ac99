/** Replication slots: which of them are reported, and what of them. */
import { describe, expect, it } from 'vitest';
import { slots } from '../../../src/check/audits/slots.ts';
import { brief, reply, tell, type Wish } from './context.ts';

const slot = {
  name: 'forgotten',
  type: 'physical',
  database: null,
  active: false,
  kept: 1_288_490_188,
  wal: 'extended',
  since: null,
  reason: null,
  synced: false,
  failover: false,
};
const seen = (more: readonly object[], recovery = false, follows: boolean | null = null) =>
  reply({ recovery, follows, slots: more.map((one) => ({ ...slot, ...one })) });
const on = (host: string, more: object, wish: Wish = {}) =>
  tell(slots, { [host]: seen([more], host !== 'server1') }, wish);

describe('a slot', () => {
  it('that nobody uses is told with what it keeps, and since when if the server knows', () => {
    expect(on('server1', { since: 1_700_000_000 })).toEqual([
      {
        code: 'SLT002',
        host: 'server1',
        object: 'forgotten',
        declared: 'in use, or not there',
        found: 'physical slot, nobody uses it, it keeps 1.2 GB of WAL',
        since: 1_700_000_000,
      },
    ]);
    expect(on('server1', { type: 'logical', database: 'shop', wal: null })[0]?.found).toMatch(
      /^logical slot of database shop, /,
    );
  });

  it.each<[string, string, object, string[]]>([
    ['in use', 'server1', { active: true }, []],
    ['that keeps nothing', 'server1', { kept: null }, []],
    ['that follows one of the primary', 'server2', { synced: true }, []],
    [
      'that followed one before this server was primary',
      'server1',
      { synced: true },
      ['SLT002 server1 forgotten'],
    ],
    ['of the copy of a standby', 'server1', { name: 'pgduet_copy_server2' }, []],
    [
      'of a copy on a standby',
      'server2',
      { name: 'pgduet_copy_server1' },
      ['SLT002 server2 pgduet_copy_server1'],
    ],
    [
      'of a copy of the primary itself',
      'server1',
      { name: 'pgduet_copy_server1' },
      ['SLT002 server1 pgduet_copy_server1'],
    ],
    ['on a standby', 'server2', {}, ['SLT002 server2 forgotten']],
    ['that has lost WAL', 'server1', { wal: 'lost', kept: null }, ['SLT003 server1 forgotten']],
    [
      'that is about to, though it is used',
      'server1',
      { wal: 'unreserved', active: true },
      ['SLT003 server1 forgotten'],
    ],
  ])('%s', (_, host, more, told) => {
    expect(brief(on(host, more))).toEqual(told);
  });

  it('that has lost WAL says why, where the server says it', () => {
    expect(on('server1', { wal: 'lost', reason: 'wal_removed' })[0]?.found).toBe(
      'physical slot, its WAL is gone (wal_removed)',
    );
  });
});

describe('a failover slot', () => {
  const meant = { name: 's', type: 'logical', database: 'shop', active: true, failover: true };
  const found = (theirs: readonly object[], follows: boolean | null): readonly string[] =>
    tell(slots, { server1: seen([meant], false, follows), server2: seen(theirs, true, follows) }).map(
      ({ code, host, object, found: what }) => `${code} ${host} ${object}: ${what}`,
    );

  it('that a standby does not follow is told with the reason', () => {
    expect(found([], false)).toEqual(['SLT004 server2 s: sync_replication_slots is off']);
    expect(found([{ ...meant, active: false, synced: true }], false)).toEqual([
      'SLT004 server2 s: sync_replication_slots is off; what was followed until then is out of date, and keeps WAL',
    ]);
    expect(found([], true)).toEqual(['SLT004 server2 s: it is not followed yet']);
    expect(found([{ ...meant }], true)).toEqual([
      'SLT004 server2 s: a slot of its own has that name, and stands in the way',
    ]);
  });

  it('that is followed, and one of a version that knows none, is not told', () => {
    expect(found([{ ...meant, active: false, synced: true }], true)).toEqual([]);
    expect(found([], null)).toEqual([]);
    expect(tell(slots, { server1: seen([meant], false, true) })).toEqual([]);
  });
});
