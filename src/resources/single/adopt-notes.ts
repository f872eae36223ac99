/**
 * What is said before a single server is touched: what stands in the way, all of it at once, and what a person should
 * know before saying yes. In: what was seen of the server. Out: words. Pure.
 */
import type { Diagnostic } from '../../base/diagnostic.ts';
import { formatBytes, formatDuration } from '../../base/units.ts';
import { oldestVersion } from '../../postgres/versions.ts';
import type { Instance } from '../contract/kind.ts';
import { judge } from '../postgres/adopted-rules.ts';
import type { AdoptObservation, AdoptPlace, LiveSingle } from './adopt-observation.ts';
import { carriedSettings, formerRules, movesIn, recordedPlace } from './adoption.ts';

export interface Intention extends AdoptPlace {
  readonly instance: Instance;
  readonly version: number;
  readonly walDir?: string;
  readonly values: Readonly<Record<string, string>>;
  readonly standbys: readonly string[];
  readonly addresses: readonly string[];
  /** Units and files of the system may be written there. */
  readonly managed: boolean;
}

interface Obstacle {
  readonly what: string;
  readonly fix: string;
}

/** Why this server cannot be multiplexed as it is; undefined when nothing stands in the way. */
export function inTheWay(intention: Intention, observation: AdoptObservation): Diagnostic | undefined {
  const found = [...obstacles(intention, observation)];
  const [first] = found;
  if (!first) return undefined;
  const alone = found.length === 1;
  return {
    code: 'SAF030',
    what: alone
      ? first.what
      : `${found.length} things stand in the way of multiplexing the server in '${intention.dataDir}'`,
    why: 'the server would not work as the primary of a pair; nothing has been changed',
    fix: alone ? first.fix : 'Repair what is listed below, then run the same command again.',
    evidence: alone ? [] : found.map(({ what, fix }) => `${what}. ${fix}`),
  };
}

function* obstacles(intention: Intention, observation: AdoptObservation): Generator<Obstacle> {
  const { dataDir, version } = intention;
  if (/[^\x21-\x7e]/.test(dataDir))
    yield {
      what: `the name of the data directory '${dataDir}' has spaces or characters outside of ASCII`,
      fix: 'Stop the server, move the directory (mv) to a plain name, start it there (pg_ctl -D), and name it in the inventory.',
    };
  for (const { path } of observation.live?.tablespaces ?? [])
    if (/[\r\n]/.test(path))
      yield {
        what: `the tablespace directory ${JSON.stringify(path)} has a line break in its name`,
        fix: 'Move what is in it to a tablespace in a directory with a plain name (ALTER TABLE … SET TABLESPACE), and drop it.',
      };
  if (observation.version === undefined) {
    yield {
      what: `there is no PostgreSQL data directory in '${dataDir}'`,
      fix: "Name the directory of the running server in the inventory (postgres.data_dir; SHOW data_directory tells it). A new server is made by 'pgduet provision'.",
    };
    return;
  }
  if (observation.version < oldestVersion) {
    yield {
      what: `the data directory holds PostgreSQL ${observation.version}; pgduet takes servers of version ${oldestVersion} and newer in`,
      fix: `Upgrade it first (pg_upgrade, or dump and restore), then write its version into the inventory.`,
    };
    return;
  }
  if (observation.version !== version)
    yield {
      what: `the data directory holds PostgreSQL ${observation.version}, the inventory says ${version}`,
      fix: `Write postgres.version: ${observation.version}.`,
    };
  yield* places(intention, observation);
  yield* chargeObstacles(intention, observation);
  yield* fileObstacles(intention, observation);
}

