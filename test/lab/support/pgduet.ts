/**
 * Runs the built pgduet as its users do: arguments, an environment, exit status and two streams, in a process that has nothing else to
 * do. In: arguments. Out: what the process said. It must never read this machine's ~/.ssh, and never call pgduet's
 * functions directly.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { Lab } from '../harness/lab.ts';
import { run } from '../harness/run.ts';
import { runWarm } from './warm.ts';

const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
const program = join(root, 'dist', 'pgduet.js');

/** Makes sure that there is something to run; `npm test` has built it already. */
export function built(): void {
  if (existsSync(program)) return;
  const result = spawnSync(process.execPath, [join(root, 'scripts', 'build.mjs')], { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`scripts/build.mjs failed:\n${result.stderr}`);
}

/** All that decides what a provisioning makes of a host, as one text: the programs, the playbooks, the templates. */
export function programText(): string {
  const hash = createHash('sha256');
  const paths = ['dist', 'playbooks', 'templates'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  );
  for (const path of paths.sort())
    if (statSync(join(root, path)).isFile()) hash.update(`${path}\n`).update(readFileSync(join(root, path)));
  return hash.digest('hex');
}

export interface Said {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Both streams, for messages of failed tests. */
  readonly all: string;
  json<T>(): T;
}

/** What `--json` prints for verbs with a plan. */
export interface RunDocument {
  readonly exit: number;
  readonly primary: string | null;
  readonly left_alone: readonly { readonly server: string; readonly by: string; readonly reason: string }[];
  readonly plan: readonly PlanEntry[];
  readonly changed: readonly unknown[];
  readonly round_trips: Readonly<Record<string, number>>;
  readonly diagnostics: readonly { readonly code: string }[];
}

export interface PlanEntry {
  readonly host: string;
  readonly resource: string;
  readonly state: 'change' | 'deferred' | 'degraded' | 'refused' | 'unseen';
  /** Of a deferred one: what is foretold. */
  readonly expect?: 'change' | 'same';
  /** It only waits for something, and changes nothing. */
  readonly waits?: boolean;
  readonly summary?: string;
  readonly reason?: string;
  readonly diff?: readonly string[];
}

/** One finding of `check --json`. */
/** A command that a message advises. */
export interface CommandData {
  readonly on: string | null;
  readonly as: string | null;
  readonly run: string;
  readonly only_if: string | null;
}

export interface Reported {
  readonly code: string;
  readonly severity: string;
  readonly host: string | null;
  readonly object: string;
  readonly what: string;
  readonly declared: string | null;
  readonly found: string | null;
  readonly source: string | null;
  readonly since: string | null;
  readonly consequence: string;
  readonly mended_by: string;
  readonly mend: string;
  readonly commands: readonly CommandData[];
}

export interface CheckedHost {
  readonly server: string;
  readonly role: string;
  readonly reached: boolean;
  readonly round_trips: number;
}

/** What `check --json` prints. */
export interface CheckDocument {
  readonly exit: number;
  readonly clusters: readonly {
    readonly cluster: string;
    readonly primary: string | null;
    readonly preferred_primary: string;
    readonly hosts: readonly CheckedHost[];
    readonly findings: readonly Reported[];
  }[];
}

export const findingsOf = (document: CheckDocument): readonly Reported[] =>
  document.clusters.flatMap(({ findings }) => findings);

/** What `status --json` prints. */
export interface StatusDocument {
  readonly primary: string | null;
  readonly preferred_primary: string;
  readonly problem: string | null;
  readonly servers: readonly StatusServer[];
  readonly clients: { readonly read_write: string; readonly prefer_standby: string };
}

export interface StatusServer {
  readonly commands: readonly CommandData[];
  readonly server: string;
  readonly role: string;
  readonly preferred_role: string;
  readonly state: string;
  readonly controller: string;
  readonly timeline: number | null;
  readonly lsn: string | null;
  /** It does not run, and may hold more than that. */
  readonly at_least: boolean;
  readonly lag_bytes: number | null;
  readonly lag_seconds: number | null;
  readonly sync_state: string | null;
  readonly maintenance: { readonly by: string; readonly overdue: boolean; readonly reason: string } | null;
}

export type Pgduet = (
  args: readonly string[],
  environment?: Readonly<Record<string, string>>,
) => Promise<Said>;

let alone = 0;

/** While this works, each run of pgduet is a process that starts for it, as of `Run` and on an operator's machine. */
export async function inOwnProcesses<T>(work: () => Promise<T>): Promise<T> {
  alone += 1;
  try {
    return await work();
  } finally {
    alone -= 1;
  }
}

/**
 * The program in the hands of a person of this lab, whose home directory is the lab's own. Its process has mostly served a run before, and
 * is looked at when a run has ended; what is about processes themselves asks for `Run` or `inOwnProcesses`.
 * `timeoutMs`: a run that takes longer is ended with status 128.
 */
export function pgduet(lab: Lab, timeoutMs = 75_000): Pgduet {
  const home = join(lab.dir, 'home');
  mkdirSync(home, { recursive: true, mode: 0o700 });
  return async (args, environment = {}) => {
    const clean = { PATH: process.env.PATH ?? '', HOME: home, LANG: 'C.UTF-8', TMPDIR: '/tmp' };
    const options = { env: { ...clean, ...environment }, timeoutMs };
    // Node reads its own options when it starts.
    const own = alone > 0 || 'NODE_OPTIONS' in environment;
    const result = await (own
      ? run(process.execPath, [program, ...args], options)
      : runWarm(program, { args, ...options }));
    const all = `${result.stdout}${result.stderr}`;
    return { ...result, all, json: <T>() => JSON.parse(result.stdout) as T };
  };
}

/** Asserts on the exit status and shows all that was said when it is another one. */
export function expectExit(said: Said, status: number): void {
  expect(said.status, `exit status; pgduet said:\n${said.all}`).toBe(status);
}
