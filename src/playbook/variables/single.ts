/** The variables of a server that was there before the cluster: what templates leave alone, what a copy of it needs. Pure. */
import type { Server } from '../../inventory/cluster.ts';
import type { View } from '../../observe/survey.ts';
import { formerRulesMarker } from '../../postgres/hba-file.ts';
import type { AdoptObservation } from '../../resources/single/adopt-observation.ts';
import { carriedSettings, formerRules } from '../../resources/single/adoption.ts';

export interface AdoptedVariables {
  /** Empty: all servers were made by pgduet. taking: the former unit or a person is still in charge. */
  readonly phase: '' | 'taking' | 'taken';
  /** Where the log goes; empty as long as it is not decided. */
  readonly logging: '' | 'ours' | 'theirs';
  readonly carried: Readonly<Record<string, string>>;
  /** pg_hba.conf as it was, and the line above it. */
  readonly hba: string;
  readonly marker: string;
}

export interface SingleVariables {
  /** False when the server was not observed, as with every verb but migrate. */
  readonly seen: boolean;
  readonly architecture: string;
  readonly libc: string;
  /** How many bytes a copy on this host writes where. */
  readonly rooms: readonly { readonly path: string; readonly bytes: number }[];
  readonly libraries: readonly string[];
  readonly extensions: readonly string[];
  readonly locales: readonly string[];
  readonly tablespaces: readonly { readonly path: string }[];
}

export function adoptedVariables(view: View): AdoptedVariables {
  const primary = view.hosts.get(view.primary);
  const hosts = [primary, ...view.hosts.values()];
  const record = hosts.find((host) => host?.adopted)?.adopted;
  const single = primary?.single;
  if (record) {
    const taking = hosts.some((host) => host?.data?.former);
    const { logging, carried, hba } = record;
    return { phase: taking ? 'taking' : 'taken', logging, carried, hba, marker: formerRulesMarker };
  }
  const none = { logging: '', carried: {}, hba: '', marker: formerRulesMarker } as const;
  if (!single) return { phase: '', ...none };
  return { ...none, phase: 'taking', carried: carriedSettings(single), hba: formerRules(single) };
}

export function singleVariables(view: View, server: Server): SingleVariables {
  const single = view.hosts.get(view.primary)?.single;
  if (!single)
    return {
      seen: false,
      architecture: '',
      libc: '',
      rooms: [],
      libraries: [],
      extensions: [],
      locales: [],
      tablespaces: [],
    };
  const { architecture, libc, live } = single;
  return {
    seen: true,
    architecture,
    libc,
    rooms: roomsOf(single, server),
    libraries: librariesOf(single),
    extensions: single.extensions,
    locales: live?.locales ?? [],
    tablespaces: (live?.tablespaces ?? []).map(({ path }) => ({ path })),
  };
}

function roomsOf({ live }: AdoptObservation, { postgres }: Server): SingleVariables['rooms'] {
  const spaces = live?.tablespaces ?? [];
  const elsewhere = spaces.reduce((sum, { bytes }) => sum + bytes, 0);
  const rooms = [{ path: postgres.dataDir, bytes: (live?.bytes ?? 0) - elsewhere }, ...spaces];
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
    .filter((name) => name !== '' && !name.startsWith('/'));
}
