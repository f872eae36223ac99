/**
 * What has to be so before the first server is taken out, each point with its number and a name by which a person may say that it does not
 * count. In: what was seen of every host and of the primary. Out: the points that fail. Pure.
 */
import { formatBytes, formatDuration } from '../base/units.ts';
import { type KeptWal, keptFor, keptWalMembers, rateWords } from '../postgres/kept-wal.ts';
import type { Probe, ProbeReply } from '../resources/contract/kind.ts';
import type { HostSeen } from './place.ts';

/** Points that `--despite` may name; the others can be put right only. */
export const overrulable = ['long-transactions', 'lag', 'wal', 'services', 'collation', 'check'] as const;
export type Overrulable = (typeof overrulable)[number];

export interface Point {
  readonly name: Overrulable | 'alone' | 'in-sync' | 'root' | 'systemd' | 'this-machine' | 'packages';
  readonly host?: string;
  /** One line without a full stop, with the number. */
  readonly what: string;
  readonly fix: string;
}

/** Of the primary. Bytes and seconds. */
export interface PrimarySeen extends KeptWal {
  readonly inSync: readonly string[];
  /** The longest way from what is written to what a standby has replayed, by standby. */
  readonly lag: Readonly<Record<string, number>>;
  readonly oldestTransaction: {
    readonly seconds: number;
    readonly pid: number;
    readonly user: string;
  } | null;
}

export const primaryProbe = (version: number): Probe => ({
  sql: `select json_build_object(
 'inSync', (select coalesce(json_agg(application_name), '[]') from pg_stat_replication where sync_state in ('sync', 'quorum', 'potential') and state = 'streaming'),
 'lag', (select coalesce(json_object_agg(application_name, pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)), '{}') from pg_stat_replication where state = 'streaming' and replay_lsn is not null),
 'oldestTransaction', (select json_build_object('seconds', extract(epoch from now() - xact_start), 'pid', pid, 'user', usename) from pg_stat_activity where backend_type = 'client backend' and xact_start is not null and pid <> pg_backend_pid() order by xact_start limit 1),
 ${keptWalMembers(version)})`,
});

/** Undefined: the primary could not be asked. */
export function readPrimary(reply: ProbeReply | undefined): PrimarySeen | undefined {
  const seen = reply?.sql as PrimarySeen | undefined;
  return typeof seen === 'object' && seen !== null && Array.isArray(seen.inSync) ? seen : undefined;
}

export const longestTransactionS = 600;
export const mostLag = 64 * 1024 * 1024;

export interface Circumstances {
  readonly primary: string;
  readonly seen: PrimarySeen;
  readonly hosts: ReadonlyMap<string, HostSeen>;
  /** Standbys that commits may wait for, by the inventory. */
  readonly synchronous: readonly string[];
  /** In the order of work, without those that are left out. */
  readonly servers: readonly string[];
  readonly needsRoot: boolean;
  readonly reboots: boolean;
  /** Milliseconds that one server is expected to be out. */
  readonly expectedMs: number;
  readonly alone: boolean;
  readonly rebuild: boolean;
  /** Of each server: the unit of its controller. */
  readonly units: Readonly<Record<string, string>>;
  /** Machine id and boot of the machine that this runs on. */
  readonly here: { readonly machineId: string; readonly boot: string };
}

export function points(about: Circumstances): readonly Point[] {
  return [
    ...rootPoints(about),
    ...syncPoints(about),
    ...lagPoints(about),
    ...transactionPoints(about),
    ...walPoints(about),
    ...machinePoints(about),
  ];
}

const rootPoints = ({ hosts, servers, needsRoot }: Circumstances): readonly Point[] =>
  servers.flatMap((host): Point[] => {
    const seen = hosts.get(host);
    if (!seen) return [];
    if (!seen.isRoot && needsRoot)
      return [
        {
          name: 'root',
          host,
          what: 'scripts do not run as root there',
          fix: 'Set ssh.become: sudo for it, or log in as root.',
        },
      ];
    return seen.systemd === '' && needsRoot
      ? [
          {
            name: 'systemd',
            host,
            what: 'systemd does not run there',
            fix: 'What is begun has to go on without a connection. Work on such a host by single commands: pgduet maintenance begin, pgduet switch, pgduet maintenance end.',
          },
        ]
      : [];
  });

function syncPoints({ seen, synchronous, servers, primary, alone }: Circumstances): readonly Point[] {
  const missing = synchronous.filter((name) => name !== primary && !seen.inSync.includes(name));
  const late = missing.map(
    (host): Point => ({
      name: 'in-sync',
      host,
      what: 'it is not in sync',
      fix: 'pgduet status says why. Once it is in sync, run the same command again.',
    }),
  );
  const others = synchronous.filter((name) => name !== primary);
  const last = others.length === 1 ? others[0] : undefined;
  if (last === undefined || alone || !servers.includes(last)) return late;
  const what = `while ${last} is out no commit waits for any standby: the primary has the only copy of what is written then, and nobody can take over`;
  return [
    ...late,
    {
      name: 'alone',
      host: last,
      what,
      fix: 'Say --alone where that is meant, for the time in which a server is out.',
    },
  ];
}

