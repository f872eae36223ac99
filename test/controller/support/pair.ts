/**
 * Two real PostgreSQL instances, primary and standby, on this machine with one management directory, and the bundled
 * controller to run on them. Processes are only ever ended by number, and only those that were started here.
 */
import { type ChildProcess, execFileSync, type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StatusReport } from '../../../src/controller/core/status.ts';
import { copyPrepared, type DataRecipe, memory } from './prepared-data.ts';

const versions = ['18', '17', '16', '15', '14', '13'];
export const binDir = versions
  .map((it) => `/usr/lib/postgresql/${it}/bin`)
  .find((dir) => existsSync(`${dir}/initdb`));

/** Why the tests with a real server cannot run here; undefined when they can. */
export const cannotRun: string | undefined =
  binDir === undefined ? 'PostgreSQL is not installed under /usr/lib/postgresql' : undefined;

const root = process.getuid?.() === 0;
export const owner = root ? 'postgres' : userInfo().username;

/** Where a start takes long a command says so on its standard error: that is the machine's time, which no test judges. */
export function withoutReminder(result: SpawnSyncReturns<string>): SpawnSyncReturns<string> {
  const reminder = /^mc_(?:ctl|arb): (?:still starting; see |the instance is ).*\n/gm;
  return { ...result, stderr: result.stderr.replace(reminder, '') };
}

/** PostgreSQL refuses to run as root, so root becomes the user of the package. */
export function asOwner(
  program: string,
  args: readonly string[],
  env: Record<string, string> = {},
): SpawnSyncReturns<string> {
  const words = root ? ['runuser', '-u', owner, '--', program, ...args] : [program, ...args];
  return spawnSync(words[0] ?? '', words.slice(1), {
    encoding: 'utf8',
    cwd: '/',
    env: { ...process.env, ...env },
    // For what hangs; on a busy machine initdb alone takes half a minute.
    timeout: 240_000,
  });
}

/** Made once for all files of a worker. */
let bundled: Promise<string> | undefined;

export async function bundleController(outfile: string): Promise<void> {
  bundled ??= bundleText();
  writeFileSync(outfile, await bundled);
}

async function bundleText(): Promise<string> {
  const script = new URL('../../../scripts/bundle.mjs', import.meta.url).href;
  const { controllerText } = (await import(script)) as { controllerText(): Promise<string> };
  return controllerText();
}

export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) => {
          server.listen(0, '127.0.0.1', () => {
            const address = server.address();
            resolve(typeof address === 'object' && address ? address.port : 0);
          });
        }),
    ),
  );
  for (const server of servers) server.close();
  return ports;
}

/** Asked once; a user of the package keeps it. */
let ownerUid: number | undefined;

export function uidOfOwner(): number {
  ownerUid ??= Number(execFileSync('id', ['-u', owner], { encoding: 'utf8' }));
  return ownerUid;
}

/** What decides what a program of PostgreSQL makes of the same arguments. */
export const programIngredients = (): string[] => {
  const { size, mtimeMs } = statSync(`${binDir}/postgres`);
  const { LANG = '', LC_ALL = '' } = process.env;
  return [`${binDir} ${size} ${mtimeMs}`, owner, LANG, LC_ALL];
};

