/**
 * `pgduet teardown` that is killed behind every one of its steps: the same command goes on each time, and at every reboot of
 * the server that stays exactly one unit starts it. In: a pair. Out: assertions.
 */
import { expect } from 'vitest';
import type { Host } from '../harness/lab.ts';
import { until } from '../harness/run.ts';
import { dataDir, lockIsFree, mcDir, sql, Trouble } from '../trouble/trouble.ts';

/** A pair with a table whose rows have to stay. */
export const openPair = (): Promise<Trouble> =>
  Trouble.provisioned({
    sql: [['postgres', 'create table kept as select generate_series(1, 1000) as n']],
  });

/** Some fifteen runs and power cuts take long where much else runs. */
export const killedMs = 400_000;

const released = (host: Host) =>
  until(
    () => `the lock of ${host.name} is still held`,
    10_000,
    async () => ((await lockIsFree(host)) ? true : undefined),
    20,
  );

export async function pullPlug(host: Host): Promise<void> {
  await host.powerOff();
  await host.powerOn();
  await host.untilUp();
}

/** The server that stays comes up by itself, once, whoever is in charge of it at that moment. */
export async function expectOneServer(host: Host, rebooted: boolean): Promise<void> {
  let said = '';
  await until(
    () => `no server runs on ${host.name}:\n${said}`,
    30_000,
    async () => {
      if ((await host.sh(`pg_isready -q -p 27500`)).status === 0) return true;
      said = (
        await host.sh(
          `ls ${mcDir}; systemctl list-units --all --plain --no-legend 'mcoi*' 'postgresql_*' 'pgduet*'; runuser -u postgres -- mc_ctl status -M ${mcDir} 2>&1`,
        )
      ).stdout;
      // Its controller waits for a standby that has just gone; the next run starts it.
      return said.includes('no primary is running; the last one was') ? true : undefined;
    },
  );
  // Between the end of the controller and the restart the server goes on without a unit; a reboot is started by one.
  const active = await host.sh('systemctl is-active mcoi_inst1 postgresql_inst1');
  const count = active.stdout.split('\n').filter((word) => word === 'active').length;
  expect(count, active.stdout).toBeLessThan(2);
  if (rebooted) expect(count, active.stdout).toBe(1);
}

/** Kills the run behind its first step, again and again, until one has nothing left to be killed at. */
export async function killedAtEveryStep(
  pair: Trouble,
  args: readonly string[],
  between: (round: number) => Promise<void>,
): Promise<number> {
  for (let round = 1; round < 60; round += 1) {
    const run = pair.start('teardown', [...args, '--yes']);
    const interrupted = await run.stepsDone(1);
    if (interrupted) run.child.kill('SIGKILL');
    const ended = await run.ended;
    await Promise.all([pair.a, pair.b].map(released));
    if (!interrupted || ended.status === 0) {
      expect(ended.status, `${ended.stdout}\n${ended.stderr}`).toBe(0);
      return round;
    }
    await between(round);
  }
  throw new Error('it never ends');
}

/** One server is left, and it is what it was as a single one. */
export async function expectDone(pair: Trouble, kept: Host, dropped: Host): Promise<void> {
  expect(await sql(kept, 'select count(*) from kept')).toBe('1000');
  expect(await sql(kept, 'select pg_is_in_recovery()')).toBe('f');
  expect(
    (await kept.sh('systemctl is-enabled postgresql_inst1; systemctl is-active postgresql_inst1')).stdout,
  ).toBe('enabled\nactive\n');
  expect((await dropped.sh(`ls -d ${dataDir} /database; pgrep -x postgres`)).stdout).toBe('');
  const left = await Promise.all(
    [kept, dropped].map((host) =>
      host.sh(
        `ls -d ${mcDir} /mcdir /usr/local/lib/pgduet /usr/local/bin/mc_ctl /etc/systemd/system/mcoi* /etc/systemd/system/*.d/pgduet.conf /var/lib/postgresql/.pgpass 2>/dev/null; grep mcoi /etc/services`,
      ),
    ),
  );
  expect(left.map(({ stdout }) => stdout)).toEqual(['', '']);
  const again = await pair.run('teardown', ['--yes']);
  expect(again.status, again.stderr).toBe(0);
  expect(again.stderr).toContain('nothing to change');
}
