/** How much WAL is written, beside what is set for it. */
import { describe, expect, it } from 'vitest';
import { walVolume } from '../../../src/check/audits/wal-volume.ts';
import { newestVersion, oldestVersion, versionFacts } from '../../../src/postgres/versions.ts';
import { clusterOf, pairInventory, serverNamed } from '../../observe/cluster.ts';
import { brief, pair, reply, tell } from './context.ts';

const GB = 1024 ** 3;
const declared = await clusterOf(
  pairInventory.replace('on_heartbeat_loss', 'expected_downtime: 4h, wal_per_hour: 1GB, on_heartbeat_loss'),
);
const calm = {
  recovery: false,
  keepBytes: 4 * GB,
  maxWalBytes: GB,
  checkpointSeconds: 300,
  written: { bytes: 0.5 * GB, seconds: 3600 },
  checkpoints: { timed: 100, requested: 3, since: 1000 },
  counted: { bytes: 30 * GB, seconds: 36_000 },
};
const of = (facts: object, cluster = declared) =>
  tell(
    walVolume,
    { server1: reply({ ...calm, ...facts }), server2: reply({ ...calm, recovery: true, written: null }) },
    { cluster },
  );

describe('WAL for the declared downtime', () => {
  it.each<[string, object, string[]]>([
    ['is enough', {}, []],
    ['is just enough', { written: { bytes: GB, seconds: 3600 } }, []],
    ['is too little', { written: { bytes: 2 * GB, seconds: 3600 } }, ['REP016 server1 wal_keep_size']],
    ['was measured too shortly', { written: { bytes: GB, seconds: 300 } }, []],
    ['is full in a moment', { written: { bytes: 4 * GB, seconds: 300 } }, ['REP016 server1 wal_keep_size']],
    ['nothing was written', { written: null }, []],
    ['was written in no time', { written: { bytes: GB, seconds: 0 } }, []],
  ])('%s', (_, facts, expected) => {
    expect(brief(of(facts))).toEqual(expected);
  });

  it('says the measured number, and what to write', () => {
    expect(of({ written: { bytes: 5 * GB, seconds: 7200 } })[0]).toMatchObject({
      declared: 'WAL for 4 h without a standby, in 4 GB',
      found: '2.5 GB an hour, measured over 2 h: 10 GB are needed (wal_per_hour: 2560MB)',
    });
  });

  it('is nothing to tell where nothing is declared', () => {
    expect(of({ written: { bytes: 90 * GB, seconds: 3600 } }, pair)).toEqual([]);
  });
});

describe('checkpoints', () => {
  it.each<[string, object, string[]]>([
    ['come when it is time for them', {}, []],
    ['come before', { checkpoints: { timed: 10, requested: 90, since: 1 } }, ['SET018 server1 max_wal_size']],
    ['are too few to tell', { checkpoints: { timed: 2, requested: 17, since: 1 } }, []],
    [
      'were asked for by people',
      { checkpoints: { timed: 10, requested: 90, since: 1 }, counted: { bytes: GB, seconds: 36_000 } },
      [],
    ],
    [
      'are counted, and WAL is not',
      { checkpoints: { timed: 10, requested: 90, since: 1 }, counted: null },
      [],
    ],
  ])('%s', (_, facts, expected) => {
    expect(brief(of(facts))).toEqual(expected);
  });

  it('say how many, how much, and what would do', () => {
    const busy = {
      checkpoints: { timed: 10, requested: 190, since: 1 },
      counted: { bytes: 110 * GB, seconds: 36_000 },
    };
    expect(of(busy)[0]).toMatchObject({
      declared: 'a checkpoint every 5 min (checkpoint_timeout)',
      found: '190 of 200 began before, with 563 MB of WAL each and max_wal_size 1 GB: 2048MB would do',
      since: 1,
    });
  });
});

it('every version is asked where it counts', () => {
  const views = Object.fromEntries(
    Array.from({ length: newestVersion - oldestVersion + 1 }, (_, index) => oldestVersion + index).map(
      (version) => {
        const { view, timed, requested, walBytes } = versionFacts(version).checkpoints;
        return [version, `${view} ${timed} ${requested} ${walBytes}`];
      },
    ),
  );
  expect(views).toEqual({
    13: 'pg_stat_bgwriter checkpoints_timed checkpoints_req false',
    14: 'pg_stat_bgwriter checkpoints_timed checkpoints_req true',
    15: 'pg_stat_bgwriter checkpoints_timed checkpoints_req true',
    16: 'pg_stat_bgwriter checkpoints_timed checkpoints_req true',
    17: 'pg_stat_checkpointer num_timed num_requested true',
    18: 'pg_stat_checkpointer num_timed num_requested true',
  });
  const { sql = '' } = walVolume.probe(serverNamed(pair, 'server1'), pair);
  expect(sql).toContain("'requested', checkpoints_req");
});
