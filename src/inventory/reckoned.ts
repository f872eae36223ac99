/** Settings of PostgreSQL that follow from what the inventory expects: WAL for a standby that is away, connections beside the clients. Pure. */
import { parseDurationMs, parseSizeBytes } from '../base/units.ts';
import type { WalKept } from './cluster.ts';
import { defaults } from './defaults.ts';
import { type Draft, serversOf } from './draft.ts';

const megabyte = 1024 ** 2;
const hourMs = 3_600_000;
/** What is kept where nothing is said, in MB. */
export const walKeptAnyway = 1024;

/** Never less than what is kept anyway. */
export function walKeptFor({ data }: Draft): WalKept | undefined {
  const { expected_downtime: downtime, wal_per_hour: rate = defaults.walPerHour } = data.multiplexing ?? {};
  const downtimeMs = downtime === undefined ? undefined : parseDurationMs(downtime);
  const perHour = parseSizeBytes(rate);
  if (downtimeMs === undefined || perHour === undefined) return undefined;
  const needed = Math.ceil((perHour / megabyte) * (downtimeMs / hourMs));
  return { megabytes: Math.max(walKeptAnyway, needed), downtimeMs };
}

/** Two for the controller, one for its status; with those that PostgreSQL keeps for superusers unless the inventory says otherwise. */
const controllerConnections = 3;
const superuserConnections = 3;

/** Clients, standbys, what the controllers need, and what PostgreSQL keeps for superusers. */
export function maxConnectionsFor(draft: Draft): number | undefined {
  const clients = draft.data.postgres?.client_connections;
  return clients === undefined ? undefined : clients + besideClients(draft);
}

export function besideClients(draft: Draft): number {
  const standbys = Math.max(1, serversOf(draft).length - 1);
  const reserved = setting(draft, 'superuser_reserved_connections') ?? superuserConnections;
  return standbys + controllerConnections + reserved + (setting(draft, 'reserved_connections') ?? 0);
}

function setting({ settings }: Draft, name: string): number | undefined {
  const [, value] = Object.entries(settings).find(([key]) => key.toLowerCase() === name) ?? [];
  const number = value === undefined ? Number.NaN : Number(value);
  return Number.isInteger(number) && number >= 0 ? number : undefined;
}
