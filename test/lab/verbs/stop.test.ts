/** `pgduet stop` and `start` on a pair: what is stopped stays down, also across a power cut, and everybody says who has asked for it. */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { type LabCluster, provisionedPair } from '../support/cluster.ts';
import { type Server, sql, untilMirroring, untilSwitchable } from '../support/instance.ts';
import { expectExit, findingsOf, type RunDocument } from '../support/pgduet.ts';
import { Run } from '../support/running.ts';

describeLab('stop and start', () => {
  let pair: LabCluster;
  let a: Server;
  let b: Server;
  beforeAll(async () => {
    pair = await provisionedPair();
    [a, b] = [pair.primary, pair.standby];
  });
  afterAll(() => pair?.close());

  const runs = async ({ host, dataDir, unit }: Server): Promise<string> =>
    (
      await host.sh(
        `systemctl is-active ${unit}; systemctl is-enabled ${unit}; test -e ${dataDir}/postmaster.pid && echo instance || echo none`,
      )
    ).stdout
      .trim()
      .replaceAll('\n', ' ');
  const up = 'active enabled instance';
  const down = 'inactive disabled none';
  const both = () => Promise.all([a, b].map(runs));

  labTest('the primary alone is refused while a standby could take over', async () => {
    const refused = await pair.run('stop', a.id, '--yes');
    expectExit(refused, 5);
    expect(refused.stderr).toContain('SAF063');
    expect(refused.stderr).toContain('--switch-first');
    expect(await both()).toEqual([up, up]);
  });

  labTest('a stop that the controller refuses leaves nothing that keeps the server down', async () => {
    const mcCtl = '/usr/local/bin/mc_ctl';
    await b.host.sh(
      `mv ${mcCtl} ${mcCtl}.real; printf '#!/bin/sh\ncase $1 in stop) echo busy >&2; exit 6;; esac\nexec ${mcCtl}.real "$@"\n' > ${mcCtl}; chmod 755 ${mcCtl}`,
      { check: true },
    );
    const refused = await pair.run('stop', b.id, '--yes');
    expectExit(refused, 1);
    expect(refused.stderr).toContain('busy');
    expect(await runs(b)).toBe(up);
    const left = await b.host.sh(`mv ${mcCtl}.real ${mcCtl}; ls ${b.managementDir}`, { check: true });
    expect(left.stdout).not.toContain('.stopped');
  });

  labTest('a standby: shown first, then down, and still so behind a power cut and a provision', async () => {
    const shown = await pair.run('stop', b.id, '--check');
    expectExit(shown, 2);
    expect(shown.stdout).toContain('commits are on the primary alone from then on');
    expect(await runs(b)).toBe(up);
    expectExit(await pair.run('stop', b.id, '--yes'), 0);
    expect(await both()).toEqual([up, down]);
    await sql(a, 'create table law(x int); insert into law values (1)');

    await b.host.powerOff();
    await b.host.powerOn();
    const again = await pair.run('stop', b.id, '--yes', '--json');
    expectExit(again, 0);
    expect(again.json<RunDocument & { stopped: object }>()).toMatchObject({
      changed: [],
      stopped: { server1: null, server2: { by: expect.stringContaining('@') } },
    });
    const provisioned = await pair.provision();
    expectExit(provisioned, 1);
    expect(provisioned.stderr).toContain('HST020');
    expect(await both()).toEqual([up, down]);
    const check = await pair.check();
    expect(findingsOf(check).map(({ code, host }) => `${host} ${code}`)).toEqual([`${b.id} HST020`]);
    const status = await pair.run('status');
    expect(status.stdout).toMatch(/server2.*stopped with pgduet stop by \S+@\S+, 20/);
    const rebuilt = await pair.run('rebuild', b.id, '--yes');
    expectExit(rebuilt, 5);
    expect(rebuilt.stderr).toContain('SAF062');
  });

  labTest('one that a person starts by hand is told, and start ends the stop', async () => {
    await b.host.sh(`systemctl start ${b.unit}`, { check: true });
    await untilSwitchable(a);
    const check = await pair.check();
    expect(findingsOf(check).map(({ code, host }) => `${host} ${code}`)).toEqual([`${b.id} CTL013`]);
    expectExit(await pair.run('start', b.id, '--yes'), 0);
    expect(await both()).toEqual([up, up]);
    expectExit(await pair.run('check'), 0);
    const again = await pair.run('start', '--yes', '--json');
    expectExit(again, 0);
    expect(again.json<RunDocument>().changed).toEqual([]);
  });

  labTest(
    'the whole cluster: cut off in between and gone on with, down behind a power cut, whole again',
    async () => {
      const cut = new Run(['stop', '-i', pair.file, '--yes']);
      await cut.stepsDone(1);
      cut.child.kill('SIGKILL');
      await cut.ended;
      await expect
        .poll(() => pair.run('stop', '--yes').then(({ status }) => status), { timeout: 20_000 })
        .toBe(0);
      expect(await both()).toEqual([down, down]);
      await Promise.all([a, b].map(({ host }) => host.powerOff()));
      await Promise.all([a, b].map(({ host }) => host.powerOn()));
      const status = await pair.run('status');
      expectExit(status, 1);
      expect(status.stdout).toContain('no primary runs: all are stopped with pgduet stop');
      const check = await pair.check();
      expect(findingsOf(check).map(({ code, host }) => `${host} ${code}`)).toEqual([
        `${a.id} HST020`,
        `${b.id} HST020`,
      ]);
      expect(await both()).toEqual([down, down]);
      const refused = await pair.run('start', b.id, '--yes');
      expectExit(refused, 5);
      expect(refused.stderr).toContain('SAF064');
      expectExit(await pair.run('start', '--check'), 2);
      const started = await pair.run('start', '--yes');
      expectExit(started, 0);
      expect(started.stderr).toContain('switchable');
      expect(await both()).toEqual([up, up]);
      expect(await sql(b, 'select count(*) from law')).toBe('1');
      expectExit(await pair.run('check'), 0);
    },
  );

  labTest('a start that is killed is gone on with, also while automatic switching is off', async () => {
    expectExit(await pair.run('failover', 'off', '--yes'), 0);
    expectExit(await pair.run('stop', '--yes'), 0);
    const cut = new Run(['start', '-i', pair.file, '--yes']);
    await cut.stepsDone(1);
    cut.child.kill('SIGKILL');
    await cut.ended;
    await expect
      .poll(() => pair.run('start', '--yes').then(({ status }) => status), { timeout: 20_000 })
      .toBe(0);
    expect(await both()).toEqual([up, up]);
    await untilMirroring(a, 'failover-disabled');
    expectExit(await pair.run('failover', 'on', '--yes'), 0);
    expectExit(await pair.run('check'), 0);
  });

  labTest('the primary, with its role given away first', async () => {
    const made = await pair.run('stop', a.id, '--switch-first', '--yes');
    expectExit(made, 0);
    expect(await both()).toEqual([down, up]);
    expect(await sql(b, 'select pg_is_in_recovery()')).toBe('f');
    expectExit(await pair.run('start', a.id, '--yes'), 0);
    expect(await sql(a, 'select pg_is_in_recovery()')).toBe('t');
    await untilSwitchable(b);
  });

  labTest('the primary alone, where the standby is down already', async () => {
    expectExit(await pair.run('stop', a.id, '--yes'), 0);
    await untilMirroring(b, 'not-switchable');
    expectExit(await pair.run('stop', b.id, '--yes'), 0);
    expect(await both()).toEqual([down, down]);
    expectExit(await pair.run('start', b.id, '--yes'), 0);
    expect(await sql(b, 'select pg_is_in_recovery()')).toBe('f');
  });

  labTest('a host that nobody names may be away; where all are meant, it may not', async () => {
    await a.host.powerOff();
    const all = await pair.run('stop', '--yes');
    expectExit(all, 4);
    expect(all.stderr).toContain(a.id);
    expect(await runs(b)).toBe(up);
    expectExit(await pair.run('stop', b.id, '--yes'), 0);
    expect(await runs(b)).toBe(down);
    expectExit(await pair.run('start', b.id, '--yes'), 0);
    expect(await runs(b)).toBe(up);
    await a.host.powerOn();
    expect(await both()).toEqual([down, up]);
    expectExit(await pair.run('start', '--yes'), 0);
    expect(await both()).toEqual([up, up]);
    expectExit(await pair.run('stop', 'server9', '--yes'), 3);
  });
});
