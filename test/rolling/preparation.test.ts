/** The points of the preparation, each with its number. */
import { describe, expect, it } from 'vitest';
import type { HostSeen } from '../../src/rolling/place.ts';
import {
  type Circumstances,
  countsStill,
  oneLess,
  type PrimarySeen,
  points,
} from '../../src/rolling/preparation.ts';

const wal =
  'wal server1: 3.5 GB of WAL are written in an hour, and 1.0 GB are kept for a server that is out: it may not be able to follow after 30 min 0 s';

const host = (more: Partial<HostSeen> = {}): HostSeen => ({
  isRoot: true,
  systemd: 'running',
  machineId: 'm',
  boot: 'b',
  mounts: '',
  units: [],
  order: '',
  row: '',
  ended: '',
  skipped: [],
  ...more,
});

const seen: PrimarySeen = {
  inSync: ['server2', 'server3'],
  lag: { server2: 0, server3: 0 },
  oldestTransaction: null,
  walPerSecond: 1000,
  walKept: 1024 ** 3,
  slotLimit: -1,
  slots: {},
};

const calm: Circumstances = {
  primary: 'server1',
  seen,
  hosts: new Map(
    [1, 2, 3].map((n) => [
      `server${n}`,
      host({ machineId: `m${n}`, boot: `b${n}`, units: ['mcoi_shop.service'] }),
    ]),
  ),
  synchronous: ['server1', 'server2', 'server3'],
  servers: ['server2', 'server3', 'server1'],
  needsRoot: true,
  reboots: true,
  expectedMs: 1_800_000,
  alone: false,
  rebuild: false,
  units: { server1: 'mcoi_shop', server2: 'mcoi_shop', server3: 'mcoi_shop' },
  here: { machineId: 'desk', boot: 'd' },
};

const failing = (more: Partial<Circumstances>): readonly string[] =>
  points({ ...calm, ...more }).map(({ name, host: where, what }) => `${name} ${where}: ${what}`);
const with2 = (more: Partial<HostSeen>) => ({
  hosts: new Map(calm.hosts).set(
    'server2',
    host({ machineId: 'm2', boot: 'b2', units: ['mcoi_shop.service'], ...more }),
  ),
});

describe('the preparation', () => {
  it('has nothing to say of a calm cluster', () => expect(failing({})).toEqual([]));

  it.each([
    [{ seen: { ...seen, inSync: ['server3'] } }, ['in-sync server2: it is not in sync']],
    [
      { seen: { ...seen, lag: { server2: 100 * 1024 ** 2 } } },
      ['lag server2: it has 100 MB of WAL to replay still; 64.0 MB is the limit'],
    ],
    [
      { seen: { ...seen, oldestTransaction: { seconds: 700, pid: 7, user: 'app' } } },
      [
        'long-transactions server1: a transaction of app (pid 7) is open for 11 min 40 s; 10 min 0 s is the limit',
      ],
    ],
    [{ seen: { ...seen, walPerSecond: 1024 ** 2 } }, [wal]],
    [{ seen: { ...seen, walPerSecond: 1024 ** 2, slots: { server2: 'a', server3: 'b' } } }, []],
    // A slot of one standby, or of somebody else, keeps nothing for the other one.
    [{ seen: { ...seen, walPerSecond: 1024 ** 2, slots: { server2: 'a', archive: 'c' } } }, [wal]],
    [{ seen: { ...seen, walPerSecond: 1024 ** 2 }, rebuild: true }, []],
    [{ seen: { ...seen, walPerSecond: null } }, []],
    [with2({ isRoot: false }), ['root server2: scripts do not run as root there']],
    [with2({ systemd: '' }), ['systemd server2: systemd does not run there']],
    [
      with2({ machineId: 'desk', boot: 'd' }),
      ['this-machine server2: it is the machine that pgduet runs on'],
    ],
    [
      with2({ units: ['mcoi_shop.service', 'mcarb_arb.service'] }),
      ['services server2: mcarb_arb.service runs there, too, and goes down with the host'],
    ],
    [{ ...with2({ units: ['mcoi_shop.service', 'mcarb_arb.service'] }), reboots: false }, []],
  ] as const)('%#', (more, expected) => expect(failing(more as Partial<Circumstances>)).toEqual(expected));

  it('asks for --alone where one standby is all there is', () => {
    const pair = {
      synchronous: ['server1', 'server2'],
      servers: ['server2', 'server1'],
      seen: { ...seen, inSync: ['server2'] },
    };
    expect(failing(pair).join()).toContain('the only copy');
    expect(failing({ ...pair, alone: true })).toEqual([]);
    expect(failing({ ...pair, servers: ['server1'] })).toEqual([]);
  });

  it('two servers of one machine do not go down at once', () => {
    const both = new Map(calm.hosts).set(
      'server3',
      host({ machineId: 'm2', boot: 'b2', units: ['mcoi_shop.service'] }),
    );
    expect(failing({ hosts: both }).map((one) => one.split(' ')[0])).toEqual([
      'this-machine',
      'this-machine',
    ]);
  });

  it('a point that is named does not count', () => {
    const [point] = points({ ...calm, seen: { ...seen, lag: { server2: 1e9 } } });
    expect(point && countsStill(point, ['lag'])).toBe(false);
    expect(point && countsStill(point, ['wal'])).toBe(true);
  });
});

describe('one less', () => {
  const ask = (more: Partial<Parameters<typeof oneLess>[0]>) =>
    oneLess({
      name: 'server2',
      primary: 'server1',
      seen,
      synchronous: calm.synchronous,
      out: [],
      alone: false,
      ...more,
    });
  it('is fine with another one in sync, and never the last one unasked', () => {
    expect(ask({})).toBeUndefined();
    expect(ask({ seen: { ...seen, inSync: ['server2'] } })).toBe('server3 is not in sync');
    expect(ask({ out: ['server3'] })).toContain('no other standby');
    expect(ask({ out: ['server3'], alone: true })).toBeUndefined();
    expect(ask({ name: 'server4' })).toBeUndefined();
  });
});