const lagPoints = ({ seen, servers, primary }: Circumstances): readonly Point[] =>
  servers.flatMap((host): Point[] => {
    const lag = Number(seen.lag[host] ?? 0);
    if (host === primary || lag <= mostLag) return [];
    const what = `it has ${formatBytes(lag)} of WAL to replay still; ${formatBytes(mostLag)} is the limit`;
    return [{ name: 'lag', host, what, fix: 'Wait until it has replayed that: a switch would wait for it.' }];
  });

function transactionPoints({ seen, primary, servers }: Circumstances): readonly Point[] {
  const oldest = seen.oldestTransaction;
  if (!oldest || oldest.seconds <= longestTransactionS || !servers.includes(primary)) return [];
  const what = `a transaction of ${oldest.user} (pid ${oldest.pid}) is open for ${formatDuration(oldest.seconds * 1000)}; ${formatDuration(longestTransactionS * 1000)} is the limit`;
  return [
    { name: 'long-transactions', host: primary, what, fix: 'Wait for its end: the switch would cut it off.' },
  ];
}

/** Each standby as it streams now; a server that is primary still has the same settings behind the switch. */
function walPoints({ seen, expectedMs, rebuild, servers, primary }: Circumstances): readonly Point[] {
  const standbys = servers.filter((name) => name !== primary);
  if (seen.walPerSecond === null || rebuild || standbys.length === 0) return [];
  const needed = (Number(seen.walPerSecond) * expectedMs) / 1000;
  const kept = Math.min(...standbys.map((name) => keptFor(seen, name)));
  if (needed <= kept) return [];
  const what = `${rateWords(seen.walPerSecond)}, and ${formatBytes(kept)} are kept for a server that is out: it may not be able to follow after ${formatDuration(expectedMs)}`;
  return [
    {
      name: 'wal',
      host: primary,
      what,
      fix: 'Raise wal_keep_size (or the limit of the slots), say a shorter --for, or say --rebuild: what cannot follow is rewound or copied anew.',
    },
  ];
}

/** What goes down beside the server when the machine does. */
function machinePoints({ hosts, servers, reboots, units, here, primary }: Circumstances): readonly Point[] {
  if (!reboots) return [];
  const ids = [...hosts].map(([name, { machineId, boot }]) => ({ name, mark: `${machineId} ${boot}` }));
  return servers.flatMap((host): Point[] => {
    const seen = hosts.get(host);
    if (!seen) return [];
    const others = seen.units.filter((unit) => unit !== `${units[host]}.service`);
    const beside = ids.filter(({ name, mark }) => name !== host && mark === `${seen.machineId} ${seen.boot}`);
    const isHere = seen.machineId === here.machineId && seen.boot === here.boot;
    return [
      ...(isHere
        ? [
            {
              name: 'this-machine',
              host,
              what: 'it is the machine that pgduet runs on',
              fix: 'Run pgduet from another machine, or leave --reboot out.',
            } as const,
          ]
        : []),
      ...(beside.length > 0
        ? [
            {
              name: 'this-machine',
              host,
              what: `${beside.map(({ name }) => name).join(', ')} runs on the same machine (${primary} is primary)`,
              fix: 'Leave --reboot out: two servers of one cluster would go down at once.',
            } as const,
          ]
        : []),
      ...(others.length > 0
        ? [
            {
              name: 'services',
              host,
              what: `${others.join(', ')} runs there, too, and goes down with the host`,
              fix: 'Look whom it serves; say --despite services where that is meant.',
            } as const,
          ]
        : []),
    ];
  });
}

export const countsStill = (point: Point, despite: readonly string[]): boolean =>
  !despite.includes(point.name);

interface OneLess {
  readonly name: string;
  readonly primary: string;
  readonly seen: PrimarySeen;
  readonly synchronous: readonly string[];
  /** In maintenance already. */
  readonly out: readonly string[];
  readonly alone: boolean;
}

/** Why a server is not taken out now: who else is in sync counts at that moment, not at the plan. */
export function oneLess({ name, primary, seen, synchronous, out, alone }: OneLess): string | undefined {
  const others = synchronous.filter((one) => one !== primary && one !== name && !out.includes(one));
  const missing = others.filter((one) => !seen.inSync.includes(one));
  if (missing.length > 0) return `${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} not in sync`;
  if (others.length > 0 || alone || !synchronous.includes(name)) return undefined;
  return 'no other standby is in sync, and the update was begun without --alone';
}
