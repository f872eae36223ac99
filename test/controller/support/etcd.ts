/**
 * A real etcd of one or more members on loopback, with TLS, users and a role for the keys below /pgduet/, and a gateway before it
 * that loses, holds and delays answers. Processes are only ever ended by number, and only those that were started here.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import { type ServerConf, serverConf } from '../../../src/controller/config.ts';
import type { ArbiterView, Lineages, ServerView, Vote } from '../../../src/controller/core/view.ts';
import { EtcdLink, type EtcdRegister } from '../../../src/controller/io/etcd-link.ts';
import { until } from './arbiter.ts';
import { AskingServer } from './asking-server.ts';
import { freePorts } from './pair.ts';

const installed = (name: string, word: string): boolean => spawnSync(name, [word]).status === 0;

/** `npm test` installs it where it can. */
export const hasEtcd = installed('etcd', '--version') && installed('openssl', 'version');
export const describeEtcd = hasEtcd ? describe : describe.skip;

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** Certificates of a private authority for 127.0.0.1; made once for a file of tests. */
export class Authority {
  readonly dir = mkdtempSync(join(memory, 'etcd-ca-'));

  constructor() {
    this.#openssl(
      'req',
      '-x509',
      '-newkey',
      'ed25519',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=test authority',
      '-keyout',
      'ca.key',
      '-out',
      'ca.pem',
    );
    this.sign('member', 'IP:127.0.0.1');
  }

  get ca(): string {
    return readFileSync(join(this.dir, 'ca.pem'), 'utf8');
  }

  read = (name: string): Buffer => readFileSync(join(this.dir, name));

  /** Both for who answers and for who calls: the gateway of etcd calls etcd itself. */
  sign(name: string, subject: string): void {
    this.#openssl(
      'req',
      '-newkey',
      'ed25519',
      '-nodes',
      '-subj',
      '/O=test',
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
    );
    writeFileSync(
      join(this.dir, `${name}.ext`),
      `subjectAltName=${subject}\nextendedKeyUsage=serverAuth,clientAuth\n`,
    );
    this.#openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      '2',
      '-extfile',
      `${name}.ext`,
      '-out',
      `${name}.pem`,
    );
  }

  #openssl(...args: string[]): void {
    const { status, stderr } = spawnSync('openssl', args, { cwd: this.dir, encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

interface Member {
  readonly name: string;
  readonly port: number;
  readonly peerPort: number;
  process: ChildProcess | null;
}

export const password = 'it is told to etcd alone';

/** One call; without a body it only asks. */
function ask(endpoint: string, ca: string, path: string, body?: object, token?: string) {
  const options = {
    ...{ method: body ? 'POST' : 'GET', ca, agent: false as const },
    headers: token ? { authorization: token } : {},
  };
  return new Promise<Record<string, unknown>>((resolve, reject) => {
    const call = request(new URL(path, endpoint), options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve(JSON.parse(text === '' ? '{}' : text)));
      response.on('error', reject);
    });
    call.on('error', reject);
    call.setTimeout(5000, () => call.destroy(new Error('no answer')));
    call.end(body ? JSON.stringify(body) : undefined);
  });
}

/** The administrator of an etcd. */
export class EtcdAdmin {
  readonly #endpoint: string;
  readonly #ca: string;

  constructor(endpoint: string, ca: string) {
    this.#endpoint = endpoint;
    this.#ca = ca;
  }

  /** The user pgduet may do what the documents say, below this prefix. */
  async addUsers(prefix: string): Promise<void> {
    const end = `${prefix.slice(0, -1)}0`;
    const perm = { permType: 'READWRITE', key: base64(prefix), range_end: base64(end) };
    await this.post('/v3/auth/user/add', { name: 'root', password });
    await this.post('/v3/auth/role/add', { name: 'root' });
    await this.post('/v3/auth/user/grant', { user: 'root', role: 'root' });
    await this.post('/v3/auth/user/add', { name: 'pgduet', password });
    await this.post('/v3/auth/role/add', { name: 'pgduet' });
    await this.post('/v3/auth/role/grant', { name: 'pgduet', perm });
    await this.post('/v3/auth/user/grant', { user: 'pgduet', role: 'pgduet' });
    await this.post('/v3/auth/enable', {});
  }

