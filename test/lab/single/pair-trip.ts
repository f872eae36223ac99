/**
 * A pair that an administrator has made by hand, with slot, role and own settings on both: it is migrated under load, switched, and given back. The
 * files of both hosts are what they were, to the byte, and nothing is missing or copied. In: the form of its primary. Out: tests, in a lab of their own.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { type Host, Lab } from '../harness/lab.ts';
import { until } from '../harness/run.ts';
import { type Server, sql } from '../support/instance.ts';
import { built, expectExit, type Pgduet, pgduet, type Said } from '../support/pgduet.ts';
import { archiveDir, counterpart, inventoryOf, type Single } from './forms.ts';
import { preparedSingle } from './prepared.ts';
import { more, remains } from './remains.ts';
import { countRestarts } from './restarts.ts';
import { difference, type Snapshot, snapshot } from './snapshot.ts';
import { doubled, missing, type Written, writeOverNetwork } from './writer.ts';

const bin = '/usr/lib/postgresql/15/bin';
const slot = 'hand_b';

/** The forms that a pair comes in here, and how often a migration restarts each of its servers. */
const pairs = {
  packaged: { migrate: [1, 1] },
  needsNothingUnit: { migrate: [0, 0] },
} as const;
export type PairForm = keyof typeof pairs;

/** What a person does who has read the manual's chapter about streaming replication. */
async function standbyByHand(single: Single, other: Host): Promise<Single> {
  const { host, server, configDir, unit } = single;
  const { dataDir, port } = server;
  const isPackaged = configDir !== dataDir;
  await sql(
    server,
    `SET password_encryption = 'scram-sha-256'; CREATE ROLE rep REPLICATION LOGIN PASSWORD 'rep-Secret-1';
SELECT pg_create_physical_replication_slot('${slot}')`,
  );
  const own = isPackaged
    ? (name: string) => `>${configDir}/conf.d/${name}.conf`
    : () => `>>${configDir}/postgresql.conf`;
  await host.sh(
    `cat >>${configDir}/pg_hba.conf <<'END'
# The standby
host    replication     rep             10.0.0.0/8              scram-sha-256
END
printf "wal_keep_size = 64MB\\nlog_min_duration_statement = '2s'\\n" ${own('20-pair')}
chown -R postgres: ${configDir}; systemctl reload ${unit}`,
    { check: true },
  );
  const place = isPackaged
    ? `pg_createcluster --createclusterconf=/etc/postgresql-common/createcluster.conf.ucf-dist 15 main >/dev/null; rm -rf ${dataDir}`
    : `install -d -o postgres -m 700 ${dataDir}`;
  const unitFile = isPackaged ? '' : (await host.sh(`cat /etc/systemd/system/${unit}`)).stdout;
  await other.sh(
    `${place}
runuser -u postgres -- ${bin}/pg_basebackup -D ${dataDir} -R -S ${slot} -d 'host=${host.address} port=${port} user=rep password=rep-Secret-1 application_name=by_hand'
cat ${own('10-own')} <<'END'
# This host has less memory.
listen_addresses = '*'
shared_buffers = 24MB
work_mem = 9MB
hot_standby_feedback = on
END
printf '# Reports\\nhost    stock           reporting       10.0.0.0/8              scram-sha-256\\n' >>${configDir}/pg_hba.conf
chown -R postgres: ${configDir}
${isPackaged ? '' : `cat >/etc/systemd/system/${unit} <<'END'\n${unitFile}END\nsystemctl daemon-reload; systemctl enable -q ${unit}`}
systemctl start ${unit}`,
    { check: true },
  );
  return { ...single, host: other, server: counterpart(single, other) };
}

