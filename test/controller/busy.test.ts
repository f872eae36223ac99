/**
 * One command at a time, on a real pair: whoever comes second is told who is at work, on whichever server it asks. And
 * what mc_ctl says when the other server cannot be asked, or when somebody presses Ctrl-C.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cannotRun, Pair, signal } from './support/pair.ts';

if (cannotRun !== undefined) {
  process.stderr.write(`test/controller/busy.test.ts is skipped: ${cannotRun}\n`);
  if (process.env.CI) throw new Error(cannotRun);
}

const quickly = 60_000;

describe.skipIf(cannotRun !== undefined)('a second command', () => {
  const pair = new Pair();
  const file = (name: string): string => join(pair.dir, 'run', name);
  const present = async (path: string): Promise<void> => {
    for (let waited = 0; !existsSync(path) && waited < quickly; waited += 10) await sleep(10);
    expect(existsSync(path)).toBe(true);
  };
  const whole = async (): Promise<void> => {
    for (const id of ['server1', 'server2']) {
      const report = await pair.until(id, (it) => it.mirroring_status === 'switchable', quickly);
      expect([id, report?.reason]).toEqual([id, null]);
    }
  };
  /** A command that waits until the file `go` is there, and says by the file `here` that it was called. */
  const gate = (name: string): string =>
    pair.script(name, `touch ${file('here')}\nwhile [ ! -e ${file('go')} ]; do sleep 0.05; done`);
  const shut = (): void => {
    rmSync(file('here'), { force: true });
    rmSync(file('go'), { force: true });
  };
  const on = (id: string, ...args: string[]) => pair.ctl(...args, '--local-server', id);

  beforeAll(async () => {
    await pair.create();
    const conf = [`pre_detach_command = '${gate('gate')}'`, 'state_transition_command_timeout = 300'];
    await pair.configure('server1', ...conf, `fencing_command = '${gate('fence')}'`);
    await pair.configure('server2', ...conf);
    // On a busy machine the standby comes so late that it is taken out first: nothing is to wait at the gate for that.
    writeFileSync(file('go'), '');
    for (const id of ['server1', 'server2']) expect(on(id, 'start').stderr).toBe('');
    await whole();
  });
  afterAll(() => pair.destroy());

  it('is refused with who and what, on either server, and the status tells it', async () => {
    shut();
    const first = pair.ctlAside('detach', '--no-fencing', '--local-server', 'server2');
    await present(file('here'));
    await pair.until('server2', (it) => it.busy !== null);
    const words =
      /^mc_ctl: server1 is busy: detach, asked by process \d+ of \w+ on server2, since \d\d:\d\d:\d\d UTC; wait for it\n$/;
    for (const id of ['server1', 'server2']) {
      for (const args of [['switch'], ['switch', '--force'], ['detach'], ['stop'], ['stop', '--mc-only']]) {
        const result = on(id, ...args);
        expect([id, args, result.status, result.stdout]).toEqual([id, args, 6, '']);
        expect(result.stderr).toMatch(words);
      }
    }
    const busy = pair.status('server1')?.busy;
    expect(busy).toMatchObject({ server: 'server1', work: 'detach', asked_on: 'server2' });
    expect(busy?.pid).toBeGreaterThan(1);
    writeFileSync(file('go'), '');
    expect(await first.ended).toMatchObject({ status: 0, stderr: '' });
    expect(pair.status('server1')?.busy).toBeNull();
    expect(on('server2', 'stop')).toMatchObject({ status: 0, stderr: '' });
    expect(on('server2', 'start')).toMatchObject({ status: 0, stderr: '' });
    await whole();
  });

  it('Ctrl-C ends the waiting, not the work, and says so', async () => {
    shut();
    const first = pair.ctlAside('detach', '--no-fencing', '--local-server', 'server1');
    await present(file('here'));
    first.child.kill('SIGINT');
    const { status, stderr } = await first.ended;
    expect([status, stderr]).toEqual([
      130,
      `mc_ctl: no longer waiting; the detach goes on in the controller of server1. See: mc_ctl status -M ${pair.mcdir}\n`,
    ]);
    writeFileSync(file('go'), '');
    const report = await pair.until('server1', (it) => it.mirroring_status === 'not-switchable', quickly);
    expect(report?.reason).toContain('server2');
    expect(pair.sql(1, 'show synchronous_standby_names').stdout.trim()).toBe('');
    expect(on('server2', 'stop')).toMatchObject({ status: 0, stderr: '' });
    expect(on('server2', 'start')).toMatchObject({ status: 0, stderr: '' });
    await whole();
  });

  it('stop -e does not wait for anything', async () => {
    shut();
    const first = pair.ctlAside('detach', '--local-server', 'server2');
    await present(file('here'));
    await pair.until('server2', (it) => it.busy !== null, quickly);
    expect(on('server2', 'stop').status).toBe(6);
    expect(on('server2', 'stop', '-e')).toMatchObject({ status: 0 });
    expect((await first.ended).status).toBe(1);
    writeFileSync(file('go'), '');
    await pair.until('server1', (it) => it.busy === null, quickly);
    expect(on('server2', 'start')).toMatchObject({ status: 0, stderr: '' });
    await whole();
  });

  it('a primary that cannot be asked is named, with since when', async () => {
    signal(pair.daemonPid('server1'), 'SIGKILL');
    const alone =
      'the controller of server1 is not heard, but server2 receives WAL from there: its instance runs';
    await pair.until('server2', (it) => it.reason === alone, quickly);
    for (const mode of ['switch', 'detach']) {
      const result = on('server2', mode);
      expect(result.status).toBe(1);
      expect(result.stderr).toMatch(
        new RegExp(
          `^mc_ctl: ${mode} failed: server1, which would have to do it, is not heard since \\d\\d:\\d\\d:\\d\\d UTC \\(its host refuses the connection: no controller runs there\\)`,
        ),
      );
    }
    expect(on('server2', 'enable-failover').status).toBe(0);
    expect(on('server1', 'start')).toMatchObject({ status: 0, stderr: '' });
    await whole();
  });
});
