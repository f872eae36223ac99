/**
 * Settings that nothing else shows on a real controller: agent_alive_timeout, core_file_path, syslog_ident, target_db,
 * remote_call_timeout, and that a primary without a free connection is no dead primary.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cannotRun, owner, Pair, signal } from './support/pair.ts';

if (cannotRun !== undefined) {
  process.stderr.write(`test/controller/settings.test.ts is skipped: ${cannotRun}\n`);
  if (process.env.CI) throw new Error(cannotRun);
}

const quickly = 60_000;

describe('agent_alive_timeout', () => {
  const dir = mkdtempSync(join(tmpdir(), 'loop-'));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));
  const run = async (after: string) => {
    const source = new URL('../../src/controller/io/self-watch.ts', import.meta.url).pathname;
    const outfile = join(dir, 'loop.cjs');
    await build({
      stdin: {
        contents: `import { watchLoop } from '${source}';\nwatchLoop(400);\n${after}`,
        resolveDir: dir,
      },
      outfile,
      bundle: true,
      platform: 'node',
      format: 'cjs',
    });
    return spawnSync(process.execPath, [outfile], { encoding: 'utf8', timeout: 240_000 });
  };

  it('ends a controller whose loop hangs, by SIGABRT and with a word', async () => {
    const { signal: by, stderr } = await run('setTimeout(() => { for (;;) {} }, 100);');
    expect([by, stderr]).toEqual([
      'SIGABRT',
      'the controller does not get on (agent_alive_timeout, 0.4 s) and is ended\n',
    ]);
  });

  it('leaves one alone that is merely idle', async () => {
    expect(await run('setTimeout(() => process.exit(7), 2000);')).toMatchObject({ status: 7, stderr: '' });
  });
});

describe.skipIf(cannotRun !== undefined)('a real pair', () => {
  const pair = new Pair();
  const file = (name: string): string => join(pair.dir, 'run', name);
  const row = (id: string) => pair.status('server1')?.servers.find((it) => it.server_id === id);
  const conf = (): string[] => [
    `core_file_path = '${file('')}'`,
    "syslog_ident = 'Pair_1'",
    'syslog_facility = LOCAL3',
    "target_db = 'template1'",
    'agent_alive_timeout = 20',
    'remote_call_timeout = 1000',
  ];
  const whole = async (): Promise<void> => {
    for (const id of ['server1', 'server2'])
      expect(
        (await pair.until(id, (it) => it.mirroring_status === 'switchable', quickly))?.reason,
      ).toBeNull();
  };
  beforeAll(async () => {
    await pair.create();
    for (const id of ['server1', 'server2'] as const) {
      await pair.configure(id, ...conf());
      expect(pair.ctl('start', '--local-server', id).stderr).toBe('');
    }
    await whole();
  });
  afterAll(() => pair.destroy());

  it('syslog_ident stands in every message', () => {
    expect(pair.log('server1')).toMatch(/Pair_1\[\d+\]: LOG: .*\(MCA01001\)/);
    expect(pair.log('server1')).not.toContain('MirroringControllerOpen');
  });

  it('target_db is where the controller logs in, as mc_agent', () => {
    const asked = "select distinct datname from pg_stat_activity where application_name = 'mc_agent'";
    expect(pair.sql(1, asked).stdout.trim()).toBe('template1');
  });

  it('core_file_path gets a report on SIGUSR2, for the administrator alone, and the controller goes on', async () => {
    const reports = () => readdirSync(file('')).filter((name) => /^report\..*\.json$/.test(name));
    signal(pair.daemonPid('server1'), 'SIGUSR2');
    for (let waited = 0; reports().length === 0 && waited < quickly; waited += 20) await sleep(20);
    const [name = ''] = reports();
    expect(name).toContain(String(pair.daemonPid('server1')));
    expect(statSync(file(name)).mode & 0o077).toBe(0);
    expect(readFileSync(file(name), 'utf8')).not.toContain('0123456789abcdef0123456789abcdef');
    expect(pair.status('server1')?.mirroring_status).toBe('switchable');
  });

  it('all connections taken on the primary: no switch, nobody is out, and the status stays true', async () => {
    const run = join(pair.dir, 'run');
    // They stay until their input ends, and who finds no room comes again: a look of ours takes a place for a moment, too. A shell takes the input away from what it runs aside, but not descriptor 3.
    const psql = `exec 3<&0; for i in $(seq 15); do until psql -X -h ${run} -p ${pair.ports[0]} -d postgres <&3 >/dev/null 2>&1; do sleep 0.1; done & done; wait`;
    const before = pair.log('server1').length;
    const words =
      process.getuid?.() === 0 ? ['runuser', '-u', 'postgres', '--', 'sh', '-c', psql] : ['sh', '-c', psql];
    const crowd = spawn(words[0] ?? '', words.slice(1), { stdio: ['pipe', 'ignore', 'ignore'], cwd: '/' });
    const ended = new Promise((resolve) => crowd.on('exit', resolve));
    const full = () => pair.sql(1, 'select 1').stderr.includes('too many clients already');
    // Twice in a row: nobody has left in between.
    await expect.poll(() => full() && full(), { timeout: quickly }).toBe(true);
    const looks = [];
    for (let look = 0; look < 4; look += 1) {
      looks.push([pair.status('server1')?.mirroring_status, row('server1')?.db_proc_status]);
      await sleep(300);
    }
    expect(looks).toEqual(Array(4).fill(['switchable', 'normal']));
    await expect.poll(full, { timeout: quickly }).toBe(true);
    crowd.stdin.end();
    await ended;
    await whole();
    expect(pair.log('server1').slice(before)).not.toMatch(/MCA0101[34]|MCA01035|MCA01043/);
    expect(existsSync(join(pair.dataDir(2), 'standby.signal'))).toBe(true);
  });

  it('a checkpoint that takes long is no silence', async () => {
    const before = pair.log('server1').length;
    expect(pair.sql(1, 'create table filler as select generate_series(1, 400000) as id').stderr).toBe('');
    const checkpoint = spawn(
      'sh',
      [
        '-c',
        `for i in 1 2 3 4 5; do psql -X -h ${join(pair.dir, 'run')} -p ${pair.ports[0]} -U ${owner} -d postgres -c checkpoint || exit 1; done`,
      ],
      { stdio: 'ignore', cwd: '/' },
    );
    expect(await new Promise((resolve) => checkpoint.on('exit', resolve))).toBe(0);
    await whole();
    expect(pair.log('server1').slice(before)).not.toMatch(/MCA0101[34]|MCA01035|MCA01043/);
  });

  it('a WAL sender that ends is seen at once, and its standby is back without being taken out', async () => {
    const before = pair.log('server1').length;
    expect(pair.sql(1, 'select pg_terminate_backend(pid) from pg_stat_replication').status).toBe(0);
    await whole();
    expect(row('server1')?.db_proc_status).toBe('normal');
    expect(pair.log('server1').slice(before)).not.toContain('MCA01036');
  });

  it('remote_call_timeout: a primary that does not answer a request in time is named', async () => {
    const gate = pair.script('gate', `while [ ! -e ${file('go')} ]; do sleep 0.05; done`);
    await pair.configure(
      'server1',
      ...conf(),
      `pre_detach_command = '${gate}'`,
      'state_transition_command_timeout = 60',
    );
    const result = pair.ctl('detach', '--local-server', 'server2');
    expect([result.stderr, result.status]).toEqual([
      'mc_ctl: detach failed: server1 has not answered within 1 s (remote_call_timeout); it may still go on\n',
      1,
    ]);
    writeFileSync(file('go'), '');
    await pair.until(
      'server1',
      (it) => it.mirroring_status === 'not-switchable' && it.busy === null,
      quickly,
    );
    expect(pair.sql(1, 'show synchronous_standby_names').stdout.trim()).toBe('');
  });
});
