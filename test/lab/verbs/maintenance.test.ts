/** `pgduet maintenance`: a standby is left out over power failures, a switch and a provision, and comes back by itself at the end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { until } from '../harness/run.ts';
import { type LabCluster, provisionedTrio } from '../support/cluster.ts';
import { mcCtlStatus, type Server, sql, untilMirroring } from '../support/instance.ts';
import { expectExit, type RunDocument } from '../support/pgduet.ts';

type Document = RunDocument & {
  readonly maintenance: { readonly host: string; readonly in_maintenance: boolean };
};

describeLab('a server in maintenance', () => {
  let trio: LabCluster;
  let a: Server;
  let b: Server;
  let c: Server;
  beforeAll(async () => {
    trio = await provisionedTrio();
    [a, b, c] = trio.servers as [Server, Server, Server];
    await sql(a, 'create table t (id int)');
  });
  afterAll(() => trio?.close());

  const names = (server: Server): Promise<string> => sql(server, 'show synchronous_standby_names');
  const postmasters = async (server: Server): Promise<string> =>
    (await server.host.sh('pgrep -c -x postgres || true')).stdout.trim();

  labTest('detach and attach: the one that is named is out, and in again', async () => {
    expectExit(await trio.run('detach', c.id, '--check'), 2);
    expectExit(await trio.run('detach', c.id, '--yes'), 0);
    expect(await names(a)).not.toContain(c.id);
    const lonely = await trio.run('detach', b.id, '--yes');
    expectExit(lonely, 5);
    expect(lonely.stderr).toContain('SAF017');
    expect((await trio.run('detach', c.id, '--yes', '--json')).json<RunDocument>().changed).toEqual([]);
    expectExit(await trio.run('attach', c.id, '--yes'), 0);
    await until(
      () => `commits do not wait for ${c.id} again`,
      20_000,
      async () => ((await names(a)).includes(c.id) ? true : undefined),
      200,
    );
  });

  labTest('begins: shown first, then said by all, and again without effect', async () => {
    const begin = ['maintenance', 'begin', c.id, '--by', 'alice', '--reason', "it's new", '--for', '2h'];
    const [verb = '', ...words] = begin;
    const shown = await trio.run(verb, ...words, '--check', '--json');
    expectExit(shown, 2);
    expect(shown.json<Document>().maintenance).toEqual({ host: c.id, in_maintenance: false });
    expect(await names(a)).toContain(c.id);
    const made = await trio.run(verb, ...words, '--yes');
    expectExit(made, 0);
    expect(made.stderr).toContain(`commits wait for ${b.id} meanwhile`);
    expect(await names(a)).not.toContain(c.id);
    for (const server of trio.servers)
      expect(await mcCtlStatus(server)).toMatch(
        new RegExp(`maintenance: ${c.id}, by alice since .*: it's new`),
      );
    const again = await trio.run('maintenance', 'begin', c.id, '--by', 'alice', '--yes', '--json');
    expectExit(again, 0);
    expect(again.json<Document>()).toMatchObject({ changed: [], maintenance: { in_maintenance: true } });
  });

  labTest(
    'is refused for somebody else, for the primary, and for the last standby that commits wait for',
    async () => {
      for (const words of [
        ['begin', c.id, '--by', 'bob'],
        ['end', c.id, '--by', 'bob'],
        ['begin', a.id, '--by', 'bob'],
        ['begin', b.id, '--by', 'bob'],
      ]) {
        const refused = await trio.run('maintenance', ...words, '--yes');
        expectExit(refused, 5);
        expect(refused.stderr).toContain('SAF016');
      }
      const moved = await trio.run('switch', '--to', c.id, '--yes');
      expectExit(moved, 5);
      expect(moved.stderr).toContain('SAF015');
    },
  );

  labTest('a run leaves it alone, also when its host is off; a switch works without it', async () => {
    await c.host.powerOff();
    const run = await trio.provision();
    expectExit(run, 0);
    const switched = await trio.run('switch', '--yes');
    expectExit(switched, 0);
    await sql(b, 'insert into t values (1)');
    await c.host.powerOn();
    await until(
      () => 'the controller of the server in maintenance does not answer',
      30_000,
      async () => ((await mcCtlStatus(c)).includes(`maintenance: ${c.id}`) ? true : undefined),
      200,
    );
    await sleep(8000);
    expect(await postmasters(c)).toBe('0');
  });

  labTest('power failures of all hosts leave it out', async () => {
    await Promise.all(trio.hosts.map((host) => host.powerOff()));
    await Promise.all(trio.hosts.map((host) => host.powerOn()));
    await untilMirroring(b, 'switchable');
    await sleep(8000);
    expect(await postmasters(c)).toBe('0');
    expect(await names(b)).not.toContain(c.id);
    const started = await c.host.sh('mc_ctl start -M /mcdir/inst1', { user: 'postgres' });
    expect(started.stderr).toContain('--force-start');
    expect(await postmasters(c)).toBe('0');
  });

  labTest('ends: its instance comes back, and holds what was written meanwhile', async () => {
    await sql(b, 'insert into t values (2)');
    expectExit(await trio.run('stop', c.id, '--yes'), 0);
    const ended = await trio.run('maintenance', 'end', c.id, '--by', 'alice', '--yes', '--json');
    expectExit(ended, 0);
    expect(ended.json<Document>().maintenance).toEqual({ host: c.id, in_maintenance: false });
    await trio.untilSwitchable();
    expect(await names(b)).toContain(c.id);
    expect(await sql(c, 'select count(*) from t')).toBe('2');
    expect((await c.host.sh('systemctl is-enabled mcoi_inst1')).stdout.trim()).toBe('enabled');
    expectExit(await trio.run('check'), 0);
  });
});
