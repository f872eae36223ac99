/**
 * The life of the PostgreSQL server of this host: start it, stop it. In: the data directory. No process is ever signalled but
 * the postmaster of that directory, and what has outlived it there.
 */
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { environmentFile, parseEnvironment } from '../../base/environment-file.ts';
import { binDirCandidates, majorVersion } from '../../postgres/bindirs.ts';
import { runConfigured } from './commands.ts';
import type { Configuration } from './configuration.ts';
import { passLocks } from './lock-files.ts';
import { findPostmaster, processesIn, readOrNull } from './postmaster.ts';
import { outputOf, sendSignal, startProgram, thereAlways } from './processes.ts';
import { type LogMark, markServerLog, serverLogSince } from './server-log.ts';
import { endWalsenders } from './walsenders.ts';
import { isThere } from './whole-file.ts';

const pollMs = 15;
const forceAfterMs = 10_000;
const killAfterMs = 5000;
const sendersAgainMs = 1000;
const orphansMs = 2000;

export const isStandby = (dataDir: string): boolean => isThere(join(dataDir, 'standby.signal'));

/** The program `postgres` that fits the data directory, or why there is none. Where a directory is declared, no other one counts. */
export async function findServerProgram(
  dataDir: string,
  binDir?: string,
): Promise<{ path: string } | { why: string }> {
  const text = await readOrNull(readFile(join(dataDir, 'PG_VERSION'), 'utf8'));
  const version = text === null ? undefined : majorVersion(text);
  if (version === undefined)
    return {
      why: `${dataDir} is no data directory: PG_VERSION is missing (is its disk mounted? where no data were made yet: pgduet provision, or migrate)`,
    };
  if (binDir !== undefined) return declaredProgram(binDir, version);
  const candidates = binDirCandidates(version, process.env.PATH);
  const path = candidates.map((dir) => join(dir, 'postgres')).find((file) => fits(file, version));
  return path
    ? { path }
    : { why: `PostgreSQL ${version} is not in ${candidates.slice(0, 3).join(', ')} or PATH` };
}

function declaredProgram(binDir: string, version: number): { path: string } | { why: string } {
  const path = join(binDir, 'postgres');
  if (!existsSync(path)) return { why: `PostgreSQL ${version} is not in ${binDir} (postgres_bin_dir)` };
  const found = versionOf(path);
  return found === version
    ? { path }
    : {
        why: `${path} (postgres_bin_dir) is PostgreSQL ${found instanceof Error ? `of an unknown version (${found.message})` : (found ?? 'of an unknown version')}, the data is of ${version}`,
      };
}

function fits(file: string, version: number): boolean {
  if (!existsSync(file)) return false;
  // A directory that carries the version in its name needs no proof; asking costs a process.
  if (file.includes(`postgresql/${version}/`) || file.includes(`pgsql-${version}/`)) return true;
  return versionOf(file) === version;
}

function versionOf(program: string): number | Error | undefined {
  const said = outputOf(program, ['--version']);
  return said instanceof Error ? said : majorVersion(said);
}

/**
 * PostgreSQL talks to systemd itself when it finds these; the unit would then follow it instead of the controller. What the server
 * was given before it was multiplexed stands in a file: commands of its configuration may need it.
 */
async function instanceEnvironment(
  file: string | undefined,
): Promise<{ readonly env: NodeJS.ProcessEnv } | { readonly why: string }> {
  const { NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID, ...rest } = process.env;
  const text = file === undefined ? null : await readOrNull(readFile(file, 'utf8'));
  const own = parseEnvironment(text ?? '');
  return own ? { env: { ...rest, ...own } } : { why: `${file} holds a line that is not NAME="value"` };
}

/** What may change while the controller runs, asked for at each start. */
export interface Surroundings {
  /** Of its programs, where that is declared. */
  readonly binDir?: string | undefined;
  /** What its environment has besides the controller's; it need not be there. */
  readonly environmentFile?: string | undefined;
  /** Opens keystores before each start: its line, what it is told, and how long it may take. */
  readonly unlock?: { readonly line: string; readonly told: readonly string[]; readonly limitMs: number };
}

