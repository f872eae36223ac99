/** What every move of a rolling update is given, and the error of a step that failed. */
import type { RunPorts } from '../../apply/request.ts';
import { type Diagnostic, DiagnosticError } from '../../base/diagnostic.ts';
import { exitCode } from '../../base/exit-codes.ts';
import { updateOwner } from '../../base/maintenance-words.ts';
import { platformOf } from '../../base/platform.ts';
import type { Cluster, Server } from '../../inventory/cluster.ts';
import type { Order } from '../../rolling/order.ts';
import type { Row } from '../../rolling/row.ts';
import type { Reply } from '../../transport/port.ts';
import type { World } from '../world.ts';
import type { Fleet, FleetSeen } from './fleet.ts';

export interface Update {
  readonly world: World;
  readonly cluster: Cluster;
  readonly ports: RunPorts;
  readonly fleet: Fleet;
  readonly order: Order;
  /** The playbook of `--run`, as it is given this time. */
  readonly run?: string;
  /** What to do about a command of which nobody knows how it ended. */
  readonly unsure?: 'again' | 'done';
  /** Points of the proof that do not count, by whoever goes on; besides those of the order. */
  readonly despite?: readonly string[];
}

/** Before there is an order. */
export type Scene = Omit<Update, 'order' | 'run' | 'unsure' | 'despite'>;

export interface Moved {
  readonly seen?: string;
  /** A person works on the host now. */
  readonly paused?: true;
  /** What the row keeps beside the step. */
  readonly kept?: Pick<Row, 'boot' | 'mounts'>;
}

export const failedStep = (
  host: string,
  what: string,
  why: string,
  fix: string,
  evidence: readonly string[] = [],
): DiagnosticError => {
  const diagnostic: Diagnostic = {
    code: 'HST016',
    what,
    why,
    fix,
    host,
    ...(evidence.length > 0 ? { evidence } : {}),
  };
  return new DiagnosticError([diagnostic], exitCode.hostFailed);
};

export const goesOn = 'Put it right there, then: pgduet rolling-update --continue.';

/**
 * It is in maintenance by this update, or, cut off on its way back, still stopped by it. What a person has taken over since is that person's.
 */
export function hasOut({ id }: Order, { maintained, hosts }: FleetSeen['view'], name: string): boolean {
  const by = maintained?.get(name)?.by ?? hosts.get(name)?.stopped?.by;
  return by === updateOwner(id);
}

export const serverOf = ({ cluster }: Update, name: string): Server => {
  const server = cluster.servers.find((one) => one.name === name);
  if (!server) throw new Error(`the server '${name}' is not one of the cluster`);
  return server;
};

export const managerOf = (seen: FleetSeen, name: string) =>
  platformOf(seen.view.hosts.get(name)?.facts?.distributions ?? []).manager;

export const tail = ({ stdout, stderr }: Reply): readonly string[] =>
  `${stdout}\n${stderr}`
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-8);
