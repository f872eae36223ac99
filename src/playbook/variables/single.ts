/** The variables of a server that was there before the cluster: what templates leave alone, what a copy of it needs. Pure. */
import type { Server } from '../../inventory/cluster.ts';
import { wasThere } from '../../observe/standing.ts';
import { environmentOf, type View } from '../../observe/survey.ts';
import { tlsFilesOf } from '../../observe/tls.ts';
import { formerRulesMarker } from '../../postgres/hba-file.ts';
import type { AdoptObservation } from '../../resources/single/adopt-observation.ts';
import { carriedSettings, formerRules } from '../../resources/single/adoption.ts';
import { tlsSettings } from './tls.ts';

export interface AdoptedVariables {
  /** Empty: all servers were made by pgduet. taking: the former unit or a person is still in charge. */
  readonly phase: '' | 'taking' | 'taken';
  /** Where the log goes; empty as long as it is not decided. */
  readonly logging: '' | 'ours' | 'theirs';
  readonly carried: Readonly<Record<string, string>>;
  /** pg_hba.conf as it was, and the line above it. */
  readonly hba: string;
  readonly marker: string;
  /** Whether its instances are started with variables of their own. */
  readonly environment: boolean;
}

export interface SingleVariables {
  /** False when the server was not observed, as with every verb but migrate. */
  readonly seen: boolean;
  readonly architecture: string;
  readonly libc: string;
  /** What its program says of its version. */
  readonly build: string;
  /** How many bytes a copy on this host writes where. */
  readonly rooms: readonly { readonly path: string; readonly bytes: number }[];
  readonly libraries: readonly string[];
  readonly extensions: readonly string[];
  readonly locales: readonly string[];
  /** What a copy of it is started with, by lower-case name; empty where it could not be asked. */
  readonly configuration: Readonly<Record<string, string>>;
  readonly tablespaces: readonly { readonly path: string }[];
  /** This server is a standby that was there before, and is not copied. */
  readonly follows: boolean;
  /** It may be one: nothing has been seen yet. */
  readonly mayFollow: boolean;
  /** How the primary's sender for it does, "streaming 1234". */
  readonly sender: string;
  /** Standbys that were there before. */
  readonly streaming: readonly string[];
  /** Through which they stream. */
  readonly slots: readonly string[];
  readonly pair: boolean;
}

/** Each server of a pair has what it had itself; one that was copied has what the primary had. */
export function adoptedVariables(view: View, name: string): AdoptedVariables {
  const own = view.hosts.get(name);
  const primary = own?.adopted || own?.single ? own : view.hosts.get(view.primary);
  const hosts = [primary, view.hosts.get(view.primary), ...view.hosts.values()];
  const record = hosts.find((host) => host?.adopted)?.adopted;
  const single = primary?.single;
  const environment = hosts.some((host) => host && environmentOf(host) !== undefined);
  if (record) {
    const taking = own?.adopted ? own.data?.former === true : hosts.some((host) => host?.data?.former);
    const { logging, carried, hba } = record;
    return {
      phase: taking ? 'taking' : 'taken',
      logging,
      carried,
      hba,
      marker: formerRulesMarker,
      environment,
    };
  }
  const none = { logging: '', carried: {}, hba: '', marker: formerRulesMarker, environment } as const;
  if (!single) return { phase: '', ...none };
  return { ...none, phase: 'taking', carried: carriedSettings(single), hba: formerRules(single) };
}

const standbysThere = (view: View): readonly string[] =>
  [...view.hosts.keys()].filter((name) => wasThere(view, name));

/** Slots by which standbys that were there stream: as they say it, or as it was recorded. */
export const formerSlots = (view: View): readonly string[] => [
  ...new Set(
    [...view.hosts].flatMap(([name, { adopted, single }]) => {
      if (adopted) return adopted.slots ?? [];
      const slot = wasThere(view, name) ? single?.live?.settings.get('primary_slot_name')?.value : undefined;
      return slot ? [slot] : [];
    }),
  ),
];

/** The primary knows a standby by an address of that one's host; two servers of one host are told by the slot. */
function senderFor(view: View, { name, logTransferAddress, host }: Server): string {
  const senders = view.hosts.get(view.primary)?.single?.live?.senders ?? [];
  const own = view.hosts.get(name);
  const addresses = [logTransferAddress, host.address, ...(own?.names?.interfaces ?? [])];
  const slot = own?.single?.live?.settings.get('primary_slot_name')?.value;
  const mine = senders.filter(
    ({ logical, address }) => !logical && (address === null || addresses.includes(address)),
  );
  const found = mine.find((one) => slot && one.slot === slot) ?? (mine.length === 1 ? mine[0] : undefined);
  return found ? `${found.state ?? ''} ${found.behind ?? ''}`.trim() : '';
}

