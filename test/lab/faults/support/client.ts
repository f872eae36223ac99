/**
 * The writing clients as the tests see them: what was acknowledged, by which server, and the longest time without it.
 * One runs on this machine and knows both servers; one runs on each server and knows only that, so that a server that is
 * cut off and goes on acknowledging is found out. Each is a process of its own and is ended by number.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Host } from '../../harness/lab.ts';
import { patience, sleep } from '../../harness/run.ts';

export interface Acknowledged {
  readonly id: number;
  /** Unix milliseconds, when the client had the answer. */
  readonly at: number;
  readonly host: string;
}

export interface ClientWish {
  readonly hosts: readonly string[];
  readonly port: number;
  readonly user: string;
  readonly password?: string;
  readonly database: string;
  /** Marks its rows. */
  readonly who: string;
  readonly everyMs: number;
  /** 2 s where nothing is said. */
  readonly connectTimeoutMs?: number;
}

/** What a client has written down, one line per acknowledged row. */
export function readRows(text: string): Acknowledged[] {
  return text.split('\n').flatMap((line) => {
    const [id, at, host] = line.split(' ');
    return host === undefined ? [] : [{ id: Number(id), at: Number(at), host }];
  });
}

/** The longest time between two acknowledgements that ended after `from`, in ms. */
export function longestGapMs(rows: readonly Acknowledged[], from: number): number {
  return rows.reduce((most, { at }, index) => {
    const before = rows[index - 1]?.at ?? at;
    return at >= from ? Math.max(most, at - before) : most;
  }, 0);
}

/** The client of this machine, which reaches the servers over their network. */
export class Client {
  readonly who: string;
  readonly rows: Acknowledged[] = [];
  /** What it ran into, with times. */
  errors = '';
  readonly #child: ChildProcess;
  #rest = '';

  constructor(program: string, wish: ClientWish) {
    this.who = wish.who;
    const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    child.stdin.on('error', () => undefined);
    child.stdin.end(`${JSON.stringify(wish)}\n`);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const end = (this.#rest + text).lastIndexOf('\n') + 1;
      this.rows.push(...readRows((this.#rest + text).slice(0, end)));
      this.#rest = (this.#rest + text).slice(end);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.errors += text;
    });
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }

  /** Waits until a row was acknowledged after this moment. False when the time is up. */
  async writesAgain(withinMs: number, after = Date.now()): Promise<boolean> {
    for (const end = Date.now() + patience * withinMs; Date.now() < end; await sleep(10)) {
      if ((this.rows.at(-1)?.at ?? 0) > after) return true;
    }
    return false;
  }
}

const unit = 'local-client';

/** The client on a server itself: it reaches nothing else, and nothing but the host's power ends it. */
export class LocalClient {
  readonly who: string;
  readonly #host: Host;
  readonly #log: string;

  private constructor(host: Host, who: string, log: string) {
    this.who = who;
    this.#host = host;
    this.#log = log;
  }

  /** `program` is the path of the client program on this machine. */
  static async start(host: Host, program: string, wish: ClientWish): Promise<LocalClient> {
    const dir = '/opt/local-client';
    mkdirSync(`${host.disk}${dir}`, { recursive: true });
    copyFileSync(program, `${host.disk}${dir}/client.mjs`);
    writeFileSync(`${host.disk}${dir}/wish.json`, `${JSON.stringify(wish)}\n`);
    const log = `${dir}/${wish.who}.rows`;
    const options = ['User=postgres', `StandardInput=file:${dir}/wish.json`, `StandardOutput=append:${log}`];
    const words = [...options, 'StandardError=null'].map((option) => `-p '${option}'`).join(' ');
    await host.sh(
      `chmod -R a+rX ${dir}; systemctl reset-failed ${unit} 2>/dev/null
systemd-run --quiet --unit=${unit} ${words} node ${dir}/client.mjs`,
      { check: true },
    );
    return new LocalClient(host, wish.who, log);
  }

  get rows(): Acknowledged[] {
    const path = `${this.#host.disk}${this.#log}`;
    return existsSync(path) ? readRows(readFileSync(path, 'utf8')) : [];
  }

  async stop(): Promise<void> {
    if (this.#host.running) await this.#host.sh(`systemctl stop ${unit}`);
  }
}
