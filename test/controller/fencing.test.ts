/**
 * Fencing and arbitration commands as real shell scripts on a real pair: who is asked, with which arguments, and that
 * nobody takes over and nobody is taken out as long as they say no. A silent server is one whose processes are stopped.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { asOwner, cannotRun, Pair, signal } from './support/pair.ts';

if (cannotRun !== undefined) {
  process.stderr.write(`test/controller/fencing.test.ts is skipped: ${cannotRun}\n`);
  if (process.env.CI) throw new Error(cannotRun);
}

const quickly = 60_000;

describe.skipIf(cannotRun !== undefined)('a server that is not heard', () => {
  let pair: Pair;
  let stopped: number[];
  const file = (name: string): string => join(pair.dir, 'run', name);
  const calls = (): string[] =>
    existsSync(file('calls')) ? readFileSync(file('calls'), 'utf8').trim().split('\n') : [];
  /** Ends with the status that stands in the file `<name>.answer`. */
  const judge = (name: string, answer: number): string => {
    says(name, answer);
    return pair.script(name, `echo "${name} $*" >> ${file('calls')}\nexit $(cat ${file(`${name}.answer`)})`);
  };
  const says = (name: string, answer: number): void => writeFileSync(file(`${name}.answer`), `${answer}\n`);
  const called = async (line: string): Promise<void> => {
    for (let waited = 0; !calls().includes(line) && waited < quickly; waited += 20) await sleep(20);
    expect(calls()).toContain(line);
  };
  /** Where the logs ended when a server fell silent: on a slow machine a standby is late at the start, and out for a while. */
  const before = { server1: 0, server2: 0 };
  const logged = async (id: keyof typeof before, pattern: RegExp): Promise<void> => {
    const later = (): string => pair.log(id).slice(before[id]);
    for (let waited = 0; !pattern.test(later()) && waited < quickly; waited += 20) await sleep(20);
    expect(later()).toMatch(pattern);
  };
  const start = async (...conf: string[]): Promise<void> => {
    for (const id of ['server1', 'server2'] as const) {
      await pair.configure(id, ...conf);
      expect(pair.ctl('start', '--local-server', id)).toMatchObject({ status: 0, stderr: '' });
    }
    for (const id of ['server1', 'server2'])
      expect(
        (await pair.until(id, (it) => it.mirroring_status === 'switchable', quickly))?.reason,
      ).toBeNull();
  };
  /** Controller, postmaster and every server process stand still: nothing answers, nothing breaks. */
  const freeze = (number: 1 | 2): void => {
    const postmaster = pair.postmasterPid(number);
    const children = asOwner('ps', ['-o', 'pid=', '--ppid', String(postmaster)])
      .stdout.trim()
      .split(/\s+/);
    stopped = [pair.daemonPid(`server${number}`), postmaster, ...children.map(Number)];
    for (const id of ['server1', 'server2'] as const) before[id] = pair.log(id).length;
    for (const pid of stopped) signal(pid, 'SIGSTOP');
  };
  const isStandby = (number: 1 | 2): boolean => existsSync(join(pair.dataDir(number), 'standby.signal'));
  const names = (): string => pair.sql(1, 'show synchronous_standby_names').stdout.trim();

  beforeEach(async () => {
    stopped = [];
    pair = new Pair();
    await pair.create();
  });
  afterEach(async () => {
    for (const pid of stopped) signal(pid, 'SIGKILL');
    await pair.destroy();
  });

  it('command: the standby takes over only when the arbitration command says so, and the fencing command has', async () => {
    await start(
      'heartbeat_error_action = command',
      `arbitration_command = '${judge('ask', 1)} --site "east wing"'`,
      'arbitration_command_timeout = 1',
      `fencing_command = '${judge('fence', 1)} --now'`,
      'fencing_command_timeout = 1',
    );
    freeze(1);
    await logged(
      'server2',
      /the arbitration command says that server1 has not failed \(exit status 1\) \(MCA01041\)/,
    );
    expect(calls()).toContain('ask --site east wing server2 server1 primarycenter');
    expect([isStandby(2), calls().some((line) => line.startsWith('fence'))]).toEqual([true, false]);
    says('ask', 0);
    await called('fence --now monitor switch server2 server1 primarycenter');
    await logged('server2', /could not shut server1 out: exit status 1 \(MCA01059\)/);
    expect(isStandby(2)).toBe(true);
    says('fence', 0);
    await logged('server2', /promotion processing completed \(MCA00062\)/);
    expect(pair.log('server2')).toContain('the fencing command has shut server1 out (MCA01058)');
  });

  it('fallback: a standby that is not heard is fenced before commits go on without it', async () => {
    await start(`fencing_command = '${judge('fence', 1)}'`, 'fencing_command_timeout = 1');
    freeze(2);
    await called('fence monitor detach server1 server2 primarycenter');
    await logged('server1', /could not shut server2 out: exit status 1 \(MCA01059\)/);
    expect(names()).toBe('server2');
    says('fence', 0);
    await logged('server1', /server2 is out: commits do not wait for it any more \(MCA01036\)/);
    expect(names()).toBe('');
  });

  it('message: nobody is asked; a forced switch calls the fencing command, and a hanging one is a no', async () => {
    const hang = pair.script('hang', `echo "hang $*" >> ${file('calls')}\nsleep 600`);
    await start(
      'heartbeat_error_action = message',
      `fencing_command = '${hang}'`,
      'fencing_command_timeout = 1',
    );
    freeze(1);
    await logged('server2', /server1 is not heard; nothing is done about it .*\(MCA01040\)/);
    expect([isStandby(2), calls()]).toEqual([true, []]);
    const refused = pair.ctl('switch', '--force', '--local-server', 'server2');
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain('the fencing command failed: no answer within 1 s');
    expect([isStandby(2), calls()]).toEqual([true, ['hang command switch server2 server1 primarycenter']]);
    const forced = pair.ctl('switch', '--force', '--no-fencing', '--local-server', 'server2');
    expect([forced.stderr, forced.stdout, forced.status]).toEqual(['', 'server2 is primary\n', 0]);
    expect([isStandby(2), calls().length]).toEqual([false, 1]);
  });

  it('detach calls the fencing command; no cancels it, --no-fencing skips it; it works from either server', async () => {
    await start(
      'heartbeat_error_action = message',
      `fencing_command = '${judge('fence', 7)}'`,
      'fencing_command_timeout = 2',
    );
    const refused = pair.ctl('detach', '--local-server', 'server2');
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain(
      'the fencing command failed, so server2 is not taken out: exit status 7',
    );
    expect([names(), calls()]).toEqual(['server2', ['fence command detach server1 server2 primarycenter']]);
    expect(pair.status('server1')?.mirroring_status).toBe('switchable');
    const skipped = pair.ctl('detach', '--no-fencing', '--local-server', 'server2');
    expect([skipped.stderr, skipped.status, names(), calls().length]).toEqual(['', 0, '', 1]);
    expect(pair.ctl('stop', '--local-server', 'server2').status).toBe(0);
    expect(pair.ctl('start', '--local-server', 'server2')).toMatchObject({ status: 0, stderr: '' });
    await pair.until('server1', (it) => it.mirroring_status === 'switchable', quickly);
    says('fence', 0);
    freeze(2);
    await logged('server1', /server2 is not heard; nothing is done about it .*\(MCA01040\)/);
    expect(names()).toBe('server2');
    const fenced = pair.ctl('detach', '--local-server', 'server1');
    expect([fenced.stderr, fenced.status, names(), calls().length]).toEqual(['', 0, '', 2]);
  });
});