function* places(intention: Intention, observation: AdoptObservation): Generator<Obstacle> {
  const { instance, dataDir, walDir } = intention;
  if (!observation.running) {
    yield {
      what: `no server runs in '${dataDir}'`,
      fix: 'Start it as always: what it is like, and who starts it, can only be seen while it runs.',
    };
    return;
  }
  if (observation.port !== undefined && observation.port !== instance.port)
    yield {
      what: `the server listens on port ${observation.port}, the inventory says ${instance.port}`,
      fix: `Write postgres.port: ${observation.port}; clients keep their port.`,
    };
  else if (!observation.live)
    yield {
      what: `the server does not let ${instance.owner} in through its socket in ${instance.socketDir}: ${observation.problem.split('\n')[0]}`,
      fix: `Its first socket directory is ${observation.socketDir ?? 'not known'}: write it as postgres.socket_dir if it differs. The rule 'local postgres ${instance.owner} peer' in pg_hba.conf lets the administrator in.`,
    };
  if (observation.walDir !== walDir)
    yield {
      what: `pg_wal leads to ${observation.walDir ?? 'no other place'}, the inventory says ${walDir ?? 'nothing of it'}`,
      fix: observation.walDir
        ? `Write postgres.wal_dir: ${observation.walDir}; the standbys get the same.`
        : 'Remove postgres.wal_dir, or give it only to the standbys (hosts: … postgres.wal_dir).',
    };
  if (observation.live?.inRecovery)
    yield {
      what: 'the server is a standby itself',
      fix: 'Name its primary in the inventory, or promote it first if it shall be one.',
    };
}