/** A program of PostgreSQL, as the owner of the data. Returns what it says. */
export function must(program: string, ...args: string[]): string {
  const { status, stdout, stderr } = asOwner(`${binDir}/${program}`, args);
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}${stdout}`);
  return stdout;
}

/** What both servers have set from the beginning. */
const common = [
  'max_connections=15',
  'superuser_reserved_connections=3',
  'shared_buffers=16MB',
  'wal_log_hints=on',
];

/** `data1` and `data2`, its copy. */
const pairOfData = (): DataRecipe => ({
  name: 'pair',
  ingredients: [readFileSync(import.meta.filename, 'utf8'), ...programIngredients()],
  make(dir) {
    const [first, second] = [join(dir, 'data1'), join(dir, 'data2')];
    if (root) chownSync(dir, uidOfOwner(), -1);
    must('initdb', '-k', '-N', '-A', 'peer', '-D', first);
    // The client of the tests runs as root and logs in as the administrator.
    const hba = join(first, 'pg_hba.conf');
    writeFileSync(hba, `local postgres all peer map=test\n${readFileSync(hba, 'utf8')}`);
    appendFileSync(join(first, 'pg_ident.conf'), `test ${owner} ${owner}\ntest root ${owner}\n`);
    const options = [`unix_socket_directories=${dir}`, 'listen_addresses=', 'fsync=off', ...common];
    const log = join(dir, 'log');
    must('pg_ctl', '-D', first, '-w', '-l', log, '-o', options.map((it) => `-c ${it}`).join(' '), 'start');
    try {
      must('pg_basebackup', '-D', second, '-h', dir, '-c', 'fast', '-N', '-R');
    } finally {
      must('pg_ctl', '-D', first, '-w', '-m', 'fast', 'stop');
    }
  },
});

export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
}

export class Pair {
  /** In memory, where it costs nothing that the servers sync what they write. */
  readonly dir = mkdtempSync(join(memory, 'mc-'));
  readonly mcdir = join(this.dir, 'mc');
  readonly bundle = join(this.dir, 'mc.js');
  /** Another Node can be tried with PGDUET_TEST_NODE. */
  readonly node = process.env.PGDUET_TEST_NODE ?? process.execPath;
  ports: number[] = [];

  async create(): Promise<void> {
    await bundleController(this.bundle);
    chmodSync(this.dir, 0o755);
    this.ports = await freePorts(4);
    const [pg1 = 0, pg2 = 0, mc1 = 0, mc2 = 0] = this.ports;
    for (const sub of ['run', 'mc']) {
      mkdirSync(join(this.dir, sub), { mode: 0o700 });
      if (root) chownSync(join(this.dir, sub), uidOfOwner(), -1);
    }
    this.#private('network.conf', `server1 127.0.0.1 ${mc1}\nserver2 127.0.0.1 ${mc2}\n`);
    this.#private('server1.conf', this.#conf('data1'));
    this.#private('server2.conf', this.#conf('data2'));
    this.#private('cluster.key', `${'0123456789abcdef'.repeat(4)}\n`);
    this.#makeData(pg1, pg2);
  }

  #conf = (data: string): string =>
    `db_instance = '${join(this.dir, 'run', data)}'\nheartbeat_interval = 100\ndb_instance_check_interval = 100\ndb_instance_check_retry = 0\ndisk_check_interval = 150\ndisk_check_retry = 0\n`;

  #private(name: string, text: string): void {
    const path = join(this.mcdir, name);
    writeFileSync(path, text, { mode: 0o600 });
    if (root) chownSync(path, uidOfOwner(), -1);
  }

  /** A shell script that the administrator may run. */
  script(name: string, body: string, mode = 0o755): string {
    const path = join(this.dir, 'run', name);
    writeFileSync(path, `#!/bin/sh\n${body}\n`);
    chmodSync(path, mode);
    if (root) chownSync(path, uidOfOwner(), -1);
    return path;
  }

  /** Gives a server further lines of configuration; a controller that runs takes them over. */
  async configure(id: 'server1' | 'server2', ...lines: string[]): Promise<void> {
    const reloads = () => this.log(id).split('(MCA01028)').length;
    const before = reloads();
    this.#private(`${id}.conf`, `${this.#conf(id === 'server1' ? 'data1' : 'data2')}${lines.join('\n')}\n`);
    const pid = this.daemonPid(id);
    if (pid < 2) return;
    signal(pid, 'SIGHUP');
    for (let waited = 0; reloads() === before && waited < 5000; waited += 20) await sleep(20);
  }

  dataDir = (number: 1 | 2): string => join(this.dir, 'run', `data${number}`);

  /** Replication goes over the Unix socket with peer authentication, so that no password and no trust is needed. */
  #makeData(port1: number, port2: number): void {
    const run = join(this.dir, 'run');
    const [first, second] = [this.dataDir(1), this.dataDir(2)];
    copyPrepared(pairOfData(), run);
    writeFileSync(join(first, 'postmaster.opts'), `${binDir}/postgres "-D" "${first}"\n`);
    const settings = (port: number, other: string): string =>
      `port=${port}\nunix_socket_directories='${run}'\nlisten_addresses=''\n${common.join('\n')}\nwal_sender_timeout=1500\nwal_receiver_timeout=1500\nwal_retrieve_retry_interval=200\nsynchronous_standby_names='${other}'\n`;
    const [conf1, conf2] = [first, second].map((dir) => join(dir, 'postgresql.conf')) as [string, string];
    appendFileSync(conf1, settings(port1, 'server2'));
    appendFileSync(conf2, settings(port1, 'server2') + settings(port2, 'server1'));
    const conninfo = `host=${run} port=${port1} user=${owner} application_name=server2`;
    writeFileSync(join(second, 'postgresql.auto.conf'), `primary_conninfo = '${conninfo}'\n`);
  }

  ctl(...args: string[]): SpawnSyncReturns<string> {
    return withoutReminder(asOwner(this.node, [this.bundle, 'ctl', ...args], { MCCONTROLDIR: this.mcdir }));
  }

  /** mc_ctl that is not waited for. */
  ctlAside(...args: string[]): { child: ChildProcess; ended: Promise<Ended> } {
    const words = [this.node, this.bundle, 'ctl', ...args];
    const [program = '', ...rest] = root
      ? ['setpriv', `--reuid=${owner}`, '--clear-groups', ...words]
      : words;
    const env = { ...process.env, MCCONTROLDIR: this.mcdir };
    const child = spawn(program, rest, { cwd: '/', env, stdio: ['ignore', 'pipe', 'pipe'] });
    const said = { stdout: '', stderr: '' };
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (said.stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
    const ended = new Promise<Ended>((resolve) =>
      child.on('close', (status) => resolve({ ...said, status })),
    );
    return { child, ended };
  }

  status(id: string): StatusReport | undefined {
    const result = this.ctl('status', '--json', '--local-server', id);
    return result.status === 0 ? (JSON.parse(result.stdout) as StatusReport) : undefined;
  }

  /** Asks until the status is as wanted; a status that does not come to it is an error, with the last one. */
  async until(
    id: string,
    wanted: (report: StatusReport) => boolean,
    withinMs = 30_000,
  ): Promise<StatusReport> {
    const end = performance.now() + withinMs;
    for (;;) {
      const report = this.status(id);
      if (report && wanted(report)) return report;
      if (performance.now() > end)
        throw new Error(
          `the status of ${id} did not become as wanted within ${withinMs} ms:\n${JSON.stringify(report, undefined, 2)}`,
        );
      await sleep(100);
    }
  }

  log = (id: string): string => {
    const path = join(this.mcdir, `${id}.log`);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  };

  pidIn(path: string): number {
    return existsSync(path) ? Number(readFileSync(path, 'utf8').split('\n')[0]) : 0;
  }

  daemonPid = (id: string): number => this.pidIn(join(this.mcdir, `${id}.pid`));
  postmasterPid = (number: 1 | 2): number => this.pidIn(join(this.dataDir(number), 'postmaster.pid'));

  socketLock = (number: 1 | 2): string => join(this.dir, 'run', `.s.PGSQL.${this.ports[number - 1]}.lock`);

  sql(number: 1 | 2, text: string): SpawnSyncReturns<string> {
    const port = String(this.ports[number - 1]);
    return asOwner(`${binDir}/psql`, [
      '-XAtq',
      '-h',
      join(this.dir, 'run'),
      '-p',
      port,
      '-d',
      'postgres',
      '-c',
      text,
    ]);
  }

  /** Ends what is left, by number, and removes everything; PGDUET_KEEP_LOGS names a directory for the logs. */
  async destroy(): Promise<void> {
    if (process.env.PGDUET_KEEP_LOGS)
      for (const id of ['server1', 'server2'])
        writeFileSync(join(process.env.PGDUET_KEEP_LOGS, `${id}.log`), this.log(id));
    const pids = [this.daemonPid('server1'), this.daemonPid('server2')];
    for (const pid of pids) if (pid > 1) signal(pid, 'SIGKILL');
    for (const number of [1, 2] as const) {
      if (existsSync(join(this.dataDir(number), 'postmaster.pid'))) {
        asOwner(`${binDir}/pg_ctl`, ['-D', this.dataDir(number), '-w', '-m', 'immediate', 'stop']);
      }
    }
    await sleep(50);
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Sends a signal; a process that is gone already is what was wanted. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
