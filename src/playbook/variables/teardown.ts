/** The variables of a teardown: who stays, who goes, and what was observed of their data. Pure. */
import type { Situation } from '../../intent/intent.ts';
import { isOfPair } from '../../intent/pairs.ts';
import { drops, revives, settles, switches } from '../../intent/teardown.ts';
import type { Server } from '../../inventory/cluster.ts';
import { recoveryNames } from '../../postgres/recovery-settings.ts';
import { isFinished } from '../../resources/data/data-directory.ts';
import { otherControllers } from './controller.ts';
import { failoverSlotsOf } from './replication.ts';
import type { ServerVariables } from './server.ts';
import { tlsNames } from './tls.ts';

/** A server that goes, and how far its data reaches. Empty where there is no data, or what is there is unfinished. */
export interface DroppedVariables extends ServerVariables {
  readonly systemIdentifier: string;
  readonly position: string;
  readonly timeline: string;
  readonly runs: boolean;
}

export interface TeardownVariables {
  /** This server goes. */
  readonly drops: boolean;
  /** It goes when all others are gone. */
  readonly last: boolean;
  readonly keepData: boolean;
  readonly allData: boolean;
  readonly switches: boolean;
  readonly settles: boolean;
  /** Of the data of the server that stays; empty as long as it is not known. */
  readonly systemIdentifier: string;
  /** It runs, and is no standby. */
  readonly serves: boolean;
  readonly revives: boolean;
  /** Settings that clients rely on: they stay where there was no single server before. */
  readonly staying: readonly string[];
  /** With those that replication needs: they stay where only the controllers go. */
  readonly replicating: readonly string[];
  /** This server was one of a pair before pgduet, and is given back as it was. */
  readonly exact: boolean;
  /** The standbys go on under their names of the inventory. */
  readonly named: boolean;
  readonly othersNeedIt: string;
  /** As the inventory or a former command line gives it; empty where neither does. */
  readonly logFilename: string;
}

const relied = ['listen_addresses', 'port', 'unix_socket_directories', 'password_encryption'];

/** What the template writes for replication; and what a recovery that is over must not bring back. */
const replicating = [
  'wal_level',
  'max_wal_senders',
  'max_replication_slots',
  'hot_standby',
  'hot_standby_feedback',
  'wal_keep_size',
  'wal_log_hints',
  'full_page_writes',
  'recovery_target_timeline',
  'primary_conninfo',
  'wal_sender_timeout',
  'wal_receiver_timeout',
  'wal_retrieve_retry_interval',
  'wal_receiver_status_interval',
  'synchronous_standby_names',
  'synchronized_standby_slots',
  ...recoveryNames,
];

/** A server with a logical slot does not start below logical WAL, which its inventory need not have asked for by name. */
const slotsRely = (server: Server): readonly string[] =>
  failoverSlotsOf(server) === 'on' ? ['wal_level'] : [];

/** The lines stay, and so do the files: clients may verify by now. */
const tlsRely = ({ postgres: { tls } }: Server): readonly string[] =>
  tls === undefined ? [] : tls === 'off' ? ['ssl'] : tlsNames;

export function teardownVariables(
  situation: Situation,
  server: Server,
  target: ServerVariables,
  carried: Readonly<Record<string, string>>,
): TeardownVariables {
  const { view, intent } = situation;
  const asked = intent.kind === 'teardown' ? intent : undefined;
  const data = view.hosts.get(target.name)?.data;
  const staying = [
    ...relied,
    ...slotsRely(server),
    ...tlsRely(server),
    ...Object.keys(server.postgres.settings),
  ];
  return {
    drops: drops(situation, server.name),
    last: asked?.allData === true && server.name === view.primary,
    keepData: asked?.keepData ?? false,
    allData: asked?.allData ?? false,
    switches: switches(situation),
    settles: settles(situation),
    systemIdentifier: data?.control?.systemIdentifier ?? '',
    serves: data?.running === true && !data.standbySignal,
    revives: revives(situation),
    staying,
    replicating: [...new Set([...staying, ...replicating])],
    exact: isOfPair(view, server.name),
    named: view.hosts.get(view.primary)?.data?.recorded !== undefined && !isOfPair(view, view.primary),
    othersNeedIt: otherControllers(server),
    logFilename: logFilename(server.postgres.settings) ?? logFilename(carried) ?? '',
  };
}

function logFilename(settings: Readonly<Record<string, unknown>>): string | undefined {
  const found = Object.entries(settings).find(([name]) => name.toLowerCase() === 'log_filename');
  return found && String(found[1]);
}

export function droppedVariables(
  situation: Situation,
  servers: readonly ServerVariables[],
): readonly DroppedVariables[] {
  return servers
    .filter(({ name }) => drops(situation, name))
    .map((server) => {
      const data = situation.view.hosts.get(server.name)?.data;
      const control = isFinished(data) ? data?.control : undefined;
      return {
        ...server,
        systemIdentifier: control?.systemIdentifier ?? '',
        position: control?.reached.position ?? '',
        timeline: String(control?.reached.timeline ?? ''),
        runs: data?.running ?? false,
      };
    });
}
