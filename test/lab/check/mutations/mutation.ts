/**
 * The words of the table of mutations: what a person or an accident does to a provisioned pair, what `pgduet check` has to
 * tell of it, and who mends it. Data for the lab test beside this directory and for the table in docs/check.md.
 */
import type { Code } from '../../../../src/base/codes.ts';
import type { FindingCode } from '../../../../src/base/finding-codes.ts';
import type { Severity } from '../../../../src/base/findings/rule.ts';

export type Place = 'primary' | 'standby' | 'both';

/** In texts `$D`, `$M`, `$ID`, `$UNIT`, `$PEER` and `$PEER_ADDRESS` are those of the host; see `shell.ts`. */
export interface Expected {
  readonly code: FindingCode | Code;
  readonly severity: Severity;
  readonly object: string | RegExp;
  /** Where it is reported; absent: where it was broken. */
  readonly host?: Place | 'cluster';
  readonly declared?: string | RegExp;
  readonly found?: string | RegExp;
  readonly source?: string | RegExp;
  readonly what?: string | RegExp;
  readonly mend?: string | RegExp;
  /** Absent: as the mutation says. */
  readonly mendedBy?: 'provision' | 'person';
}

/** What the mending may touch on the host, from the least: a controller or PostgreSQL reads its files, or is restarted. */
export const costs = ['nothing', 'reload', 'controller', 'restart'] as const;
export type Cost = (typeof costs)[number];

export type Mended =
  | { readonly by: 'provision'; readonly costs: Cost }
  /** `undo` is what the message says, done literally: shell on the same hosts, or a command of pgduet on this machine. `costs`: of the provision that ends the round. */
  | { readonly by: 'person'; readonly undo: string; readonly costs?: Cost };

export interface Mutation {
  /** Completes "somebody or something ...", in the past: "has changed the mode of cluster.key". */
  readonly title: string;
  readonly on: Place;
  /** Shell, as root on the host; `shell.ts` says which words it knows. */
  readonly break: string;
  readonly expect: readonly Expected[];
  /** What may be reported besides, because it follows from it. */
  readonly also?: readonly Expected[];
  readonly mended: Mended;
  /** What the mending may touch on the other server, whose controller takes this one in again. */
  readonly peer?: Cost;
  /** Shell on the same hosts, after the provision: what a note has asked of a person. */
  readonly afterwards?: string;
  /** Shell on the same hosts, after the last check: remains that matter to nobody. */
  readonly sweep?: string;
}

/** Mutations that are broken together, told each by itself, and mended by one run. */
export interface Round {
  readonly title: string;
  readonly mutations: readonly Mutation[];
}

type More = Omit<Expected, 'code' | 'severity' | 'object'>;
type Say = (code: Expected['code'], object: Expected['object'], more?: More) => Expected;
const told =
  (severity: Severity): Say =>
  (code, object, more = {}) => ({ code, severity, object, ...more });

export const danger = told('danger');
export const degraded = told('degraded');
export const drift = told('drift');
export const unknown = told('unknown');
export const note = told('note');

export const provision = (cost: Cost): Mended => ({ by: 'provision', costs: cost });
export const person = (undo: string, cost: Cost = 'nothing'): Mended => ({ by: 'person', undo, costs: cost });