  async post(path: string, body: object, token?: string): Promise<Record<string, unknown>> {
    const answer = await ask(this.#endpoint, this.#ca, path, body, token);
    if ('error' in answer || 'code' in answer) throw new Error(`${path}: ${JSON.stringify(answer)}`);
    return answer;
  }

  async asRoot(path: string, body: object): Promise<Record<string, unknown>> {
    const { token } = await this.post('/v3/auth/authenticate', { name: 'root', password });
    return this.post(path, body, String(token));
  }

  async keyOf(path: string): Promise<{ readonly value: string; readonly version: number } | null> {
    const { kvs } = await this.asRoot('/v3/kv/range', { key: base64(path) });
    const [first] = Array.isArray(kvs) ? (kvs as { value: string; version: string }[]) : [];
    if (!first) return null;
    return { value: Buffer.from(first.value, 'base64').toString(), version: Number(first.version) };
  }

  put = (path: string, value: string) =>
    this.asRoot('/v3/kv/put', { key: base64(path), value: base64(value) });

  deleteKey = (path: string) => this.asRoot('/v3/kv/deleterange', { key: base64(path) });
}

export class RealEtcd {
  readonly dir = mkdtempSync(join(memory, 'etcd-'));
  readonly authority: Authority;
  #members: readonly Member[] = [];
  #said = '';

  constructor(authority: Authority) {
    this.authority = authority;
  }