export const describePair = (form: PairForm): void =>
  describeLab(`a pair that was there before: ${form}`, () => {
    let lab: Lab;
    let command: Pgduet;
    let file = '';
    let one: Single;
    let two: Single;
    let a: Server;
    let b: Server;
    let before: readonly Snapshot[] = [];
    let had: readonly string[][] = [];
    const told: Written[] = [];

    const both = () => [one, two] as const;
    const snapshots = () => Promise.all(both().map((each) => snapshot(each)));
    const verb = async (exit: number, ...words: string[]): Promise<Said> => {
      const said = await command([...words, '-i', file]);
      expectExit(said, exit);
      expect(said.all).not.toContain('rep-Secret-1');
      return said;
    };
    /** A verb while a client writes to whichever server is primary. */
    async function underLoad(work: () => Promise<unknown>): Promise<void> {
      const writing = await writeOverNetwork(lab, [a, b]);
      await work();
      await writing.more(30);
      told.push(await writing.stop());
    }
    async function untilStreams(primary: Server, row: string): Promise<void> {
      let seen = '';
      await until(
        () => `${primary.id} has '${seen}' and not '${row}'`,
        60_000,
        async () => {
          seen = await sql(
            primary,
            "SELECT application_name || ' ' || usename || ' ' || state || ' ' || sync_state FROM pg_stat_replication",
          ).catch(String);
          return seen === row ? true : undefined;
        },
      );
    }

    beforeAll(async () => {
      built();
      lab = await Lab.open();
      command = pgduet(lab);
      const [single, [other]] = await Promise.all([
        preparedSingle(lab, form, `${form.toLowerCase()}-a`),
        lab.hosts(1, { names: [`${form.toLowerCase()}-b`] }),
      ]);
      if (other === undefined) throw new Error('there is no second host');
      await other.sh(`install -d -o postgres -g postgres -m 750 ${archiveDir}`);
      one = single;
      two = await standbyByHand(single, other);
      [a, b] = [one.server, two.server];
      file = inventoryOf(lab, one, [other]);
      await untilStreams(a, 'by_hand rep streaming async');
      had = await Promise.all(both().map(({ host, server }) => remains(host, server)));
      before = await snapshots();
    });
    afterAll(() => lab?.close());

    labTest('a Patroni that looks after it is in the way, and is named', async () => {
      await one.host.sh(
        `cp /bin/sleep /usr/local/sbin/patroni; runuser -u postgres -- touch ${a.dataDir}/patroni.dynamic.json
systemd-run --quiet --unit=foreign --property=User=postgres /usr/local/sbin/patroni 600`,
        { check: true },
      );
      const refused = await verb(5, 'migrate', '--check');
      expect(refused.all).toContain('Patroni looks after it');
      await one.host.sh(
        `systemctl stop foreign; rm /usr/local/sbin/patroni ${a.dataDir}/patroni.dynamic.json`,
        {
          check: true,
        },
      );
    });

    labTest('migrate --check says that nothing is copied, and touches nothing', async () => {
      const check = await verb(2, 'migrate', '--check');
      expect(check.all).toContain(`it streams from the primary, started by ${one.unit}`);
      expect(check.all).not.toContain('copied to');
      expect(check.all).not.toContain('base backup');
      const now = await snapshots();
      expect(now.map((each, at) => difference(before[at] ?? new Map(), each))).toEqual(['', '']);
    });

    labTest('migrate: the announced restarts, the same data, and the controllers agree', async () => {
      const made = async () => (await two.host.sh(`stat -c %i ${b.dataDir}/global/pg_control`)).stdout;
      const inode = await made();
      const counts = [countRestarts(a), countRestarts(b)];
      await underLoad(() => verb(0, 'migrate', '--yes'));
      expect(await Promise.all(counts.map((count) => count.stop()))).toEqual([...pairs[form].migrate]);
      expect(await made()).toBe(inode);
      await untilStreams(a, `${b.id} pgduet_repl streaming sync`);
      expect(await sql(a, 'SELECT count(*) FROM pg_replication_slots')).toBe('0');
      expect(await sql(b, 'SHOW work_mem')).toBe('9MB');
      expect(await sql(a, 'SHOW work_mem')).not.toBe('9MB');
      expect(await sql(b, "SELECT count(*) FROM pg_hba_file_rules WHERE 'reporting' = ANY (user_name)")).toBe(
        '1',
      );
      const again = await command(['provision', '--check', '-i', file]);
      expectExit(again, 0);
      expectExit(await command(['migrate', '--yes', '-i', file]), 0);
    });

    labTest('a teardown that would delete what pgduet has not made is refused', async () => {
      const refused = await verb(5, 'teardown', '--yes');
      expect(refused.all).toContain('SAF081');
    });

    labTest('behind a switch it is given back in its former roles, to the byte', async () => {
      await underLoad(() => verb(0, 'switch', '--yes'));
      await untilStreams(b, `${a.id} pgduet_repl streaming sync`);
      const check = await verb(2, 'teardown', '--controllers-only', '--check');
      expect(check.all).toContain(`make ${a.id} primary`);
      await underLoad(() => verb(0, 'teardown', '--controllers-only', '--yes'));
      await untilStreams(a, 'by_hand rep streaming async');
      expect(await sql(b, 'SELECT status, slot_name FROM pg_stat_wal_receiver')).toBe(`streaming|${slot}`);
      const lsn = await sql(a, 'SELECT pg_current_wal_lsn()');
      await until(
        () => `${b.id} has not replayed ${lsn}`,
        20_000,
        async () =>
          (await sql(b, `SELECT pg_last_wal_replay_lsn() >= '${lsn}'`)) === 't' ? true : undefined,
      );
      for (const server of [a, b]) expect(await missing(server, told), server.id).toEqual([]);
      expect(await doubled(a)).toBe('');
      const now = await snapshots();
      expect(now.map((each, at) => difference(before[at] ?? new Map(), each))).toEqual(['', '']);
      const left = await Promise.all(both().map(({ host, server }) => remains(host, server)));
      expect(left.map((lines, at) => more(had[at] ?? [], lines))).toEqual([[], []]);
      expectExit(await command(['teardown', '--controllers-only', '--yes', '-i', file]), 0);
    });
  });
