/** Replication as it runs: what servers show of their senders and receivers, and what is reported. */
import { describe, expect, it } from 'vitest';
import { replication } from '../../../src/check/audits/replication.ts';
import { serverNamed } from '../../observe/cluster.ts';
import { brief, pair, reply, tell, three, type Wish } from './context.ts';

const sender = {
  name: 'server2',
  user: 'pgduet_repl',
  address: '192.0.2.110',
  state: 'streaming',
  behindBytes: 0,
  behindSeconds: null,
  since: 1000,
};
const calm = {
  whole: true,
  names: '',
  senders: [],
  upstream: null,
  paused: null,
  targets: [],
  replayedAt: null,
  delayMs: 0,
  conflicts: {},
  countedSince: null,
};
const primary = { ...calm, recovery: false, names: 'server2', senders: [sender] };
const standby = {
  ...calm,
  recovery: true,
  upstream: { host: '192.0.2.100', port: 5432 },
  paused: false,
  replayedAt: 2000,
};
const of = (first: object, second: object, wish: Wish = {}) =>
  tell(
    replication,
    { server1: reply({ ...primary, ...first }), server2: reply({ ...standby, ...second }) },
    wish,
  );
const sent = (more: object) => ({ senders: [{ ...sender, ...more }] });
const port = pair.servers[0]?.postgres.port;

describe('replication', () => {
  it('that is whole is nothing to tell', () => {
    expect(of({}, { upstream: { host: '192.0.2.100', port } })).toEqual([]);
  });

  it.each<[string, object, object, string[]]>([
    ['a pause', {}, { paused: true }, ['REP009 server2 replay']],
    [
      'a recovery target that is reached: nobody is told to resume',
      {},
      { paused: true, targets: [{ name: 'recovery_target', value: 'immediate' }] },
      ['REP015 server2 replay'],
    ],
    ['a stranger', sent({ name: 'barman' }), {}, ['REP004 server1 barman']],
    ['a stranger without a name', sent({ name: '' }), {}, ['REP004 server1 a receiver at 192.0.2.110']],
    ['a base backup of pgduet', sent({ name: 'pgduet_copy' }), {}, []],
    ['a standby from another address', sent({ address: '198.51.100.7' }), {}, ['REP005 server1 server2']],
    ['a standby by the socket', sent({ address: null }), {}, []],
    ['65 MB behind', sent({ behindBytes: 65 * 1024 ** 2 }), {}, ['REP006 server1 server2']],
    ['11 s behind', sent({ behindSeconds: 11 }), {}, ['REP006 server1 server2']],
    ['catching up', sent({ behindBytes: 1e12, state: 'catchup' }), {}, []],
    [
      'a pause, which is why it is behind',
      sent({ behindSeconds: 99 }),
      { paused: true },
      ['REP009 server2 replay'],
    ],
    [
      'a delay, which is why it is behind',
      sent({ behindSeconds: 60 }),
      { delayMs: 60_000 },
      ['REP013 server2 recovery_min_apply_delay'],
    ],
    ['cancelled queries', {}, { conflicts: { snapshot: 2, lock: 1 } }, ['REP008 server2 queries']],
    ['another upstream', {}, { upstream: { host: '192.0.2.9', port } }, ['REP011 server2 primary_conninfo']],
    [
      'another port of the primary',
      {},
      { upstream: { host: '192.0.2.100', port: 1 } },
      ['REP011 server2 primary_conninfo'],
    ],
    ['a foreign name in force', { names: 'ANY 1 (SERVER2, "bar,man")' }, {}, ['REP014 server1 bar,man']],
    ['any name in force', { names: '*' }, {}, ['REP014 server1 *']],
    ['itself in the names', { names: 'server2, server1' }, {}, ['REP014 server1 server1']],
    [
      'two receivers of one name',
      { senders: [sender, { ...sender, name: 'SERVER2', state: 'catchup' }] },
      {},
      ['REP004 server1 SERVER2', 'REP014 server1 server2'],
    ],
    ['a second one that only begins', { senders: [sender, { ...sender, state: 'startup' }] }, {}, []],
    ['what a standby has in its own file', {}, { names: 'barman' }, []],
    ['no upstream', {}, { upstream: null }, []],
    ['what a primary remembers of its time as a standby', { conflicts: 3, delayMs: 1000 }, {}, []],
  ])('tells of %s', (_, first, second, told) => {
    const here = { upstream: { host: '192.0.2.100', port }, ...second };
    expect(brief(of(first, here))).toEqual(told);
  });

  it('says how far behind, in units', () => {
    const [told] = of(sent({ behindBytes: 256 * 1024 ** 2, behindSeconds: 61.5 }), { upstream: null });
    expect(told).toMatchObject({
      declared: 'less than 64 MB and 10 s behind',
      found: '256 MB and 61.5 s behind',
    });
  });

  it('does not tell of a delay that is declared', () => {
    const wish = { declared: { recovery_min_apply_delay: '1min' } };
    expect(of({}, { delayMs: 60_000, upstream: null }, wish)).toEqual([]);
  });

  it('compares addresses, not their spelling', () => {
    const senders = [{ ...sender, name: 'server3', address: '2001:db8::3' }];
    expect(tell(replication, { server1: reply({ ...primary, senders }) }, { cluster: three })).toEqual([]);
  });

  it('is unknown to a login that may not see it', () => {
    const seen = replication.read(reply({ ...primary, whole: false }), serverNamed(pair, 'server1'));
    expect(seen).toMatchObject({ state: 'unknown', reason: expect.stringContaining('pg_read_all_stats') });
  });
});
