/**
 * A simulated host: an instance, perhaps a controller, the state file, and what somebody has in mind for it.
 * In: nothing; these are words. Plain data, changed only by the modules of this folder.
 */
import type { ServerLine } from '../../src/controller/config.ts';
import type { Action } from '../../src/controller/core/action.ts';
import type { CheckOutcome, Happening } from '../../src/controller/core/event.ts';
import type { Persisted, State } from '../../src/controller/core/state.ts';
import type { Turns } from '../../src/controller/turns.ts';
import { type Core, presentCore } from './core.ts';
import type { SimDuty } from './duties.ts';
import { type Instance, newInstance } from './instance.ts';
import type { Unlike } from './unlike.ts';

/** What fails in the middle of an action, so long after it begins for the n-th time. */
export interface Doom {
  readonly action: Action['kind'];
  readonly what: 'host' | 'instance';
  times: number;
  readonly afterMs: number;
  readonly backMs: number;
}

/** Which clocks show a pause: SIGSTOP, a suspended host, a virtual machine that its hypervisor has stopped. */
export type Shown = 'every clock' | 'boot and wall' | 'wall';

export interface Host {
  readonly id: string;
  readonly line: ServerLine;
  readonly instance: Instance;
  up: boolean;
  frozen: boolean;
  /** When it froze last, and which clocks went on meanwhile. */
  frozenAt: number;
  shownBy: Shown;
  /** What its clocks have missed since it was booted. */
  missed: { monotonic: number; sinceBoot: number };
  /** Work that came while the host was frozen. */
  queue: (() => void)[];
  /** What it may do, as its file says. */
  duty: SimDuty;
  /** How it differs from the others. */
  unlike: Unlike;
  /** What its controller judges with, from its next start on. */
  core: Core;
  /** Null while no controller runs. */
  turns: Turns | null;
  readonly state: State | null;
  /** The controller alone stands still; what happens to it waits here. */
  paused: boolean;
  inbox: Happening[];
  incarnation: number;
  /** The state file, whether it is torn, and whether there is room for a new one. */
  file: Persisted | null;
  torn: boolean;
  full: boolean;
  wallOffset: number;
  bootedAt: number;
  /** When it last went on after it had stood still. */
  thawedAt: number;
  /** The controller is killed before this many more actions are done. */
  crashAfter: number | null;
  doom: Doom | null;
  /** When a tick between the usual ones comes. */
  hasteAt: number | null;
  /** How much older WAL must be before this standby has received it. */
  lagMs: number;
  /** A clean shutdown takes so much longer. */
  stopsMs: number;
  /** The last answer of the instance, as long as nothing in it has changed. */
  seen: Extract<CheckOutcome, { kind: 'answer' }> | null;
}

export function newHost(line: ServerLine): Host {
  const primary = line.id === 'server1';
  return {
    id: line.id,
    line,
    instance: newInstance(line.id, primary ? 'primary' : 'standby', primary ? null : 'server1'),
    up: false,
    frozen: false,
    frozenAt: -1,
    shownBy: 'every clock',
    missed: { monotonic: 0, sinceBoot: 0 },
    queue: [],
    duty: {},
    unlike: {},
    core: presentCore,
    turns: null,
    get state() {
      return this.turns?.state ?? null;
    },
    paused: false,
    inbox: [],
    incarnation: 0,
    file: null,
    torn: false,
    full: false,
    wallOffset: 0,
    bootedAt: -1,
    thawedAt: -1,
    crashAfter: null,
    doom: null,
    hasteAt: null,
    lagMs: 0,
    stopsMs: 0,
    seen: null,
  };
}

/** How it was when an action was begun. */
export interface Order {
  readonly at: number;
  /** The reference address was reached. */
  readonly reached: boolean;
  /** The controller had heard of a newer primary. */
  readonly knowsNewer: boolean;
}
