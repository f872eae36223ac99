/**
 * What a command intends, as a value beside what is observed. In: the options of the command, then each observation. Out: the
 * intent with its gaps filled, and the server that it is about. A settled intent holds for the whole run. Pure.
 */
import type { Renewal } from '../base/renewal.ts';
import type { Cluster } from '../inventory/cluster.ts';
import type { Issued } from '../observe/issued.ts';
import type { View } from '../observe/survey.ts';
import { type CertificatesIntent, settleCertificates } from './certificates.ts';
import {
  preferredStandby,
  type ReloadIntent,
  type RestartIntent,
  type StartIntent,
  type StopIntent,
  settleReload,
  settleRestart,
  settleStop,
} from './operating.ts';
import { formerPrimary } from './pairs.ts';
import { type RecoverIntent, settleRecover } from './recover.ts';
import { type Brought, broughtBy, type MadeSecrets, renewalFor } from './renew.ts';
import { type ReplaceIntent, settleReplace } from './replace.ts';

export interface SwitchIntent {
  readonly kind: 'switch';
  /** The standby that becomes primary; without it the preferred one of the first observation. */
  readonly to?: string;
  /** So many seconds it may take until that has replayed enough; without it the controller decides. */
  readonly maxWait?: number;
}

export interface FailoverIntent {
  readonly kind: 'failover';
  /** Off: the controllers only say what fails. */
  readonly state: 'on' | 'off';
}

export interface DetachIntent {
  readonly kind: 'detach';
  readonly host: string;
  readonly state: 'out' | 'in';
  /** No commit need wait for any standby meanwhile. */
  readonly alone: boolean;
}

export interface MaintenanceIntent {
  readonly kind: 'maintenance';
  readonly goal: 'begin' | 'end';
  /** The server that is worked on. */
  readonly host: string;
  /** Who works, for everybody else. */
  readonly by: string;
  /** Empty where nothing is said, as are the next two. */
  readonly reason: string;
  /** How long it is expected to take, as mc_ctl takes it. */
  readonly expected: string;
  /** Who has begun it, where that is somebody else. */
  readonly of: string;
  /** In the place of whoever has it in maintenance. */
  readonly replace: boolean;
  /** No commit need wait for any standby meanwhile. */
  readonly alone: boolean;
}

export interface RunIntent {
  /** A playbook of the user. */
  readonly kind: 'run';
  /** This host alone is meant, although its server is in maintenance. */
  readonly host?: string;
}

export interface RebuildIntent {
  readonly kind: 'rebuild';
  /** The server that becomes a standby again. */
  readonly host: string;
  /** A base backup in any case. */
  readonly copy: boolean;
  /** Where data is put aside that may hold commits of its own. */
  readonly keepCopy?: string;
}

export interface TeardownIntent {
  readonly kind: 'teardown';
  /** The server that stays; without it the primary of the first observation. */
  readonly keep?: string;
  /** The data of the others stays. */
  readonly keepData: boolean;
  /** No server stays. */
  readonly allData: boolean;
  /** All servers stay, and replicate; only their controllers go. */
  readonly controllersOnly: boolean;
  /** The server that stays was not primary at some time of this run. */
  readonly moved: boolean;
}

export interface RenewIntent {
  readonly kind: 'renew';
  /** New secrets, for those that no inventory gives and no renewal under way names. */
  readonly made: MadeSecrets;
  /** What the first observation has settled. */
  readonly renewal?: Renewal;
  /** Which of it was not in use everywhere by then. */
  readonly brought?: Brought;
}

export type Intent =
  | { readonly kind: 'provision' }
  | { readonly kind: 'migrate' }
  | RunIntent
  | SwitchIntent
  | FailoverIntent
  | DetachIntent
  | MaintenanceIntent
  | ReloadIntent
  | RestartIntent
  | StopIntent
  | StartIntent
  | RebuildIntent
  | RecoverIntent
  | ReplaceIntent
  | TeardownIntent
  | RenewIntent
  | CertificatesIntent;

/** Everything that resources are compiled from: what is declared, what is observed, what is intended. */
export interface Situation {
  readonly cluster: Cluster;
  readonly view: View;
  readonly intent: Intent;
  /** Certificates that pgduet makes; missing where it makes none. */
  readonly issued?: Issued | undefined;
}

/** The first observation says who is meant; nothing that is done later may change that. */
export function settle({ cluster, view, intent }: Situation): Intent {
  if (view.hosts.size === 0) return intent;
  switch (intent.kind) {
    case 'switch': {
      const to = intent.to ?? preferredStandby(cluster, view);
      return to === undefined ? intent : { ...intent, to };
    }
    case 'teardown': {
      const keep = intent.keep ?? (intent.controllersOnly ? formerPrimary(view) : undefined) ?? view.primary;
      return { ...intent, keep, moved: intent.moved || keep !== view.primary };
    }
    case 'replace':
      return settleReplace(intent, view);
    case 'renew':
      return intent.renewal ? intent : begun(intent, cluster, view);
    case 'certificates':
      return settleCertificates(intent, cluster, view);
    case 'reload':
      return settleReload(intent, cluster, view);
    case 'restart':
      return settleRestart(intent, cluster, view);
    case 'stop':
      return settleStop(intent, cluster, view);
    case 'recover':
      return settleRecover(intent, cluster, view);
    case 'provision':
    case 'migrate':
    case 'run':
    case 'failover':
    case 'detach':
    case 'maintenance':
    case 'start':
    case 'rebuild':
      return intent;
  }
}

function begun(intent: RenewIntent, cluster: Cluster, view: View): RenewIntent {
  const renewal = renewalFor(cluster, view, intent.made);
  return { ...intent, renewal, brought: broughtBy(cluster, view, renewal) };
}

const firstStandby = (cluster: Cluster, view: View): string | undefined =>
  cluster.servers.find(({ name }) => name !== view.primary)?.name;

/** The server that the command is about; where it names none, the first standby. */
export function targetOf({ cluster, view, intent }: Situation): string {
  const standby = firstStandby(cluster, view) ?? view.primary;
  switch (intent.kind) {
    case 'switch':
    case 'restart':
    case 'stop':
      return intent.to ?? standby;
    case 'detach':
    case 'maintenance':
    case 'rebuild':
    case 'replace':
      return intent.host;
    case 'teardown':
      return intent.keep ?? view.primary;
    case 'provision':
    case 'migrate':
    case 'renew':
    case 'certificates':
    case 'failover':
    case 'reload':
    case 'start':
    case 'recover':
    case 'run':
      return standby;
  }
}
