/** `pgduet failover off` and `on` on a pair: nobody acts on a fault meanwhile, and a controller that was away hears of it. */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { until } from '../harness/run.ts';
import { type LabCluster, provisionedPair } from '../support/cluster.ts';
import { type Server, sql, untilMirroring, written } from '../support/instance.ts';
import { expectExit, type RunDocument } from '../support/pgduet.ts';
import { Run } from '../support/running.ts';

describeLab('failover off and on', () => {
  let pair: LabCluster;
  let a: Server;
  let b: Server;
  beforeAll(async () => {
    pair = await provisionedPair();
    [a, b] = [pair.primary, pair.standby];
  });
  afterAll(() => pair?.close());

  const untilItSays = (server: Server, word: 'enabled' | 'disabled'): Promise<true> =>
    until(
      () => `the controller of ${server.id} does not say '${word}'`,
      20_000,
      async () => (written(server, 'failover') === word ? true : undefined),
      100,
    );

  labTest('off: shown first, then so on both, and again without effect', async () => {
    const shown = await pair.run('failover', 'off', '--check', '--json');
    expectExit(shown, 2);
    expect(shown.json<RunDocument & { failover: string | null }>()).toMatchObject({
      failover: null,
      changed: [],
    });
    await untilItSays(a, 'enabled');
    const made = await pair.run('failover', 'off', '--yes');
    expectExit(made, 0);
    expect(made.stderr).toContain('commits wait for a person');
    expect(made.stderr).toContain(`automatic switching is off on ${b.id}`);
    await Promise.all([a, b].map((it) => untilItSays(it, 'disabled')));
    const again = await pair.run('failover', 'off', '--yes', '--json');
    expectExit(again, 0);
    expect(again.json<RunDocument & { failover: string | null }>()).toMatchObject({
      failover: 'off',
      changed: [],
    });
    const check = await pair.run('check');
    expectExit(check, 1);
    expect(check.stdout).toContain('automatic switching is off, and declared on');
  });

  labTest('while it is off nobody takes over from a primary whose host is lost', async () => {
    await a.host.powerOff();
    await untilMirroring(b, 'unknown');
    await new Promise((resolve) => setTimeout(resolve, 8000));
    expect(await sql(b, 'select pg_is_in_recovery()')).toBe('t');
    await a.host.powerOn();
    await untilMirroring(a, 'failover-disabled');
    expect(await sql(a, 'select pg_is_in_recovery()')).toBe('f');
  });

  labTest('on: a standby whose controller is away is told of, and hears it at its start', async () => {
    await b.host.sh('systemctl stop mcoi_inst1', { check: true });
    const made = await pair.run('failover', 'on', '--yes');
    expectExit(made, 0);
    expect(made.stderr).toContain(
      `no controller runs on ${b.id}: it hears from the others that automatic switching is on`,
    );
    await untilItSays(a, 'enabled');
    await b.host.sh('systemctl start mcoi_inst1', { check: true });
    await untilItSays(b, 'enabled');
    await untilMirroring(a, 'switchable');
    expectExit(await pair.run('check'), 0);
  });

  labTest('a primary without a controller is refused, and another word than on or off is none', async () => {
    await a.host.sh('mc_ctl stop -e -M /mcdir/inst1 || systemctl stop mcoi_inst1', { user: 'postgres' });
    const refused = await pair.run('failover', 'off', '--yes');
    expectExit(refused, 5);
    expect(refused.stderr).toContain('SAF014');
    await a.host.sh('systemctl start mcoi_inst1', { check: true });
    await untilMirroring(a, 'switchable');
    expectExit(await pair.run('failover', 'maybe'), 3);
  });

  labTest(
    'a second run at once is refused, Ctrl-C leaves what the same command ends, and a host that is down ends it first',
    async () => {
      const args = (state: string) => ['failover', state, '-i', pair.file, '--yes'];
      const asking = new Run(['failover', 'off', '-i', pair.file], {}, true);
      await asking.said('[y/N]');
      const second = await pair.run('failover', 'off', '--yes');
      expectExit(second, 6);
      expect(second.stderr).toContain('RUN001');
      asking.child.stdin?.write('y\n');
      expect((await asking.ended).status, asking.stdout).toBe(0);
      await Promise.all([a, b].map((it) => untilItSays(it, 'disabled')));

      const cut = new Run(args('on'));
      await cut.said('turn automatic switching on');
      cut.child.kill('SIGINT');
      expect([0, 130]).toContain((await cut.ended).status);
      await expect
        .poll(() => pair.run('failover', 'on', '--yes').then(({ status }) => status), { timeout: 20_000 })
        .toBe(0);
      await Promise.all([a, b].map((it) => untilItSays(it, 'enabled')));

      await b.host.powerOff();
      const refused = await pair.run('failover', 'off', '--yes');
      expectExit(refused, 4);
      expect(refused.stderr).toContain(b.id);
      expect(written(a, 'failover')).toBe('enabled');
      await b.host.powerOn();
      await untilMirroring(a, 'switchable');
    },
  );

  labTest('while it is on, that is what a standby does', async () => {
    await a.host.powerOff();
    await untilMirroring(b, 'switched');
    expect(await sql(b, 'select pg_is_in_recovery()')).toBe('f');
  });
});
