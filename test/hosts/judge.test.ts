/** The judgement of a round, by examples of what it has to find, and of what it must not mind. */
import { describe, expect, it } from 'vitest';
import type { Change } from '../lab/harness/changes.ts';
import type { Reported } from '../lab/support/pgduet.ts';
import { ended, left, refusalIn, type Sight, spoken, touched, twoPrimaries, unclean } from './judge.ts';
import type { Places } from './own.ts';
import type { Refusal, Trait } from './trait.ts';

const places: Places = {
  cluster: 'inst1',
  ownPaths: ['/mcdir/inst1', '/usr/local/lib/pgduet', '/usr/local/bin/mc_ctl'],
  dataDirs: ['/database/inst1'],
  moreDirs: ['/wal'],
  passfile: '/var/lib/postgresql/.pgpass',
  lives: [],
  isSingle: false,
};
const singlePlaces: Places = { ...places, isSingle: true, unit: 'postgresql-inst1.service' };

const entry = (differs: Partial<Change> = {}): Change => ({
  how: 'new',
  kind: 'file',
  mode: '644',
  owner: '0:0',
  size: 1n,
  mtimeNs: 1n,
  ctimeNs: 1n,
  content: 'a',
  file: '',
  ...differs,
});
const sight = (
  paths: Readonly<Record<string, Partial<Change>>>,
  texts: Readonly<Record<string, string>> = {},
  mounts: readonly string[] = [],
): Sight => ({
  changes: new Map(Object.entries(paths).map(([path, differs]) => [path, entry(differs)])),
  texts: new Map(Object.entries(texts)),
  mounts,
});
const empty = sight({});
const found = (before: Sight, after: Sight, where = places, plan = ''): string[] =>
  touched(before, after, where, plan).map(({ rule, what }) => `${rule} ${what.split(':')[0]}`);

describe('what was not pgduet’s', () => {
  it.each([
    '/mcdir',
    '/mcdir/inst1/server1.conf',
    '/usr/local/bin/mc_ctl',
    '/usr/local/lib/pgduet/mc.cjs',
    '/etc/systemd/system/mcoi_inst1.service',
    '/etc/systemd/system/multi-user.target.wants/mcoi_inst1.service',
    '/database/inst1/base/1/2',
    '/wal/000000010000000000000001',
  ])('is not %s', (path) => expect(found(empty, sight({ [path]: {} }))).toEqual([]));

  it.each([
    ['a new file of nobody', empty, sight({ '/etc/pgduet.conf': {} })],
    ['a file that is gone', sight({ '/srv/f': {} }), empty],
    ['other content', sight({ '/srv/f': {} }), sight({ '/srv/f': { content: 'b' } })],
    ['another mode', sight({ '/srv/f': {} }), sight({ '/srv/f': { mode: '600' } })],
    ['another owner', sight({ '/srv/f': {} }), sight({ '/srv/f': { owner: '1:1' } })],
    ['a link that is a file', sight({ '/srv/f': { kind: 'link' } }), sight({ '/srv/f': {} })],
    ['a file of the image that is gone', empty, sight({ '/srv/f': { how: 'removed' } })],
  ])('is %s', (_, before, after) => expect(found(before, after)).toHaveLength(1));

  it('is what stood in a directory that is pgduet’s now', () => {
    const before = sight({ '/wal/other/f': {}, '/database/inst1/thesis.txt': {} });
    expect(found(before, empty)).toEqual(['1 /wal/other/f', '1 /database/inst1/thesis.txt']);
  });

  it('is a new file in the directory of a server that was there, but for those of PostgreSQL and pgduet', () => {
    const after = sight({
      '/database/inst1/notes': {},
      '/database/inst1/postgresql.conf': {},
      '/database/inst1/pgduet.json': {},
      '/database/inst1/pgduet.before.server1.0123456789ab.json': {},
    });
    expect(found(empty, after, singlePlaces)).toEqual(['1 /database/inst1/notes']);
  });

  it('is nothing that the plan has named, as a whole path', () => {
    const after = sight({ '/srv/f': {} });
    expect(found(empty, after, places, 'written: /srv/f')).toEqual([]);
    expect(found(empty, after, places, 'written: /srv/files, /a/srv/f')).toEqual(['1 /srv/f']);
  });

  it('is every line of a file that many write to, in its order', () => {
    const services = (text: string) =>
      sight({ '/etc/services': { content: text } }, { '/etc/services': text });
    expect(found(services('a\nb\n'), services('a\nb\ninst1 1/tcp\n'))).toEqual([]);
    expect(found(services('a\nb\n'), services('inst1 1/tcp\nb\na\n'))).toEqual([
      '1 /etc/services has lost a line of others',
    ]);
    expect(found(services('a\nb\n'), empty)).toHaveLength(2);
  });

  it('is a mount', () => {
    expect(found(sight({}, {}, ['/wal /dev/loop1 ext4']), empty)).toEqual(['1 no longer mounted']);
  });
});

