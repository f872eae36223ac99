/**
 * The contract of a resource kind: the whole knowledge of one thing that can be declared.
 * A kind is pure: no I/O, no clock, no randomness. It says how to look (`probe`, `read`), what differs (`diff`)
 * and how to make it so (`steps`); the engine does the looking and the doing.
 * Laws, run as tests for every kind: after its steps `diff` says "same"; a probe changes nothing on the host.
 */
import type { Command } from '../../base/command.ts';
import type { Diagnostic } from '../../base/diagnostic.ts';
import type { FindingCode } from '../../base/finding-codes.ts';
import type { Fields } from './fields.ts';

export type { Instance, ParseContext } from './context.ts';

/** Read-only questions to a host. Shell text runs as root (or the login user); SQL as the administrator. */
export interface Probe {
  /** POSIX shell; may use the functions of `preamble.ts`. Its exit status and output come back. */
  readonly shell?: string;
  /** A path whose line of `stat.ts` comes back as the first line. All paths of a host are asked by one program. */
  readonly stat?: string;
  /** A path whose line of sha256sum comes back behind that, if it is a file. One program for all of them, too. */
  readonly sum?: string;
  /** One query that returns one row with one JSON value. */
  readonly sql?: string;
}

export interface ProbeReply {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The JSON value of the query; undefined when it could not be asked, and `sqlProblem` says why. */
  readonly sql?: unknown;
  readonly sqlProblem?: string;
}

/** What was seen. "Could not look" is never "absent". */
export type Observed<O> =
  | { readonly state: 'present'; readonly value: O }
  | { readonly state: 'absent' }
  | { readonly state: 'unknown'; readonly reason: string };

/** What a change asks of a running thing. Merged to one per target and batch; a restart includes a reload. */
export interface Effect {
  readonly action: 'reload' | 'restart';
  readonly target: 'instance' | 'controller' | 'systemd';
  /** On one server after the other, the primary last, as every restart of an instance. */
  readonly inTurn?: true;
}

/** One thing that is not as declared, as `pgduet check` tells it. Never holds a secret. */
export interface Difference {
  readonly code: FindingCode;
  /** What it is about: a path, a setting, a role. */
  readonly object: string;
  readonly declared: string;
  readonly found: string;
  /** Where what was found comes from: "/database/inst1/postgresql.auto.conf:3", "the command line". */
  readonly source?: string;
  /** Since when, as far as that can be seen; seconds since 1970. */
  readonly since?: number;
  /** In place of what the code says: what a person does about it; 'provision' where the next run repairs it after all. */
  readonly repair?: string;
  /** The commands that `repair` names. */
  readonly commands?: readonly Command[];
}

/** All that is needed to remove one or more differences of a resource. */
export interface Change {
  /** "create directory /database/inst1 (postgres:postgres 0700)" */
  readonly summary: string;
  /** Why, from what was seen: "it is not there". */
  readonly reason: string;
  /** Before and after as text, for a diff. No secret of ours; those of others are withheld by `report/diff.ts`. */
  readonly text?: { readonly before: string; readonly after: string; readonly name: string };
  readonly effects?: readonly Effect[];
  /** What a person should know before saying yes; a sentence each. Never holds a secret. */
  readonly notes?: readonly string[];
  /** What differs, one by one; also what these steps do not repair. Without it the summary says it all. */
  readonly differences?: readonly Difference[];
}

export type Verdict<C extends Change = Change> =
  /** Nothing to do from here; `differences` are up to a person. */
  | { readonly kind: 'same'; readonly reason: string; readonly differences?: readonly Difference[] }
  | { readonly kind: 'change'; readonly change: C }
  /** Not as it should be, and up to the controller or a person: no step of ours may repair it. The rest is done. */
  | {
      readonly kind: 'degraded';
      readonly diagnostic: Diagnostic;
      readonly differences?: readonly Difference[];
    }
  /** Making it so could destroy data or cannot work: the plan as a whole is refused with this message. */
  | { readonly kind: 'refuse'; readonly diagnostic: Diagnostic };

