/**
 * The one home of the `ssh2` library: one TCP connection, checked, logged in, with one command on it.
 * In: a target, its login attempts, the judge of its host key. Out: streams, or an SshFailure that says how far it came;
 * what that means to a user is said in `ssh-errors.ts`.
 * Must never: log in before the host key was judged; try an attempt twice.
 */
import { type Socket, connect as tcpConnect } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  type AnyAuthMethod,
  type AuthHandlerMiddleware,
  BaseAgent,
  Client,
  type ClientChannel,
  type ConnectConfig,
  OpenSSHAgent,
  type ParsedKey,
  utils,
} from 'ssh2';
import type { DiagnosticError } from '../base/diagnostic.ts';
import type { ShellStreams } from './session.ts';
import type { Target } from './ssh-target.ts';

/** A private key that is ready to sign, or an identity that an agent holds. */
export type SigningKey =
  | { readonly kind: 'key'; readonly key: ParsedKey }
  | { readonly kind: 'agent'; readonly key: ParsedKey; readonly socket: string };

export type Attempt =
  | { readonly kind: 'publickey'; readonly label: string; readonly signer: SigningKey }
  | { readonly kind: 'password'; readonly label: string; readonly password: string }
  | { readonly kind: 'keyboard-interactive'; readonly label: string; readonly password: string };

/** How far a connection came before it failed. */
export type Phase = 'connect' | 'handshake' | 'login' | 'open';

export interface SshFailure {
  readonly phase: Phase;
  /** The system's or the library's error. */
  readonly error: NodeJS.ErrnoException;
  readonly timedOut: boolean;
  /** Labels of the attempts that were made. */
  readonly tried: readonly string[];
  /** What the server would still take, from its last refusal. */
  readonly allowed: readonly string[];
  /** Set when the host key was refused. */
  readonly hostKey?: DiagnosticError;
}

export interface SshConnection {
  /** Starts the command; everything of the session goes through its streams. */
  exec(command: string): Promise<ShellStreams>;
  /** A stream to another host, for the next hop. */
  forward(host: string, port: number): Promise<Duplex>;
  close(): Promise<void>;
  /** Says goodbye and does not wait for the answer. */
  leave(): void;
}

export interface SshOptions {
  readonly target: Target;
  /** The stream of an earlier hop; without it a TCP connection is made. */
  readonly through?: Duplex;
  readonly hostKeyAlgorithms: readonly string[];
  readonly checkHostKey: (key: Buffer) => DiagnosticError | undefined;
  /** Called when the host has proven that it owns the key. */
  readonly acceptedHostKey: (key: Buffer) => void;
  /** Made while the handshake runs. */
  readonly attempts: Promise<readonly Attempt[]>;
}

/** PAM may delay its answer to a wrong password for seconds; a login gets this much after the handshake. */
const loginPatienceMs = 30_000;
const closePatienceMs = 2000;

export type KeyFile =
  | { readonly kind: 'key'; readonly key: ParsedKey }
  | { readonly kind: 'locked' }
  | { readonly kind: 'unreadable'; readonly reason: string };

/** `locked`: it is encrypted and the passphrase is missing or wrong. */
export function parseKeyFile(bytes: Buffer, passphrase?: string): KeyFile {
  const parsed = passphrase === undefined ? utils.parseKey(bytes) : utils.parseKey(bytes, passphrase);
  // The declared type leaves out that one file may hold several keys.
  const key: unknown = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key instanceof Error) {
    const locked = /passphrase/i.test(key.message);
    return locked ? { kind: 'locked' } : { kind: 'unreadable', reason: key.message };
  }
  return (key as ParsedKey).isPrivateKey()
    ? { kind: 'key', key: key as ParsedKey }
    : { kind: 'unreadable', reason: 'it holds no private key' };
}

/** The public keys that an agent holds; none when there is no agent. */
export function agentKeys(socket: string | undefined): Promise<ParsedKey[]> {
  if (socket === undefined) return Promise.resolve([]);
  return new Promise((resolve) => {
    new OpenSSHAgent(socket).getIdentities((error, keys) => {
      const list = (error ? [] : (keys ?? [])) as ParsedKey[];
      resolve(list.filter((key) => !(key instanceof Error)));
    });
  });
}

/** An agent that knows one key only, so that each key is an attempt of its own. */
class OneKeyAgent extends BaseAgent<ParsedKey> {
  readonly #agent: OpenSSHAgent;
  readonly #key: ParsedKey;

