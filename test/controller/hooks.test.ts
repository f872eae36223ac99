/**
 * The commands of the configuration as real shell scripts on a real pair: their arguments, when they are called, and that
 * none of them blocks anything: not when it hangs, fails, is missing or may not be executed.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cannotRun, owner, Pair, signal } from './support/pair.ts';
import { Writer } from './support/writer.ts';

if (cannotRun !== undefined) {
  process.stderr.write(`test/controller/hooks.test.ts is skipped: ${cannotRun}\n`);
  if (process.env.CI) throw new Error(cannotRun);
}

const quickly = 60_000;

describe.skipIf(cannotRun !== undefined)('commands of the configuration', () => {
  const pair = new Pair();
  let writer: Writer;
  const calls = (): string[] => {
    const path = join(pair.dir, 'run', 'calls');
    return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
  };
  const recorder = (name: string): string =>
    pair.script(name, `echo "${name} $*" >> ${join(pair.dir, 'run', 'calls')}`);
  /** A script that never ends, with a child of its own; it leaves both numbers behind. */
  const hanging = (name: string): string =>
    pair.script(name, `sleep 600 &\necho $$ $! > ${join(pair.dir, 'run', `${name}.pids`)}\nwait`);
  const pidsOf = async (name: string): Promise<number[]> => {
    const path = join(pair.dir, 'run', `${name}.pids`);
    for (let waited = 0; !existsSync(path) && waited < quickly; waited += 10) await sleep(10);
    return readFileSync(path, 'utf8').trim().split(' ').map(Number);
  };
  /** A zombie is dead, too; whoever is to collect it is not our concern. */
  const lives = (pid: number): boolean =>
    existsSync(`/proc/${pid}/stat`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  const whole = async (): Promise<void> => {
    for (const id of ['server1', 'server2']) {
      const report = await pair.until(id, (it) => it.mirroring_status === 'switchable', quickly);
      expect([id, report?.mirroring_status, report?.reason]).toEqual([id, 'switchable', null]);
    }
  };
  const logged = async (id: string, pattern: RegExp): Promise<void> => {
    for (let waited = 0; !pattern.test(pair.log(id)) && waited < quickly; waited += 20) await sleep(20);
    expect(pair.log(id)).toMatch(pattern);
  };
  const restartStandby = async (): Promise<void> => {
    expect(pair.ctl('stop', '--local-server', 'server2')).toMatchObject({ status: 0, stderr: '' });
    expect(pair.ctl('start', '--local-server', 'server2')).toMatchObject({ status: 0, stderr: '' });
    await whole();
  };

  beforeAll(async () => {
    await pair.create();
    for (const id of ['server1', 'server2']) expect(pair.ctl('start', '--local-server', id).stderr).toBe('');
    await whole();
    expect(pair.sql(1, 'create table written (id int)').stderr).toBe('');
    const addresses = pair.ports.slice(0, 2).map((port) => ({ host: join(pair.dir, 'run'), port }));
    writer = new Writer(addresses, owner);
    expect(await writer.writesAgain(quickly)).toBe(true);
  });
  afterAll(async () => {
    writer?.stop();
    await pair.destroy();
  });

  it('pre_detach_command comes before the standby loses its right to take over, and before the names', async () => {
    const look = pair.script(
      'pre_detach',
      [
        `names=$(grep -c "^synchronous_standby_names='server2'" ${join(pair.dataDir(1), 'postgresql.conf')})`,
        `right=$(grep -c '"eligible":\\["server2"\\]' ${join(pair.mcdir, 'server1.state.json')})`,
        `echo "pre_detach $* names:$names right:$right" >> ${join(pair.dir, 'run', 'calls')}`,
      ].join('\n'),
    );
    await pair.configure(
      'server1',
      `pre_detach_command = '${look}'`,
      `post_attach_command = '${recorder('post_attach')}'`,
    );
    signal(pair.postmasterPid(2), 'SIGKILL');
    await pair.until('server1', () => pair.sql(1, 'show synchronous_standby_names').stdout.trim() === '');
    expect(await writer.writesAgain(quickly)).toBe(true);
    expect(calls()).toEqual(['pre_detach server1 primary server2 primarycenter names:1 right:1']);
  });

  it('post_attach_command is called once the standby is in sync again', async () => {
    expect(pair.ctl('start', '--local-server', 'server2')).toMatchObject({ status: 0, stderr: '' });
    await whole();
    for (let waited = 0; calls().length < 2 && waited < quickly; waited += 20) await sleep(20);
    expect(calls().slice(1)).toEqual(['post_attach server1 primary server2 primarycenter']);
  });

  it('a pre_detach_command that hangs is ended with its children, and commits go on', async () => {
    await pair.configure(
      'server1',
      `pre_detach_command = '${hanging('stuck')}'`,
      'state_transition_command_timeout = 1',
    );
    signal(pair.postmasterPid(2), 'SIGKILL');
    const pids = await pidsOf('stuck');
    expect(pids.map(lives)).toEqual([true, true]);
    expect(await writer.writesAgain(quickly)).toBe(true);
    await logged('server1', /WARNING: pre_detach_command failed: no answer within 1 s \(MCA01056\)/);
    expect(pids.map(lives)).toEqual([false, false]);
    expect(pair.ctl('start', '--local-server', 'server2')).toMatchObject({ status: 0, stderr: '' });
    await whole();
  });

  it.each([
    ['is missing', () => '/nowhere/script', /\/nowhere\/script, .* does not exist \(MCA01056\)/],
    [
      'may not be executed',
      () => pair.script('closed', 'exit 0', 0o644),
      /closed may not be executed: .* \(MCA01056\)/,
    ],
    [
      'fails',
      () => pair.script('failing', 'echo "asking the balancer"\necho "it is not there" >&2\nexit 3'),
      /exit status 3: asking the balancer \| it is not there \(MCA01056\)/,
    ],
  ])(
    'a pre_detach_command that %s is logged, and the standby is out all the same',
    async (_, path, words) => {
      await pair.configure('server1', `pre_detach_command = '${path()}'`);
      const result = pair.ctl('detach', '--local-server', 'server1');
      expect([result.stderr, result.status]).toEqual(['', 0]);
      expect(pair.sql(1, 'show synchronous_standby_names').stdout.trim()).toBe('');
      await logged('server1', words);
      await restartStandby();
    },
  );

  it('post_attach_command and post_switch_command hold nobody up, and their failures are logged', async () => {
    await pair.configure('server1', `post_attach_command = '${pair.script('no', 'echo no >&2; exit 1')}'`);
    expect(pair.ctl('detach', '--local-server', 'server1').status).toBe(0);
    await restartStandby();
    await logged('server1', /WARNING: post_attach_command failed: exit status 1: no \(MCA01056\)/);
    await pair.configure(
      'server2',
      `post_switch_command = '${hanging('long')}'`,
      'state_transition_command_timeout = 3',
    );
    const result = pair.ctl('switch', '--local-server', 'server1');
    expect([result.stderr, result.status]).toEqual(['', 0]);
    const pids = await pidsOf('long');
    expect(await writer.writesAgain(quickly)).toBe(true);
    await logged('server2', /WARNING: post_switch_command failed: no answer within 3 s \(MCA01056\)/);
    expect(pids.map(lives)).toEqual([false, false]);
    await whole();
  });

  it('post_switch_command is called on the new primary, with its own arguments first', async () => {
    const before = calls().length;
    await pair.configure('server1', `post_switch_command = '${recorder('post_switch')} --jobs "two  words"'`);
    expect(pair.ctl('switch', '--local-server', 'server1')).toMatchObject({ status: 0, stderr: '' });
    for (let waited = 0; calls().length === before && waited < quickly; waited += 20) await sleep(20);
    expect(calls().slice(before)).toEqual(['post_switch --jobs two  words server1 primarycenter']);
    await whole();
  });
});