  static async started(authority: Authority, count = 1): Promise<RealEtcd> {
    const etcd = new RealEtcd(authority);
    const ports = await freePorts(2 * count);
    etcd.#members = Array.from({ length: count }, (_, index) => ({
      name: `member${index}`,
      port: ports[2 * index] ?? 0,
      peerPort: ports[2 * index + 1] ?? 0,
      process: null,
    }));
    await etcd.start();
    await etcd.admin.addUsers('/pgduet/');
    return etcd;
  }

  get admin(): EtcdAdmin {
    return new EtcdAdmin(this.endpoints[0] ?? '', this.authority.ca);
  }

  get endpoints(): string[] {
    return this.#members.map(({ port }) => `https://127.0.0.1:${port}`);
  }

  register(prefix: string, change: Partial<EtcdRegister> = {}): EtcdRegister {
    return {
      id: 'arbiter1',
      endpoints: this.endpoints,
      user: 'pgduet',
      password: new Secret(password),
      ca: this.authority.ca,
      prefix,
      ...change,
    };
  }

  /** Starts those that do not run, and waits until each answers. */
  async start(indexes = this.#members.map((_, index) => index)): Promise<void> {
    for (const index of indexes) this.#startMember(index);
    for (const index of indexes) await this.#untilHealthy(index);
  }

  startWithoutWaiting(index: number): void {
    this.#startMember(index);
  }

  #startMember(index: number): void {
    const member = this.#members[index];
    if (!member || member.process) return;
    const { name, port, peerPort } = member;
    const client = `https://127.0.0.1:${port}`;
    const cluster = this.#members.map((it) => `${it.name}=http://127.0.0.1:${it.peerPort}`).join(',');
    const words = {
      name,
      'data-dir': join(this.dir, name),
      'listen-client-urls': client,
      'advertise-client-urls': client,
      'listen-peer-urls': `http://127.0.0.1:${peerPort}`,
      'initial-advertise-peer-urls': `http://127.0.0.1:${peerPort}`,
      'initial-cluster': cluster,
      'cert-file': join(this.authority.dir, 'member.pem'),
      'key-file': join(this.authority.dir, 'member.key'),
      'heartbeat-interval': '50',
      'election-timeout': '500',
    };
    const child = spawn(
      'etcd',
      Object.entries(words).flatMap(([word, value]) => [`--${word}`, value]),
      {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { PATH: process.env.PATH },
      },
    );
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#said = `${this.#said}${text}`.slice(-20_000);
    });
    child.on('error', (error) => {
      this.#said += String(error);
    });
    member.process = child;
  }

  async #untilHealthy(index: number): Promise<void> {
    for (let waited = 0; waited < 30_000; waited += 50) {
      if ((await this.health(index)) === 'true') return;
      await sleep(50);
    }
    throw new Error(`member ${index} does not answer: ${this.#said}`);
  }

  async health(index: number): Promise<string> {
    const answer = await ask(this.endpoints[index] ?? '', this.authority.ca, '/health').catch(() => ({}));
    return 'health' in answer ? String(answer.health) : 'none';
  }

  /** As a power cut would. */
  async kill(index = 0, name: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const member = this.#members[index];
    const child = member?.process;
    if (!member || !child) return;
    member.process = null;
    child.kill(name);
    await until(() => child.exitCode !== null || child.signalCode !== null);
  }

  signal(index: number, name: NodeJS.Signals): void {
    this.#members[index]?.process?.kill(name);
  }

  /** Keeps what the disks hold, to put it back later. All members are stopped meanwhile. */
  async copyDisks(to: string): Promise<void> {
    await this.#withoutMembers(() => cpSync(this.dir, to, { recursive: true }));
  }

  async putBack(from: string): Promise<void> {
    await this.#withoutMembers(() => {
      rmSync(this.dir, { recursive: true });
      cpSync(from, this.dir, { recursive: true });
    });
  }

  async #withoutMembers(work: () => void): Promise<void> {
    for (const index of this.#members.keys()) await this.kill(index, 'SIGTERM');
    work();
    await this.start();
  }

  async remove(): Promise<void> {
    for (const index of this.#members.keys()) await this.kill(index);
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** What becomes of a call that came through the gateway. */
export type Fate =
  | 'pass'
  | 'lose the answer'
  | 'lose the question'
  /** As etcd takes a token from 3.5.10 on, once its authentication is off. */
  | 'pass without its token'
  | { readonly until: Promise<void> }
  /** Something between the controller and etcd answers in its place. */
  | { readonly says: object; readonly status?: number };

const written = '/v3/kv/txn';

/** Stands before a member, and decides over each call by its path. */
export class Gateway {
  readonly calls: string[] = [];
  fate: (path: string) => Fate = () => 'pass';
  readonly #server: Server;
  readonly #member: string;
  readonly #authority: Authority;

  constructor(authority: Authority, member: string, certificate = 'member') {
    this.#authority = authority;
    this.#member = member;
    this.#server = createServer(
      { key: authority.read(`${certificate}.key`), cert: authority.read(`${certificate}.pem`) },
      (question, answer) => {
        const parts: Buffer[] = [];
        question.on('data', (chunk: Buffer) => parts.push(chunk));
        question.on('end', () => {
          const path = question.url ?? '';
          this.calls.push(path);
          const fate = this.fate(path);
          const authorization =
            fate === 'pass without its token' ? undefined : question.headers.authorization;
          if (fate === 'lose the question') return;
          if (typeof fate === 'object' && 'says' in fate) {
            answer.writeHead(fate.status ?? 200, { 'content-type': 'application/json' });
            answer.end(JSON.stringify(fate.says));
            return;
          }
          const wait = typeof fate === 'object' ? fate.until : Promise.resolve();
          void wait
            .then(() => this.#forward(question.method ?? 'POST', path, Buffer.concat(parts), authorization))
            .then(({ status, body }) => {
              if (fate === 'lose the answer') question.socket.destroy();
              else answer.writeHead(status, { 'content-type': 'application/json' }).end(body);
            })
            // A member that is gone gives no answer.
            .catch(() => question.socket.destroy());
        });
      },
    );
  }

  #forward(method: string, path: string, body: Buffer, authorization: string | undefined) {
    return new Promise<{ status: number; body: Buffer }>((resolve, reject) => {
      const options = {
        method,
        ca: this.#authority.ca,
        agent: false as const,
        headers: authorization ? { authorization } : {},
      };
      const call = request(new URL(path, this.#member), options, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (chunk: Buffer) => parts.push(chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts) }));
      });
      call.on('error', reject);
      call.end(body);
    });
  }

  /** Holds what is written until the returned function is called; all else passes. */
  holdWrites(): () => void {
    let land = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      land = resolve;
    });
    this.calls.length = 0;
    this.fate = (path) => (path === written ? { until: held } : 'pass');
    return land;
  }

  /** A write has come, whatever becomes of it. */
  untilWritten = (): Promise<void> => until(() => this.calls.includes(written));

  async listen(): Promise<string> {
    const [port = 0] = await freePorts(1);
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    return `https://127.0.0.1:${port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** A server as an etcd knows it. */
export class EtcdServer extends AskingServer {
  readonly link: EtcdLink;
  readonly #conf: ServerConf;
  /** What its controller remembers of each etcd. */
  lineages: Lineages = {};

  constructor(view: ServerView, etcd: EtcdRegister, times: Partial<ServerConf> = {}) {
    super(view, 30_000);
    this.#conf = serverConf({
      dbInstance: '/a',
      heartbeatIntervalMs: 50,
      heartbeatTimeoutMs: 2000,
      ...times,
    });
    const { lost } = this;
    const heard = (id: string, told: ArbiterView, lineages: Lineages): void => {
      this.lineages = lineages;
      this.heard(id, told);
    };
    this.link = new EtcdLink({ etcd, conf: this.#conf }, { heard, lost });
  }

  /** After a reload. */
  update(etcd: EtcdRegister | null): void {
    this.link.update({ etcd, conf: this.#conf });
  }

  async named(): Promise<Vote['cells']> {
    const told = await this.tell();
    if (!told) throw new Error(`no answer: ${this.seen.at(-1)}`);
    return [{ at: told.id, id: told.cell.id }];
  }
}

export const emptyDir = (): string => mkdtempSync(join(memory, 'etcd-copy-'));