  constructor(socket: string, key: ParsedKey) {
    super();
    this.#agent = new OpenSSHAgent(socket);
    this.#key = key;
  }

  override getIdentities(callback: (error?: Error | null, keys?: ParsedKey[]) => void): void {
    callback(null, [this.#key]);
  }

  override sign(...args: unknown[]): void {
    Reflect.apply(this.#agent.sign, this.#agent, args);
  }
}

function methodOf(attempt: Attempt, username: string): AnyAuthMethod {
  if (attempt.kind === 'password') return { type: 'password', username, password: attempt.password };
  if (attempt.kind === 'keyboard-interactive') {
    // Only the first hidden question can be the one for the password; a later one is for a code that nobody gives.
    let password = attempt.password;
    const answer = (echo: boolean | undefined) => {
      if (echo) return '';
      const given = password;
      password = '';
      return given;
    };
    return {
      type: 'keyboard-interactive',
      username,
      prompt: (_name, _instructions, _lang, prompts, finish) =>
        finish(prompts.map((prompt) => answer(prompt.echo))),
    };
  }
  const { signer } = attempt;
  return signer.kind === 'key'
    ? { type: 'publickey', username, key: signer.key }
    : { type: 'agent', username, agent: new OneKeyAgent(signer.socket, signer.key) };
}

function openSocket(target: Target): Socket {
  const family = target.family === undefined ? { autoSelectFamily: true } : { family: target.family };
  return tcpConnect({
    host: target.address,
    port: target.port,
    noDelay: true,
    keepAlive: true,
    autoSelectFamilyAttemptTimeout: 2500,
    ...family,
  });
}

/** What the connection has seen so far; becomes a failure when it ends. */
interface Progress {
  phase: Phase;
  readonly tried: string[];
  allowed: readonly string[];
  hostKey?: DiagnosticError;
}

/** The next attempt that the server takes, or false when there is none left. */
function nextAttempt(
  left: Attempt[],
  allowed: readonly string[] | null,
  progress: Progress,
): Attempt | false {
  if (allowed) progress.allowed = allowed;
  for (let attempt = left.shift(); attempt; attempt = left.shift()) {
    if (allowed && !allowed.includes(attempt.kind)) continue;
    progress.tried.push(attempt.label);
    return attempt;
  }
  return false;
}

const algorithms = {
  // Group exchange computes primes in plain JavaScript, which takes many seconds; it comes last.
  kex: [
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group14-sha256',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group18-sha512',
    'diffie-hellman-group-exchange-sha256',
  ],
  compress: ['none'],
} as const;

/** Hands the attempts to the library one by one, as soon as they are there. */
function loginHandler(
  options: SshOptions,
  progress: Progress,
  fail: (error: Error) => void,
): AuthHandlerMiddleware {
  let left: Attempt[] | undefined;
  return (allowed, _partial, next) => {
    const go = (attempts: Attempt[]) => {
      const attempt = nextAttempt(attempts, allowed, progress);
      // The library takes `false` for "no more"; its types do not say so.
      next((attempt ? methodOf(attempt, options.target.user) : false) as AnyAuthMethod);
    };
    if (left) return go(left);
    const begin = (attempts: readonly Attempt[]) => {
      left = [...attempts];
      go(left);
    };
    options.attempts.then(begin, fail);
  };
}

/** The host key is judged before anything is said to the host; the end of the handshake proves that the host owns it. */
function hostVerifier(client: Client, options: SshOptions, progress: Progress): (key: Buffer) => boolean {
  return (key) => {
    const refused = options.checkHostKey(key);
    if (refused) progress.hostKey = refused;
    else client.once('handshake', () => options.acceptedHostKey(key));
    return refused === undefined;
  };
}

function clientConfig(
  client: Client,
  socket: Duplex,
  options: SshOptions,
  progress: Progress,
  fail: (error: Error) => void,
): ConnectConfig {
  const { user, keepalive } = options.target;
  return {
    sock: socket,
    username: user,
    readyTimeout: 0,
    keepaliveInterval: keepalive.intervalMs,
    keepaliveCountMax: keepalive.count,
    algorithms: {
      kex: [...algorithms.kex],
      compress: [...algorithms.compress],
      serverHostKey: [...options.hostKeyAlgorithms] as 'ssh-ed25519'[],
    },
    hostVerifier: hostVerifier(client, options, progress),
    authHandler: loginHandler(options, progress, fail),
  };
}

/** One timer that is set anew for each phase. */
function deadline(late: () => void) {
  let timer: NodeJS.Timeout | undefined;
  const end = () => clearTimeout(timer);
  const begin = (ms: number) => {
    end();
    timer = setTimeout(late, ms);
  };
  return { begin, end };
}

/** Connects, checks the host and logs in. Rejects with an SshFailure, never with a bare error. */
export function connectSsh(options: SshOptions): Promise<SshConnection> {
  const { target, through } = options;
  const client = new Client();
  const socket = through ?? openSocket(target);
  const progress: Progress = { phase: through ? 'handshake' : 'connect', tried: [], allowed: [] };
  return new Promise((resolve, reject) => {
    let settled = false;
    const patience = deadline(() => fail(new Error('timeout'), true));
    const fail = (error: Error, timedOut = false) => {
      if (settled) return;
      settled = true;
      patience.end();
      client.destroy();
      socket.destroy();
      const failure: SshFailure = { ...progress, error, timedOut };
      reject(failure);
    };
    patience.begin(target.connectTimeoutMs);
    // A key file that cannot be used needs no host to say so.
    options.attempts.catch(fail);
    socket.once('connect', () => {
      progress.phase = 'handshake';
    });
    client.once('handshake', () => {
      progress.phase = 'login';
      patience.begin(Math.max(loginPatienceMs, target.connectTimeoutMs));
    });
    client.on('error', (error: Error & { level?: string }) => {
      // An agent that does not sign is one refused attempt; the library goes on with the next.
      if (error.level !== 'agent') fail(error);
    });
    client.on('close', () => fail(new Error('the host closed the connection')));
    client.once('ready', () => {
      settled = true;
      patience.end();
      resolve(connectionOf(client, target));
    });
    client.connect(clientConfig(client, socket, options, progress, fail));
  });
}

function connectionOf(client: Client, target: Target): SshConnection {
  let reason = 'the host closed the connection';
  const silenceSeconds = Math.round((target.keepalive.intervalMs * (target.keepalive.count + 1)) / 1000);
  client.on('error', (error: Error & { level?: string }) => {
    reason = error.level === 'client-timeout' ? `no answer for ${silenceSeconds} s` : error.message;
  });
  const gone = new Promise<void>((resolve) => client.once('close', () => resolve()));
  const close = async () => {
    client.end();
    const timer = setTimeout(() => client.destroy(), closePatienceMs);
    await gone;
    clearTimeout(timer);
  };
  const leave = () => {
    client.end();
    // What was written is on its way by then.
    setImmediate(() => client.destroy());
  };
  return {
    close,
    leave,
    forward: (host, port) => forwardOn(client, host, port),
    exec: (command) => {
      const lost = gone.then(() => reason);
      return execOn(client, command, (channel) => streamsOf(channel, lost, close, leave));
    },
  };
}

/** The channel is listened to at once: its end may stand in the same packet as its beginning. */
const execOn = <T>(client: Client, command: string, listen: (channel: ClientChannel) => T): Promise<T> =>
  new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => (error ? reject(error) : resolve(listen(channel))));
  });

