/**
 * A pair with its arbiter on hosts that System V init boots: an init script starts and stops controller and instance there, and another one the arbiter. From nothing to a pair, drift,
 * stop and start, reboots, a stale pid file, switch, failover, rebuild, and back to one server.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { freshPair, type LabCluster } from '../support/cluster.ts';
import { type Server, sql, untilSwitchable } from '../support/instance.ts';
import { expectExit, findingsOf } from '../support/pgduet.ts';

const arbiterScript = '/etc/init.d/rc_mcarb_arbiter';
const script = '/etc/init.d/rc_mcoi_inst1';

describeLab('a pair on hosts without systemd', () => {
  let pair: LabCluster;
  let a: Server;
  let b: Server;
  beforeAll(async () => {
    pair = await freshPair({ image: 'debian12-sysv', arbiter: true });
    [a, b] = [pair.primary, pair.standby];
  });
  afterAll(() => pair?.close());

  const say = async ({ host }: Server, words: string): Promise<string> =>
    (await host.sh(words, { check: true })).stdout.trim();
  const found = async (): Promise<string[]> =>
    findingsOf(await pair.check())
      .map(({ code, host }) => `${host} ${code}`)
      .sort();
  /** Whether the arbiter runs, and whether its host starts it at boot. */
  const arbiter = async (): Promise<string | undefined> =>
    (
      await pair.arbiter?.sh(
        `${arbiterScript} status; ls /etc/rc2.d/S*rc_mcarb_arbiter >/dev/null 2>&1; echo "link $?"`,
      )
    )?.stdout
      .trim()
      .replaceAll('\n', ', ');
  const arbiterUp = 'the arbiter runs, link 0';
  const clean = ['arb1 INI005', 'server1 INI005', 'server2 INI005'];
  /** What runs, and whether the host starts it at boot. */
  const state = ({ host, dataDir }: Server): Promise<string> =>
    host
      .sh(
        `${script} status >/dev/null; echo "controller $?"; ls /etc/rc2.d/S*rc_mcoi_inst1 >/dev/null 2>&1; echo "link $?"; test -e ${dataDir}/postmaster.pid; echo "instance $?"`,
      )
      .then(({ stdout }) => stdout.trim().replaceAll('\n', ', '));
  const up = 'controller 0, link 0, instance 0';
  /** How the instance ended the last time, by its own log. */
  const crashes = ({ managementDir, host }: Server): Promise<string> =>
    say(
      { host } as Server,
      `cat ${managementDir}/*.log /database/inst1/log/* 2>/dev/null | grep -c 'not properly shut down' || :`,
    );

  labTest('it is provisioned, the init script runs it, and check has nothing but a note', async () => {
    expect(await say(a, 'cat /proc/1/comm; test -d /run/systemd/system || echo none')).toBe('init\nnone');
    expectExit(await pair.provision(), 0);
    expect(await Promise.all([state(a), state(b), arbiter()])).toEqual([up, up, arbiterUp]);
    expect(await found()).toEqual(clean);
    expectExit(await pair.run('check'), 0);
    // What a unit would set, as far as this machine lets a host; and nothing of the session that started it.
    const surroundings = `pid=$(head -n 1 ${a.dataDir}/postmaster.pid); grep 'core file' /proc/$pid/limits; tr '\\0' '\\n' < /proc/$pid/environ`;
    const said = await say(a, surroundings);
    expect(said).toMatch(/core file size +unlimited[\s\S]*^HOME=\/var\/lib\/postgresql$/m);
    expect(said).not.toContain('SSH_');
    expect(await say(a, 'grep -c MCA /var/log/syslog')).not.toBe('0');
  });

  labTest('both come back by themselves from a reboot, and were stopped in order', async () => {
    await sql(a, 'create table law(x int); insert into law values (1)');
    await Promise.all([a.host, b.host, pair.arbiter].map((host) => host?.reboot()));
    await Promise.all([a, b].map(untilSwitchable));
    expect(await Promise.all([state(a), state(b), arbiter()])).toEqual([up, up, arbiterUp]);
    expect(await Promise.all([crashes(a), crashes(b)])).toEqual(['0', '0']);
    expect(await sql(b, 'select count(*) from law')).toBe('1');
    expect(await found()).toEqual(clean);
  });

  labTest('a script that is missing, edited or switched off is told and repaired', async () => {
    await a.host.sh(`rm ${script}`, { check: true });
    await b.host.sh(`update-rc.d rc_mcoi_inst1 disable; echo '# x' >> ${script}; chmod 0777 ${script}`, {
      check: true,
    });
    await pair.arbiter?.sh(`rm ${arbiterScript}`, { check: true });
    expect(await found()).toEqual([
      'arb1 INI001',
      'server1 INI001',
      'server2 INI002',
      'server2 INI003',
      'server2 INI004',
      'server2 INI005',
    ]);
    expectExit(await pair.provision(), 0);
    expect(await found()).toEqual(clean);
    expect(await Promise.all([state(a), state(b), arbiter()])).toEqual([up, up, arbiterUp]);
  });

  labTest('a pid file that was left behind ends nobody', async () => {
    const file = `${b.managementDir}/${b.id}.pid`;
    const stale = `cp -p ${file} /root/kept; sleep 300 & echo $! > /root/sleeper
{ cat /root/sleeper; tail -n +2 /root/kept; } > ${file}
${script} status >/dev/null; echo "status $?"; ${script} stop; echo "stop $?"
kill -0 $(cat /root/sleeper) && echo alive; kill $(cat /root/sleeper); cat /root/kept > ${file}; ${script} status >/dev/null; echo "status $?"`;
    expect(await say(b, stale)).toBe('status 1\nstop 0\nalive\nstatus 0');
  });

  labTest('a server that was stopped stays down behind a reboot, until it is started', async () => {
    expectExit(await pair.run('stop', b.id, '--yes'), 0);
    const down = 'controller 3, link 2, instance 1';
    expect(await state(b)).toBe(down);
    await b.host.reboot();
    expect(await state(b)).toBe(down);
    expect(await found()).toContain(`${b.id} HST020`);
    expectExit(await pair.run('start', b.id, '--yes'), 0);
    expect(await state(b)).toBe(up);
    expect(await found()).toEqual(clean);
  });

  labTest('switch, failover behind a pulled plug, and rebuild', async () => {
    expectExit(await pair.run('switch', '--yes'), 0);
    expect(await sql(b, 'select pg_is_in_recovery()')).toBe('f');
    await b.host.powerOff();
    await expect
      .poll(() => sql(a, 'select pg_is_in_recovery()').catch(() => ''), { timeout: 40_000 })
      .toBe('f');
    await sql(a, 'insert into law values (2)');
    await b.host.powerOn();
    expectExit(await pair.run('rebuild', b.id, '--yes'), 0);
    await untilSwitchable(a);
    expect(await sql(b, 'select count(*) from law')).toBe('2');
    expect(await found()).toEqual(clean);
  });

  labTest('a teardown leaves one server, and no script on any host', async () => {
    expectExit(await pair.run('teardown', '--yes', '--keep', a.id), 0);
    for (const host of [a.host, b.host, pair.arbiter])
      expect(
        (await host?.sh('ls -d /etc/init.d/rc_mc* /etc/rc?.d/*rc_mc* /mcarb /usr/local/bin/mc_* 2>/dev/null'))
          ?.stdout,
      ).toBe('');
    expect(await sql(a, 'select count(*) from law')).toBe('2');
  });
});