function pairVariables(
  view: View,
  server: Server,
): Pick<SingleVariables, 'follows' | 'mayFollow' | 'sender' | 'streaming' | 'slots' | 'pair'> {
  const streaming = standbysThere(view);
  const follows = streaming.includes(server.name);
  return {
    follows,
    // Asked with the first look, so that all that is compiled behind it knows the slots.
    mayFollow: follows || (view.hosts.size === 0 && server.name !== view.primary),
    sender: follows ? senderFor(view, server) : '',
    streaming,
    slots: formerSlots(view),
    pair: streaming.length > 0,
  };
}

export function singleVariables(view: View, server: Server): SingleVariables {
  const single = view.hosts.get(view.primary)?.single;
  if (!single)
    return {
      ...pairVariables(view, server),
      seen: false,
      architecture: '',
      libc: '',
      build: '',
      rooms: [],
      libraries: [],
      extensions: [],
      locales: [],
      configuration: {},
      tablespaces: [],
    };
  const { architecture, libc, build, live } = single;
  return {
    ...pairVariables(view, server),
    seen: true,
    architecture,
    libc,
    build,
    rooms: roomsOf(single, server),
    libraries: librariesOf(single),
    extensions: single.extensions,
    locales: live?.locales ?? [],
    configuration: configurationOf(view, single, server),
    tablespaces: (live?.tablespaces ?? []).map(({ path }) => ({ path })),
  };
}

/** A migration has looked for itself, and what it begins with is tried with the room for the copy. */
export function copiedConfiguration(view: View, server: Server): Readonly<Record<string, string>> {
  const primary = view.hosts.get(view.primary);
  if (!primary?.configured || primary.single) return {};
  return { ...withoutOurLog(view, primary.configured), ...declared(server), ...tlsOfCopy(server) };
}

/** A pair of pgduet's is not there yet when the copy is tried, and that of the primary is on no other host. */
const tlsOfCopy = (server: Server): Readonly<Record<string, string>> =>
  server.postgres.tls === 'generated' ? { ssl: 'off' } : tlsSettings(server, tlsFilesOf(server, undefined));

/**
 * Where pgduet sees to the log, each server has a directory of its own, which its settings name as soon as it is copied. A
 * migration that has not yet decided copies what is there.
 */
function withoutOurLog(
  view: View,
  configured: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const { logging } = adoptedVariables(view, view.primary);
  const undecided = logging === '' && view.hosts.get(view.primary)?.single !== undefined;
  if (logging === 'theirs' || undecided) return configured;
  const { log_directory: _, ...shared } = configured;
  return shared;
}

const declared = ({ postgres }: Server): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(postgres.settings).map(([name, value]) => [name.toLowerCase(), String(value)]),
  );

/** The files of the server, what stood on its command line, and what the inventory says over both. */
function configurationOf(
  view: View,
  single: AdoptObservation,
  server: Server,
): Readonly<Record<string, string>> {
  const configured = single.live?.configured;
  if (configured === undefined) return {};
  return { ...withoutOurLog(view, configured), ...carriedSettings(single), ...declared(server) };
}

/** What is not known needs no room: a note says so. */
function roomsOf(
  { live, bytes, tablespaceBytes }: AdoptObservation,
  { postgres }: Server,
): SingleVariables['rooms'] {
  const spaces = (live?.tablespaces ?? []).map(({ path }) => ({
    path,
    bytes: tablespaceBytes.get(path) ?? 0,
  }));
  const elsewhere = spaces.reduce((sum, space) => sum + space.bytes, 0);
  const rooms = [{ path: postgres.dataDir, bytes: (bytes ?? 0) - elsewhere }, ...spaces];
  return rooms.map(({ path, bytes }) => ({ path, bytes: Math.max(0, bytes) }));
}

/** "$libdir/pg_stat_statements" and "pg_stat_statements" are the same file. */
function librariesOf({ live }: AdoptObservation): readonly string[] {
  const names = ['shared_preload_libraries', 'session_preload_libraries', 'local_preload_libraries'];
  return names
    .flatMap((name) => (live?.settings.get(name)?.value ?? '').split(','))
    .map((name) =>
      name
        .trim()
        .replaceAll('"', '')
        .replace(/^\$libdir\//, '')
        .replace(/\.so$/, ''),
    )
    .filter((name) => name !== '');
}
