/**
 * What is said of the content of a single server before it is touched: how much is copied, who works with it, and what a switch does
 * not carry over. In: what was seen of the server. Out: words. Pure.
 */
import { formatBytes, formatDuration } from '../../base/units.ts';
import { quoteIdentifier, quoteLiteral } from '../../postgres/quote.ts';
import { isOn, sameValue } from '../../postgres/setting-value.ts';
import { openSetting } from '../../postgres/withheld.ts';
import type { Receiver } from './adopt-look-content.ts';
import type { AdoptObservation, LiveSingle } from './adopt-observation.ts';
import type { Intention } from './adopt-place.ts';

export function copyNote(intention: Intention, { bytes, readRate }: AdoptObservation): readonly string[] {
  const standbys = intention.standbys.filter((name) => !intention.streaming?.includes(name));
  if (standbys.length === 0) return [];
  if (bytes === undefined)
    return [
      `all data are copied to ${standbys.join(' and ')} while clients go on working; how much it is could not be found in a minute, so nobody has looked whether there is room for it`,
    ];
  const size = formatBytes(bytes);
  const each = `${size} of data are copied to ${standbys.join(' and ')} while clients go on working`;
  if (!readRate) return [each];
  const ms = (bytes / readRate) * 1000;
  return [
    `${each}: ${formatDuration(ms)} at least, at the ${formatBytes(readRate)}/s that its disk was just read with; the network and the other disk may be slower`,
  ];
}

export function clientNote(
  _intention: Intention,
  _observation: AdoptObservation,
  { clients }: LiveSingle,
): readonly string[] {
  const from = Object.entries(clients).map(([address, count]) => `${address} (${count})`);
  if (from.length === 0) return [];
  return [`clients are connected from ${from.join(', ')}: the same rules go on letting them in`];
}

const receiverWords = ({ name, user, address, slot, logical }: Receiver): string =>
  `${name === '' ? 'one without a name' : name} (role ${user}, from ${address ?? 'the socket of the host'}${slot === null ? '' : `, ${logical ? 'logical' : 'physical'} slot ${slot}`})`;

const timeoutName = 'wal_sender_timeout';
const readOnlyName = 'default_transaction_read_only';

/**
 * The server's own time for a receiver that does not answer becomes that of the cluster, for those of others as well. A session of
 * logical replication has the settings of its role; one of physical replication belongs to no database and has none.
 */
function* timeoutNotes({ values }: Intention, { settings, senders, slots }: LiveSingle): Generator<string> {
  const wanted = values[timeoutName];
  const seen = settings.get(timeoutName);
  const theirs = senders.length > 0 || slots.some(({ type }) => type === 'logical');
  if (wanted === undefined || !seen || sameValue(wanted, seen) || !theirs) return;
  const before = quoteLiteral(seen.value);
  const roles = [...new Set(senders.flatMap(({ logical, user }) => (logical ? [user] : [])))];
  const keep = (roles.length > 0 ? roles.map(quoteIdentifier) : ['<its role>']).map(
    (role) => `ALTER ROLE ${role} SET ${timeoutName} = ${before};`,
  );
  yield `${timeoutName} holds for receivers of others as well: one that answers nothing for ${Number(wanted) / 1000} s is disconnected from now on, in place of ${seen.value}. A consumer of logical replication keeps its time by its role, from its next connection on, and so best before the migration: ${keep.join(' ')}`;
  if (senders.some(({ logical }) => !logical))
    yield `a receiver of physical replication has no settings of its role: it keeps its time by options='-c ${timeoutName}=${seen.value}' in its connection string`;
}

/** A file of the data directory is copied with it. */
function* keyNotes({ values, standbys }: Intention, { settings }: LiveSingle): Generator<string> {
  const inForce = (name: string): string => values[name] ?? settings.get(name)?.value ?? '';
  const key = inForce('ssl_key_file');
  if (!isOn(inForce('ssl')) || key === '' || key.startsWith('/')) return;
  yield `its certificate and key (${inForce('ssl_cert_file')}, ${key}) lie in the data directory, and are copied with it: ${standbys.join(' and ')} shows the same certificate to its clients. One for each host lies outside of the data directory, at the same path everywhere (ssl_cert_file, ssl_key_file)`;
}

export function* contentNotes(
  intention: Intention,
  observation: AdoptObservation,
  live: LiveSingle,
): Generator<string> {
  for (const { database, why } of observation.unlooked)
    yield `nobody could look into the database '${database}' (${why}): which extensions it needs on the other hosts, and whether it has unlogged tables, is not known`;
  if (observation.unloggedTables > 0)
    yield `${observation.unloggedTables} unlogged tables are not replicated: they are empty after a switch`;
  const logical = live.slots.filter(({ type }) => type === 'logical').map(({ name }) => name);
  const physical = live.slots.filter(({ type }) => type === 'physical').map(({ name }) => name);
  if (logical.length > 0)
    yield `logical slots are not carried to the other server by a switch, their subscribers have to begin anew there: ${logical.join(', ')}${observation.publications > 0 ? ` (${observation.publications} publications are)` : ''}`;
  const ours = physical.filter((name) => intention.slots?.includes(name));
  const others = physical.filter((name) => !intention.slots?.includes(name));
  if (others.length > 0) yield `physical slots stay on this server alone: ${others.join(', ')}`;
  if (ours.length > 0)
    yield `the slots of its standbys are dropped once these follow without (${ours.join(', ')}); they come back at 'pgduet teardown --controllers-only'`;
  const archive = live.settings.get('archive_mode')?.value ?? 'off';
  if (archive !== 'off')
    yield `archiving goes on as it is, with archive_command on whichever server is primary: ${openSetting('archive_command', live.settings.get('archive_command')?.value ?? '')}`;
  if (live.senders.length > 0)
    yield `${(intention.streaming ?? []).length > 0 ? 'it sends WAL already, to its standbys or to others, who are no part of the cluster' : 'others receive WAL from it already; they go on, and are no part of the cluster'}: ${live.senders.map(receiverWords).join('; ')}`;
  yield* timeoutNotes(intention, live);
  const commit = live.settings.get('synchronous_commit')?.value ?? 'on';
  if (['off', 'local'].includes(commit))
    yield `synchronous_commit is ${commit} and stays so: commits of sessions that keep it wait for no standby, and can be lost with this server`;
  yield* keyNotes(intention, live);
  const readOnly = intention.values[readOnlyName] ?? live.settings.get(readOnlyName)?.value;
  if (readOnly !== undefined && isOn(readOnly))
    yield `${readOnlyName} is on and stays so: clients that look for the primary by target_session_attrs=read-write get into no server of the cluster`;
  if (live.settings.get('fsync')?.value === 'off')
    yield 'fsync is off: after a power failure of the host its data may be broken, and it is not noticed';
}
