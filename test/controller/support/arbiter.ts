/**
 * A real arbiter: the bundle as a process, on a management directory of its own. It does not run as root, so that root becomes
 * nobody. Processes are only ever ended by number, and only those that were started here.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Secret } from '../../../src/base/secret.ts';
import { serverConf } from '../../../src/controller/config.ts';
import { arbiterKeyOf } from '../../../src/controller/config-arbiter-key.ts';
import type { Cell, ServerView } from '../../../src/controller/core/view.ts';
import { ArbiterLink, type ArbiterLinkSettings } from '../../../src/controller/io/arbiter-link.ts';
import type { Identities } from '../../../src/controller/io/identity-files.ts';
import { AskingServer } from './asking-server.ts';
import { type Ended, withoutReminder } from './pair.ts';

const root = process.getuid?.() === 0;
const nobody = 65_534;
const user = root ? { uid: nobody, gid: nobody } : {};

export async function until(condition: () => boolean, ms = 10_000): Promise<void> {
  for (let waited = 0; waited < ms && !condition(); waited += 10) await sleep(10);
}

/** By the times below, of which heartbeat_timeout is a whole number of seconds. */
export const patienceMs = 1050;

export const keyOf = (cluster: string): string => Buffer.from(cluster.padEnd(32, '.')).toString('hex');

export class RealArbiter {
  readonly dir = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'arb-'));
  readonly port: number;
  readonly #bundle: string;
  #process: ChildProcess | null = null;
  #said = '';
  readonly #before: string[] = [];

  constructor(bundle: string, port: number) {
    this.#bundle = bundle;
    this.port = port;
    this.write('arbitration.conf', this.conf());
    this.addCluster('one');
  }

  /** A program that runs in the process before the arbiter: what happens to its disk. */
  disturb(program: string): void {
    this.write('disturb.cjs', program);
    this.#before.push('--require', join(this.dir, 'disturb.cjs'));
  }

  conf = (...lines: string[]): string =>
    [`port = ${this.port}`, "my_address = '127.0.0.1'", 'heartbeat_interval = 50', ...lines, ''].join('\n');

  network = (): string =>
    `server1 127.0.0.1 1\nserver2 127.0.0.1 2\narbiter1 127.0.0.1 ${this.port} arbiter\n`;

  addCluster(name: string, key = keyOf(name)): void {
    this.write(`clusters/${name}/network.conf`, this.network());
    this.write(`clusters/${name}/arbiter.key`, `${arbiterKeyOf(new Secret(key)).reveal()}\n`);
  }

  write(path: string, text: string, mode = 0o600): void {
    const parts = path.split('/');
    for (let depth = 0; depth < parts.length; depth += 1) {
      const parent = join(this.dir, ...parts.slice(0, depth));
      mkdirSync(parent, { recursive: true, mode: 0o700 });
      if (root) chownSync(parent, nobody, nobody);
    }
    writeFileSync(join(this.dir, path), text, { mode });
    chmodSync(join(this.dir, path), mode);
    if (root) chownSync(join(this.dir, path), nobody, nobody);
  }

  cellFile = (cluster = 'one'): string => join(this.dir, 'clusters', cluster, 'cell.json');

  /** What its disk holds. */
  cellOnDisk(cluster = 'one'): Cell {
    return (JSON.parse(readFileSync(this.cellFile(cluster), 'utf8')) as { cell: Cell }).cell;
  }

  /** Everything that it has said since its last start. */
  get said(): string {
    return this.#said;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  /** Starts it and waits until it answers, or has ended. Returns its exit status, or null while it runs. */
  async start(): Promise<number | null> {
    this.#said = '';
    const words = [...this.#before, this.#bundle, 'arbiter-daemon', '-M', this.dir];
    const child = spawn(process.execPath, words, {
      ...user,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {},
      cwd: '/',
    });
    this.#process = child;
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#said += text;
    });
    await until(() => child.exitCode !== null || this.#said.includes('(MCR00001)'), 30_000);
    return child.exitCode;
  }

  /** Ends it as a power cut would. */
  async kill(name: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(name);
    await until(() => child.exitCode !== null || child.signalCode !== null);
  }

  signal(name: NodeJS.Signals): void {
    this.#process?.kill(name);
  }

  /** The command mc_arb, as the user of the arbiter. */
  ctl(...args: string[]): Ended {
    return this.ctlAs(root, ...args);
  }

  ctlAs(unprivileged: boolean, ...args: string[]): Ended {
    return withoutReminder(
      spawnSync(process.execPath, [this.#bundle, 'arb', ...args], {
        ...(unprivileged ? user : {}),
        encoding: 'utf8',
        env: { ARBCONTROLDIR: this.dir },
        cwd: '/',
        timeout: 240_000,
      }),
    );
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** A server as an arbiter knows it. */
export class TalkingServer extends AskingServer {
  readonly link: ArbiterLink;
  /** Public parts that arbiters have proven. */
  readonly proven: string[] = [];
  #settings: ArbiterLinkSettings;

  constructor(
    view: ServerView,
    port: number,
    key = keyOf('one'),
    times: { readonly heartbeatTimeoutMs?: number; readonly heartbeatIntervalMs?: number } = {},
    identities?: Identities,
  ) {
    super(view, 10_000);
    const self = { id: view.id, host: '127.0.0.1', port: 1 };
    const conf = serverConf({
      dbInstance: '/a',
      heartbeatIntervalMs: 50,
      heartbeatTimeoutMs: 1000,
      ...times,
    });
    const arbiters = [{ id: 'arbiter1', host: '127.0.0.1', port }];
    this.#settings = { self, arbiters, conf, key: new Secret(key), ...(identities ? { identities } : {}) };
    const { heard, lost } = this;
    const proven = (arbiter: string, part: string) => this.proven.push(`${arbiter} ${part}`);
    this.link = new ArbiterLink(this.#settings, () => this.view, {
      heard,
      lost,
      proven,
      patience: () => undefined,
    });
  }

  /** After a reload with these keys of servers and arbiters. */
  knows(identities: Identities): void {
    this.#settings = { ...this.#settings, identities };
    this.link.update(this.#settings);
  }

  /** After a reload with another key of the cluster. */
  speak(key: string): void {
    this.#settings = { ...this.#settings, key: new Secret(key) };
    this.link.update(this.#settings);
  }

  /** After a reload without this arbiter. */
  forget(): void {
    this.answers.length = 0;
    this.link.update({ ...this.#settings, arbiters: [] });
  }
}