/** Servers whose word its commits wait for, but for those of the cluster; '*' is everybody. */
const strangers = (names: string, standbys: readonly string[]): readonly string[] =>
  names
    .split(/[\s,()"]+/)
    .filter((word) => word !== '' && !/^(FIRST|ANY|\d+)$/i.test(word) && !standbys.includes(word));

function* chargeObstacles(
  { managed, standbys }: Intention,
  observation: AdoptObservation,
): Generator<Obstacle> {
  if (observation.unit && !managed)
    yield {
      what: `${observation.unit.name} starts the server, and that cannot be changed without root`,
      fix: 'Log in as root, or set ssh: { become: sudo } in the inventory.',
    };
  const names = observation.live?.settings.get('synchronous_standby_names')?.value ?? '';
  if (strangers(names, standbys).length > 0 && !observation.before)
    yield {
      what: `its commits wait for other standbys already: synchronous_standby_names = ${names}`,
      fix: 'Take them out first (ALTER SYSTEM RESET synchronous_standby_names, or remove the line, and reload).',
    };
}

function* fileObstacles(intention: Intention, observation: AdoptObservation): Generator<Obstacle> {
  for (const path of observation.unreadable)
    yield { what: `${path} holds bytes that are no UTF-8`, fix: 'Write the file in UTF-8 (iconv -t UTF-8).' };
  if (!movesIn(intention, observation)) return;
  const follows = /^[^#\n]*(?:^\s*include|@[\w/."-]+)/im.exec(formerRules(observation));
  if (follows)
    yield {
      what: `pg_hba.conf refers to another file: ${follows[0].trim()}`,
      fix: 'Write the names or rules of that file into pg_hba.conf itself: the standbys get that file alone.',
    };
}

/** What a person should know before saying yes. */
export function notesOn(intention: Intention, observation: AdoptObservation): readonly string[] {
  const { live } = observation;
  if (!live) return [];
  const moves = movesIn(intention, observation);
  return [
    ...settingNotes(intention, observation, live, moves),
    ...stopNote(intention, live, moves, observation),
    copyNote(intention, observation, live),
    ...ruleNotes(intention, observation),
    ...clientNote(live),
    ...contentNotes(observation, live),
  ];
}

function settingNotes(
  { values, dataDir }: Intention,
  observation: AdoptObservation,
  live: LiveSingle,
  moves: boolean,
): readonly string[] {
  const { names, restart } = judge(values, live.settings, undefined, moves);
  const options = carriedSettings(observation);
  const shown = (value: string | undefined): string => (value === '' ? "''" : (value ?? 'nothing'));
  const changes = names
    .filter((name) => !(name in options))
    .map((name) => {
      const seen = live.settings.get(name.toLowerCase());
      const from = seen ? `${shown(seen.value)} (${recordedPlace(seen)})` : 'what is not known';
      const needs = restart.includes(name) ? 'needs the restart' : 'needs a reload';
      return `${name}: ${from} becomes ${shown(values[name])}; ${needs}`;
    });
  const carried = Object.entries(options).map(
    ([name, value]) => `${name}: ${value} stood on the server's command line; it moves into postgresql.conf`,
  );
  const config = live.settings.get('config_file')?.value;
  const place = moves
    ? [
        `the configuration moves from ${config} to ${dataDir}: edits of the old files have no effect while multiplexed, and they come back into force at 'pgduet teardown'`,
      ]
    : [];
  return [...place, ...changes, ...carried];
}

function stopNote(
  { values }: Intention,
  live: LiveSingle,
  moves: boolean,
  observation: AdoptObservation,
): readonly string[] {
  const { restart } = judge(values, live.settings, undefined, moves);
  const reasons = [...(moves ? ['config_file'] : []), ...restart];
  const unit = observation.unit
    ? `${observation.unit.name} stays installed and does not start it any more`
    : 'it was started by hand';
  if (reasons.length === 0) return [`no restart is needed; clients notice nothing (${unit})`];
  return [
    `PostgreSQL is restarted once, for ${reasons.join(', ')}: a checkpoint is made first, then connections end and about a second passes until new ones are taken (${unit})`,
  ];
}

function copyNote({ standbys }: Intention, observation: AdoptObservation, live: LiveSingle): string {
  const size = formatBytes(live.bytes);
  const each = `${size} of data are copied to ${standbys.join(' and ')} while clients go on working`;
  if (!observation.readRate) return each;
  const ms = (live.bytes / observation.readRate) * 1000;
  return `${each}: ${formatDuration(ms)} at least, at the ${formatBytes(observation.readRate)}/s that its disk was just read with; the network and the other disk may be slower`;
}

const ruleNotes = ({ addresses, instance }: Intention, observation: AdoptObservation): readonly string[] => {
  const rules = formerRules(observation)
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.trim().startsWith('#'));
  const open = rules
    .filter((rule) => /\btrust\s*(#.*)?$/.test(rule))
    .map((rule) => rule.replace(/\s+/g, ' '));
  return [
    `the ${rules.length} rules of pg_hba.conf stay; in front of them come: replication from ${addresses.join(', ')} with scram-sha-256, and ${instance.owner} to database postgres by peer on the socket`,
    ...(open.length > 0
      ? [
          `rules that let anyone in without proof stay too, and hold on the standbys as well: ${open.join('; ')}`,
        ]
      : []),
  ];
};

function clientNote({ clients }: LiveSingle): readonly string[] {
  const from = Object.entries(clients).map(([address, count]) => `${address} (${count})`);
  if (from.length === 0) return [];
  return [`clients are connected from ${from.join(', ')}: the same rules go on letting them in`];
}

function* contentNotes(observation: AdoptObservation, live: LiveSingle): Generator<string> {
  if (observation.unloggedTables > 0)
    yield `${observation.unloggedTables} unlogged tables are not replicated: they are empty after a switch`;
  const logical = live.slots.filter(({ type }) => type === 'logical').map(({ name }) => name);
  const physical = live.slots.filter(({ type }) => type === 'physical').map(({ name }) => name);
  if (logical.length > 0)
    yield `logical slots are not carried to the other server by a switch, their subscribers have to begin anew there: ${logical.join(', ')}${observation.publications > 0 ? ` (${observation.publications} publications are)` : ''}`;
  if (physical.length > 0) yield `physical slots stay on this server alone: ${physical.join(', ')}`;
  const archive = live.settings.get('archive_mode')?.value ?? 'off';
  if (archive !== 'off')
    yield `archiving goes on as it is, with archive_command on whichever server is primary: ${live.settings.get('archive_command')?.value ?? ''}`;
  if (live.senders > 0)
    yield `${live.senders} other clients replicate from it already: they go on, and are no part of the cluster`;
  if (live.settings.get('fsync')?.value === 'off')
    yield 'fsync is off: after a power failure of the host its data may be broken, and it is not noticed';
}