export const surroundingsOf = ({
  conf,
  dir,
  self,
}: Pick<Configuration, 'conf' | 'dir' | 'self'>): Surroundings => ({
  binDir: conf.postgresBinDir,
  environmentFile: environmentFile({ managementDir: dir, id: self.id }),
  ...(conf.unlockCommand === undefined
    ? {}
    : {
        unlock: {
          line: conf.unlockCommand,
          told: [self.id, conf.dbInstance],
          limitMs: conf.unlockCommandTimeoutMs,
        },
      }),
});

/** Null: what had to be opened is open. What the command prints may be what opens it, so that nobody reads it. */
async function unlockFailure(
  { line, told, limitMs }: NonNullable<Surroundings['unlock']>,
  env: NodeJS.ProcessEnv,
): Promise<string | null> {
  const { ok, why } = await runConfigured(line, told, limitMs, { env, silent: true });
  return ok
    ? null
    : `unlock_command, which has to come before each start, failed (${why}); what it prints is not kept. Run it by hand as this user to see it`;
}

export type StopMode = 'fast' | 'limited' | 'forced' | 'immediate';

export interface StopTimes {
  /** After so long in a shutdown, walsenders of others are ended. */
  readonly sendersMs: number;
  /** After so long a limited stop becomes an immediate one. */
  readonly limitMs: number;
}

const stopTimes: StopTimes = { sendersMs: 10_000, limitMs: 60_000 };

/** The life of one instance as this controller controls it. */
export class Instance {
  readonly #dataDir: string;
  readonly #startupLog: string;
  readonly #onExit: () => void;
  #child: ChildProcess | null = null;
  #forced = false;
  #stopping: Promise<string | null> | null = null;
  #endedSenders: readonly number[] = [];
  readonly #times: StopTimes;
  readonly #surroundings: () => Surroundings;

  /** `onExit` is called at once when a postmaster that was started here ends. */
  constructor(
    dataDir: string,
    startupLog: string,
    onExit: () => void = () => undefined,
    surroundings: () => Surroundings = () => ({}),
    times: StopTimes = stopTimes,
  ) {
    this.#times = times;
    this.#surroundings = surroundings;
    this.#onExit = onExit;
    this.#dataDir = dataDir;
    this.#startupLog = startupLog;
  }

