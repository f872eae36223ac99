/** What a run is given: the outside world as ports, and what is to be made so. Types only. */
import type { Result } from '../base/diagnostic.ts';
import type { Secret } from '../base/secret.ts';
import type { Intent } from '../intent/intent.ts';
import type { Cluster, Server } from '../inventory/cluster.ts';
import type { View } from '../observe/survey.ts';
import type { Plan, Resource } from '../plan/plan.ts';
import type { EffectPlace } from '../resources/contract/effects.ts';
import type { Transport } from '../transport/port.ts';
import type { Emit } from './event.ts';

/** The outside world of a run. */
export interface RunPorts {
  readonly transport: Transport;
  readonly emit: Emit;
  /** Monotonic milliseconds, for durations. */
  now(): number;
  /** Our own clock, milliseconds since 1970, to compare the hosts' clocks with. */
  clockMs(): number;
  /** Random text that no output contains. */
  nonce(): string;
  /** Aborted when the user asks to stop. */
  readonly interrupted: AbortSignal;
  /** Called with every secret that was read from a host, before anything is shown. */
  remember(secret: Secret): void;
}

/** A run of its own that is made in the sessions of another one, and brought to its end before that begins. */
export interface Prelude {
  /** With some of the hosts of the run, and no other ones. */
  readonly cluster: Cluster;
  readonly intent: Intent;
  compile(view: View, intent: Intent): Result<readonly Resource[]>;
  /** What the run itself intends from then on, by what the prelude has settled. Everything is looked at once more with what it intended before. */
  behind(settled: Intent): Intent;
}

export interface RunRequest {
  readonly cluster: Cluster;
  /** What the command intends; the run settles it with its first observation. */
  readonly intent: Intent;
  /** What every host should be: a function of its arguments. Asks the same probes for the same roles. */
  compile(view: View, intent: Intent): Result<readonly Resource[]>;
  /** Where reloads and restarts of a server go. */
  effectPlace(server: Server, view: View): EffectPlace;
  /** False: look and plan only, and take no lock. */
  readonly change: boolean;
  /** Change only this host; the others are looked at all the same. */
  readonly limit?: string;
  /** Whether PostgreSQL may be restarted on this host; what needs it is postponed where not. Absent: everywhere. */
  mayRestart?(host: string): boolean;
  /** Asked once, after the plan was shown. */
  confirm(plan: Plan): Promise<boolean>;
  /** Everything is looked at once more behind the yes: what the plan was decided by has to be so still. */
  readonly looksBehindYes?: boolean;
  /** What goes before, on some of the hosts, once the plan is agreed to; absent, or nothing: the run itself begins at once. */
  prelude?(first: { readonly view: View; readonly intent: Intent }): Prelude | undefined;
  /** Whether the run goes on without this host where it cannot be reached; absent: without none. */
  leaveOutUnreachable?(host: string): boolean;
  /** Who runs, for the one whom the lock keeps out. */
  readonly lockOwner: string;
}