const forwardOn = (client: Client, host: string, port: number): Promise<Duplex> =>
  new Promise((resolve, reject) => {
    client.forwardOut('127.0.0.1', 0, host, port, (error, stream) =>
      error ? reject(error) : resolve(stream),
    );
  });

function streamsOf(
  channel: ClientChannel,
  lost: Promise<string>,
  close: () => Promise<void>,
  leave: () => void,
): ShellStreams {
  let exit = '';
  channel.on('exit', (status: number | null, signal?: string) => {
    exit = status === null ? (signal ?? 'a signal') : `exit status ${status}`;
  });
  // After the loss of the connection the channel closes too; the connection knows the reason better.
  const ended = new Promise<string>((resolve) => {
    channel.once('close', () =>
      setImmediate(() => resolve(exit === '' ? 'the shell ended' : `the shell ended (${exit})`)),
    );
  });
  const gone = Promise.race([lost, ended]);
  return {
    stdin: channel,
    stdout: channel,
    stderr: channel.stderr as ShellStreams['stderr'],
    gone,
    leave() {
      channel.end();
      leave();
    },
    // The shell ends its group when the input ends; waiting for that means that the lock is free afterwards.
    async close() {
      channel.end();
      const patience = new Promise<void>((resolve) => setTimeout(resolve, closePatienceMs).unref());
      await Promise.race([gone, patience]);
      await close();
    },
  };
}