  /** Starts the postmaster and waits until it takes connections. Null when it does, otherwise why not. */
  async start(): Promise<string | null> {
    const { binDir, environmentFile, unlock } = this.#surroundings();
    const program = await findServerProgram(this.#dataDir, binDir);
    if ('why' in program) return program.why;
    const environment = await instanceEnvironment(environmentFile);
    if ('why' in environment) return environment.why;
    const locked = unlock === undefined ? null : await unlockFailure(unlock, environment.env);
    if (locked !== null) return locked;
    await passLocks(program.path, this.#dataDir);
    const mark = await markServerLog(this.#dataDir);
    let ended: string | null = null;
    // What never ran does not end either.
    const child = this.#spawn(program.path, environment.env, (error) => {
      ended = error.message;
      this.#child = null;
    });
    this.#child = child ?? null;
    child?.on('exit', (code, signal) => {
      ended = `postgres ended with ${signal ?? `exit status ${code}`}`;
      this.#child = null;
      this.#onExit();
    });
    for (let waited = 0; ended === null; waited += pollMs) {
      const status = (await findPostmaster(this.#dataDir))?.status;
      if (status === 'ready' || status === 'standby') return null;
      // Recovery may take minutes; then looking less often is enough.
      await sleep(waited < 5000 ? pollMs : 200);
    }
    return `${ended}: ${await this.#lastLines(mark)}`;
  }

  #spawn(program: string, env: NodeJS.ProcessEnv, failed: (error: Error) => void): ChildProcess | undefined {
    const output = this.#openLog();
    try {
      // Detached: the instance must outlive a controller that crashes, and not get its terminal's signals.
      const stdio: SpawnOptions['stdio'] = ['ignore', output, output];
      const options: SpawnOptions = { stdio, detached: true, env, cwd: thereAlways };
      return startProgram(program, ['-D', this.#dataDir], options, failed);
    } finally {
      if (output !== 'ignore') closeSync(output);
    }
  }

  /** Where its directory is gone the instance starts all the same. */
  #openLog(): number | 'ignore' {
    try {
      return openSync(this.#startupLog, 'w', 0o600);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'ignore';
      throw error;
    }
  }

  async #lastLines(mark: LogMark): Promise<string> {
    const text = (await readOrNull(readFile(this.#startupLog, 'utf8'))) ?? '';
    const lines = text.trim().split('\n').slice(-3);
    const log = await serverLogSince(this.#dataDir, mark);
    return [`${lines.join(' | ').slice(0, 600)} (${this.#startupLog})`, ...log].join('; ');
  }

  /**
   * fast: without a limit, a shutdown checkpoint takes as long as it takes. limited: becomes an immediate shutdown after
   * 60 s. forced: becomes one after 10 s and gives up after 20 s; a second call can add the force. immediate: without a
   * checkpoint, and killed when not even that works. After 10 s walsenders other than `ours` are ended, if those are known.
   * Null when it has stopped.
   */
  stop(mode: StopMode, ours: readonly number[] | null = null): Promise<string | null> {
    this.#forced ||= mode === 'forced';
    const stopped = (): Promise<string | null> =>
      mode === 'immediate' ? this.#kill() : this.#stop(mode === 'limited', ours);
    this.#stopping ??= stopped()
      .then((failure) => failure ?? this.#killOrphans())
      .finally(() => {
        this.#stopping = null;
        this.#forced = false;
      });
    return this.#stopping;
  }

  /**
   * A process that does not notice that its postmaster is gone, as one that was stopped (SIGSTOP), keeps the next one from starting.
   * One that not even SIGKILL ends holds nothing up here: a proof says that it is there.
   */
  async #killOrphans(): Promise<null> {
    for (let waited = 0; waited < orphansMs; waited += pollMs) {
      const orphans = await processesIn(this.#dataDir);
      if (orphans.length === 0 || (await findPostmaster(this.#dataDir)) !== null) return null;
      for (const pid of orphans) sendSignal(pid, 'SIGKILL');
      await sleep(pollMs);
    }
    return null;
  }

  /** Walsenders that the last stop has ended, because they held it up. */
  get endedSenders(): readonly number[] {
    return this.#endedSenders;
  }

  async #stop(limited: boolean, ours: readonly number[] | null): Promise<string | null> {
    this.#endedSenders = [];
    await this.#signal('SIGINT');
    const began = performance.now();
    let sendersAt = this.#times.sendersMs;
    let forcedForMs = 0;
    let immediateAt = Number.POSITIVE_INFINITY;
    for (;;) {
      if (this.#child === null && (await findPostmaster(this.#dataDir)) === null) return null;
      await sleep(pollMs);
      const passed = performance.now() - began;
      if (ours && passed >= sendersAt) {
        sendersAt = passed + sendersAgainMs;
        await this.#endSenders(ours);
      }
      if (this.#forced) forcedForMs += pollMs;
      const isOver = forcedForMs >= forceAfterMs || (limited && passed >= this.#times.limitMs);
      if (isOver && passed < immediateAt) {
        immediateAt = passed;
        await this.#signal('SIGQUIT');
      }
      if (passed - immediateAt >= forceAfterMs) return 'it is still there after an immediate shutdown';
    }
  }

  /** One that is told to end tells its receiver so, and waits for that; told a second time it does not wait. */
  async #endSenders(keep: readonly number[]): Promise<void> {
    const pid = (await findPostmaster(this.#dataDir))?.pid;
    const told = pid === undefined ? [] : await endWalsenders(pid, keep);
    this.#endedSenders = [...new Set([...this.#endedSenders, ...told])];
  }

  async #kill(): Promise<string | null> {
    await this.#signal('SIGQUIT');
    let killed = false;
    const begin = performance.now();
    const waited = (): number => performance.now() - begin;
    while (waited() < 2 * killAfterMs) {
      if (this.#child === null && (await findPostmaster(this.#dataDir)) === null) return null;
      await sleep(pollMs);
      if (killed || waited() < killAfterMs) continue;
      killed = true;
      await this.#signal('SIGKILL');
    }
    return 'it is still there after SIGKILL';
  }

  async #signal(name: 'SIGINT' | 'SIGQUIT' | 'SIGKILL'): Promise<void> {
    const pid = (await findPostmaster(this.#dataDir))?.pid ?? this.#child?.pid;
    const sent = pid === undefined ? 'gone' : sendSignal(pid, name);
    // Nobody waits for the end of what was never asked to end.
    if (sent instanceof Error) throw new Error(`process ${pid}: ${sent.message}`);
  }
}