describe('behind a teardown', () => {
  it('every edit of a single server is taken back; what runs by itself may differ', () => {
    const before = sight({ '/database/inst1/postgresql.conf': {}, '/database/inst1/postmaster.pid': {} });
    const after = sight({
      '/database/inst1/postgresql.conf': { content: 'b' },
      '/database/inst1/postmaster.pid': { content: 'b' },
    });
    expect(left(before, after, singlePlaces).map(({ what }) => what.split(':')[0])).toEqual([
      '/database/inst1/postgresql.conf',
    ]);
  });

  it('nothing is left on another host but empty directories above', () => {
    const after = sight({
      '/database': { kind: 'directory' },
      '/database/inst1': { kind: 'directory' },
      '/mcdir/x': {},
    });
    expect(left(empty, after, places).map(({ what }) => what.split(':')[0])).toEqual([
      '/database/inst1',
      '/mcdir/x',
    ]);
  });
});

describe('what verbs say', () => {
  const right: Refusal = { kind: 'refused', by: 'plan', code: 'SAF002', names: /other/, fix: {} };

  it('a refusal counts only with its code and its words', () => {
    expect(refusalIn([{ code: 'SAF002', what: 'x', evidence: ['found: other'] }], [right])).toBe(right);
    expect(refusalIn([{ code: 'SAF002', what: 'something' }], [right])).toBeUndefined();
    expect(refusalIn([{ code: 'SAF001', what: 'other' }], [right])).toBeUndefined();
  });

  it('another status is wrong, and so is one that did not end', () => {
    expect(ended('make', 0, [])).toEqual([]);
    expect(ended('look', 2, [])).toEqual([]);
    expect(ended('make', 1, [{ code: 'HST001', what: 'a step failed' }])[0]).toMatchObject({ rule: 2 });
    expect(ended('make', 128, [])[0]).toMatchObject({ rule: 5 });
  });

  it('findings are wrong but for notes and what a trait says is so', () => {
    const finding = (code: string, severity: string) => ({ code, severity }) as Reported;
    const trait = { tells: ['SLT002'] } as unknown as Trait;
    const told = [finding('ROL001', 'note'), finding('SLT002', 'degraded'), finding('HBA004', 'danger')];
    expect(unclean(told, [trait]).map(({ what }) => what.split(' on ')[0])).toEqual([
      'check tells danger HBA004',
    ]);
  });

  it('secrets and defects are found wherever they stand', () => {
    expect(spoken('look', 'a canary-one b "canary-two-3" BUG001').map(({ what }) => what)).toEqual([
      'look shows canary-one',
      'look shows canary-two-3',
      'look says BUG001',
    ]);
    expect(spoken('look', 'password=***')).toEqual([]);
  });
});

describe('two primaries', () => {
  const at = (server: string, ...times: number[]) =>
    times.map((time) => ({ server, asked: time, answered: time + 5 }));

  it('are two servers that take turns in a moment', () => {
    expect(twoPrimaries([...at('a', 0, 150, 300), ...at('b', 160)])).toHaveLength(1);
  });

  it('are none at a switch, nor at one there and back', () => {
    expect(twoPrimaries([...at('a', 0, 150, 300), ...at('b', 310, 450)])).toEqual([]);
    expect(twoPrimaries([...at('a', 0, 150), ...at('b', 2000), ...at('a', 4000, 4150)])).toEqual([]);
  });
});
