/** `pgduet reload` and `pgduet restart` on a pair: what cannot be read is refused before, nobody takes over, and the order is the safe one. */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { type LabCluster, provisionedPair } from '../support/cluster.ts';
import { postmasterPid, type Server, sql, untilMirroring } from '../support/instance.ts';
import { expectExit, type RunDocument } from '../support/pgduet.ts';
import { Run } from '../support/running.ts';

const loaded = 'select extract(epoch from pg_conf_load_time())';
const limit = "select setting from pg_settings where name = 'max_connections'";

describeLab('reload and restart', () => {
  let pair: LabCluster;
  let a: Server;
  let b: Server;
  beforeAll(async () => {
    pair = await provisionedPair();
    [a, b] = [pair.primary, pair.standby];
  });
  afterAll(() => pair?.close());

  const both = <T>(ask: (server: Server) => Promise<T>): Promise<T[]> => Promise.all([a, b].map(ask));
  const pids = (): Promise<string[]> => both(postmasterPid);
  const alter = (value: number): Promise<unknown> =>
    both(async ({ host, dataDir }) =>
      host.sh(
        `sed -i '/^max_connections/d' ${dataDir}/postgresql.auto.conf; echo "max_connections = ${value}" >> ${dataDir}/postgresql.auto.conf`,
        {
          check: true,
          user: 'postgres',
        },
      ),
    );

  labTest('reload: the files are read, and what waits for a restart is said', async () => {
    const before = await both((it) => sql(it, loaded));
    expectExit(await pair.run('reload', '--check'), 2);
    expect(await both((it) => sql(it, loaded))).toEqual(before);
    await alter(110);
    const made = await pair.run('reload', '--yes', '--json');
    expectExit(made, 0);
    expect(made.json<RunDocument & { waiting_for_restart: object }>().waiting_for_restart).toEqual({
      server1: ['max_connections'],
      server2: ['max_connections'],
    });
    const after = await both((it) => sql(it, loaded));
    expect(after.map((it, at) => Number(it) > Number(before[at]))).toEqual([true, true]);
    const one = await pair.run('reload', b.id, '--yes');
    expectExit(one, 0);
    expect(one.stderr).toContain('in force after a restart only: max_connections');
    expect(await sql(a, loaded)).toBe(after[0]);
  });

  labTest('reload: what cannot be read is refused before any server reads its files', async () => {
    const before = await both((it) => sql(it, loaded));
    const conf = `${b.dataDir}/pg_hba.conf`;
    await b.host.sh(`cp -p ${conf} /root/hba; echo 'hots all all all peer' >> ${conf}`, { check: true });
    const refused = await pair.run('reload', '--yes');
    expectExit(refused, 5);
    expect(refused.stderr).toContain('SAF046');
    expect(refused.stderr).toContain(conf);
    expect(await both((it) => sql(it, loaded))).toEqual(before);
    await b.host.sh(`cp -p /root/hba ${conf}`, { check: true });

    const own = `${b.managementDir}/${b.id}.conf`;
    await b.host.sh(`cp -p ${own} /root/conf; echo 'heartbeat_retry = many' >> ${own}`, { check: true });
    const failed = await pair.run('reload', b.id, '--yes');
    expectExit(failed, 1);
    expect(failed.stderr).toContain('has not taken its files over');
    await b.host.sh(`cp -p /root/conf ${own}`, { check: true });
    expectExit(await pair.run('reload', '--yes'), 0);
  });

  labTest('restart --pending: the standby, then the primary in place; the second time nothing', async () => {
    const before = await pids();
    const shown = await pair.run('restart', '--pending', '--check');
    expectExit(shown, 2);
    expect(shown.stdout).toContain('in force only then: max_connections');
    expect(await pids()).toEqual(before);
    const made = await pair.run('restart', '--pending', '--yes');
    expectExit(made, 0);
    expect(made.stderr).toContain('The order: server2, then server1.');
    expect((await pids()).map((it, at) => it === before[at])).toEqual([false, false]);
    expect(await both((it) => sql(it, limit))).toEqual(['110', '110']);
    expect(await sql(a, 'select pg_is_in_recovery()')).toBe('f');
    expect(await sql(a, 'select timeline_id from pg_control_checkpoint()')).toBe('1');
    const again = await pair.run('restart', '--pending', '--yes', '--json');
    expectExit(again, 0);
    expect(again.json<RunDocument>().changed).toEqual([]);
  });

  labTest('one that is killed between the two is gone on with by the same command', async () => {
    await alter(120);
    expectExit(await pair.run('reload', '--yes'), 0);
    const before = await pids();
    const cut = new Run(['restart', '--pending', '-i', pair.file, '--yes']);
    await cut.stepsDone(1);
    cut.child.kill('SIGKILL');
    await cut.ended;
    expect(await postmasterPid(b)).not.toBe(before[1]);
    await expect
      .poll(() => pair.run('restart', '--pending', '--yes').then(({ status }) => status), { timeout: 20_000 })
      .toBe(0);
    expect(await both((it) => sql(it, limit))).toEqual(['120', '120']);
    expect(await sql(a, 'select pg_is_in_recovery()')).toBe('f');
  });

  labTest('a lower limit goes to the primary first', async () => {
    await alter(60);
    const before = await pids();
    const refused = await pair.run('restart', '--yes');
    expectExit(refused, 5);
    expect(refused.stderr).toContain('SAF061');
    expect(await pids()).toEqual(before);
    expectExit(await pair.run('restart', a.id, '--yes'), 0);
    expect((await pids())[1]).toBe(before[1]);
    expectExit(await pair.run('restart', b.id, '--yes'), 0);
    expect(await both((it) => sql(it, limit))).toEqual(['60', '60']);
  });

  labTest('restart --switch-first: both are started again, and the standby leads', async () => {
    const before = await pids();
    const made = await pair.run('restart', '--switch-first', '--yes');
    expectExit(made, 0);
    // The switch has restarted it already.
    expect(made.stderr).not.toContain('server1: restart PostgreSQL');
    expect((await pids()).map((it, at) => it === before[at])).toEqual([false, false]);
    expect(await both((it) => sql(it, 'select pg_is_in_recovery()'))).toEqual(['t', 'f']);
    await untilMirroring(b, 'switchable');
  });

  labTest('what does not run is refused, and with it a switch', async () => {
    await a.host.sh(`systemctl stop ${a.unit}`, { check: true });
    await untilMirroring(b, 'not-switchable');
    const before = await postmasterPid(b);
    const refused = await pair.run('restart', '--yes');
    expectExit(refused, 5);
    expect(refused.stderr).toContain('SAF060');
    const unsafe = await pair.run('restart', b.id, '--switch-first', '--yes');
    expectExit(unsafe, 5);
    expect(unsafe.stderr).toContain('SAF010');
    expect(await postmasterPid(b)).toBe(before);
    expectExit(await pair.run('restart', 'server9', '--yes'), 3);
  });
});