/** Exit status of a step that found what it builds on changed since it was looked at: nothing is done, and it is looked at anew. */
export const outdated = 75;

/** Shell text that makes one thing so. Runs under `set -e` with the functions of `preamble.ts`. */
export interface Step {
  readonly title: string;
  readonly script: string;
  /** What has changed where it ends as `outdated`, in words: "the controller is at work". Without it no step may end so. */
  readonly outdated?: string;
  /** Reads a progress line from stderr, if the step writes any. */
  readonly progress?: (line: string) => Progress | undefined;
}

export type Progress =
  | { readonly doneBytes: number; readonly totalBytes: number }
  /** What a step that only waits is told meanwhile. Never holds a secret. */
  | { readonly meanwhile: string };

export interface ResourceKind<D, O, C extends Change = Change> {
  readonly kind: string;
  /** One sentence for the reference. */
  readonly summary: string;
  /** What a playbook may say of it, and what becomes of that. */
  readonly fields: Fields<D>;
  /** What tells two resources of this kind on one host apart, for example the path. */
  key(desired: D): string;
  /** A few words for a plan that cannot be decided yet: "role repl". */
  describe(desired: D): string;
  probe(desired: D): Probe;
  read(reply: ProbeReply, desired: D): Observed<O>;
  diff(desired: D, observed: Exclude<Observed<O>, { state: 'unknown' }>): Verdict<C>;
  steps(change: C, desired: D): readonly Step[];
  /**
   * What a host is asked before a planned change is shown: whether it can do what the change leads to. It costs a round trip, so that it
   * is asked once, with the first plan; without it there is nothing to ask.
   */
  tries?(change: C, desired: D): Probe | undefined;
  /** Why the change cannot be made: the plan as a whole is refused with this. */
  objection?(reply: ProbeReply, change: C, desired: D): Diagnostic | undefined;
  /**
   * A file whose text, as it was seen, the steps build on. Two changes of one batch never build on the same one:
   * the second waits for a new look.
   */
  touches?(desired: D): string;
  /** The path of what it looks at, for a kind that may look inside a directory that another one makes. */
  inside?(desired: D): string;
  /** A directory whose content its change makes anew: what was seen inside before says nothing. */
  renews?(desired: D): string;
  /** The directory from which runs what it is about: while that is made anew nothing runs there. */
  runsFrom?(desired: D): string;
  /** True for a kind whose steps only wait for something: an old look is as good as a new one. */
  readonly waits?: boolean;
  /** True for a kind whose steps look themselves whether they are needed still: what an early look finds is as good as a late one. */
  readonly looksAgain?: boolean;
  /** True for a kind whose steps change who is primary: whatever was seen before, on any host, says nothing any more. */
  readonly movesRoles?: boolean;
}

/** A kind whose types are known only to itself; the engine passes its own values back to it. */
export type AnyKind = ResourceKind<unknown, unknown, Change>;

/** Forgets the types of a kind for the registry. The engine never mixes the values of two kinds. */
export function anyKind<D, O, C extends Change>(kind: ResourceKind<D, O, C>): AnyKind {
  return kind as unknown as AnyKind;
}

export const present = <O>(value: O): Observed<O> => ({ state: 'present', value });
export const absent = { state: 'absent' } as const;
export const unknown = (reason: string) => ({ state: 'unknown', reason }) as const;
export const same = (reason: string, differences: readonly Difference[] = []) =>
  ({ kind: 'same', reason, ...(differences.length > 0 ? { differences } : {}) }) as const;
export const degraded = (diagnostic: Diagnostic, differences: readonly Difference[] = []) =>
  ({ kind: 'degraded', diagnostic, ...(differences.length > 0 ? { differences } : {}) }) as const;
export const refuse = (diagnostic: Diagnostic) => ({ kind: 'refuse', diagnostic }) as const;
export const change = <C extends Change>(value: C) => ({ kind: 'change', change: value }) as const;
