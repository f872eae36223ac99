/**
 * What is said before a single server is touched: what stands in the way, all of it at once, and what a person should
 * know before saying yes. In: what was seen of the server. Out: words. Each subject has a file of its own beside this one. Pure.
 */
import type { Diagnostic } from '../../base/diagnostic.ts';
import { quoteIdentifier } from '../../postgres/quote.ts';
import { oldestVersion } from '../../postgres/versions.ts';
import { clientNote, contentNotes, copyNote } from './adopt-content.ts';
import { fileObstacles, ruleNotes, settingNotes } from './adopt-files.ts';
import { buildObstacles, formerNotes, formerObstacles, placeObstacles } from './adopt-former.ts';
import type { AdoptObservation, LiveSingle } from './adopt-observation.ts';
import type { Intention, Obstacle } from './adopt-place.ts';
import { chargeObstacles, stopNote } from './adopt-surroundings.ts';
import { recordProblem } from './record-trust.ts';

/** What stands in the way of a server that is there, by subject. */
const obstaclesOf: readonly ((intention: Intention, seen: AdoptObservation) => Iterable<Obstacle>)[] = [
  places,
  chargeObstacles,
  buildObstacles,
  formerObstacles,
  placeObstacles,
  fileObstacles,
];

/** What a person reads before saying yes, by subject. */
const notesOf: readonly ((
  intention: Intention,
  seen: AdoptObservation,
  live: LiveSingle,
) => Iterable<string>)[] = [
  settingNotes,
  stopNote,
  formerNotes,
  copyNote,
  ruleNotes,
  clientNote,
  contentNotes,
];

/** Its content is that of the primary. */
const notesOfStandby: typeof notesOf = [settingNotes, stopNote, formerNotes, ruleNotes, clientNote];

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
    why: `the server would not work as ${intention.follows ? 'a standby' : 'the primary'} of a pair; nothing has been changed`,
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
  for (const name of observation.unasked)
    yield {
      what: `the database ${name} has a line break or another control character in its name`,
      fix: 'Give it a plain name (ALTER DATABASE … RENAME TO …), or drop it: whoever may create databases could have made it.',
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
  const recorded = recordProblem(intention, observation);
  if (recorded) yield recorded;
  for (const subject of obstaclesOf) yield* subject(intention, observation);
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
  else if (!observation.live) yield unanswered(intention, observation);
  if (walDir === undefined ? observation.walDir !== undefined : !observation.walAsDeclared)
    yield {
      what: `pg_wal leads to ${observation.walDir ?? 'no other place'}, the inventory says ${walDir ?? 'nothing of it'}`,
      fix: observation.walDir
        ? `Write postgres.wal_dir: ${observation.walDir}; the standbys get the same.`
        : 'Remove postgres.wal_dir, or give it only to the standbys (hosts: … postgres.wal_dir).',
    };
  if (intention.follows) yield* followObstacles(intention, observation);
  else if (observation.live?.inRecovery)
    yield {
      what: 'the server is a standby itself',
      fix: 'Name its primary in the inventory, or promote it first if it shall be one.',
    };
}

/** So much a planned switch waits for, too. */
const mostBehind = 16 * 1024 * 1024;

/** Only what streams from the primary now is proven to be its standby. */
function* followObstacles(
  { sender = '', instance }: Intention,
  { live }: AdoptObservation,
): Generator<Obstacle> {
  if (live && !live.inRecovery)
    yield {
      what: 'the server takes writes: it was a standby when it was looked at first',
      fix: 'Look which of the two shall be primary; two primaries are no pair.',
    };
  const [state = '', behind = ''] = sender.split(' ');
  if (state === '')
    yield {
      what: 'the primary has no WAL sender for it: it does not stream, or follows another standby',
      fix: `See the log of the standby, and set primary_conninfo so that it follows the primary itself on port ${instance.port}; where it cannot follow any more, move its data away, and 'pgduet migrate' copies it anew.`,
    };
  else if (state !== 'streaming' || Number(behind) > mostBehind)
    yield {
      what: `it is behind its primary: ${state}, ${behind === '' ? 'nobody knows how many' : behind} bytes are missing`,
      fix: 'Wait until it has caught up (pg_stat_replication on the primary), then run the same command again.',
    };
}

/** Why the server has not answered, by what it or psql has said. */
function unanswered({ instance }: Intention, { problem, socketDir }: AdoptObservation): Obstacle {
  const said = problem.split('\n')[0] ?? '';
  if (/statement timeout/.test(said))
    return {
      what: `the server has not answered within 10 s: ${said}`,
      fix: 'Look what it is busy with (pg_stat_activity, locks on the catalogs, the disk), and run the same command again.',
    };
  if (/database "postgres" does not exist/.test(said))
    return {
      what: "the server has no database 'postgres', which the controller and psql connect to",
      fix: 'Make it: CREATE DATABASE postgres;',
    };
  if (/role ".*" does not exist/.test(said))
    return {
      what: `the server has no role of the name of its owner: ${said}`,
      fix: `Make it: CREATE ROLE ${quoteIdentifier(instance.owner)} LOGIN SUPERUSER; with a rule 'local all ${instance.owner} peer' in pg_hba.conf.`,
    };
  return {
    what: `the server does not let ${instance.owner} in through its socket in ${instance.socketDir}: ${said}`,
    fix: `Its first socket directory is ${socketDir ?? 'not known'}: write it as postgres.socket_dir if it differs. The rule 'local postgres ${instance.owner} peer' in pg_hba.conf lets the administrator in.`,
  };
}

/** What a person should know before saying yes. */
export function notesOn(intention: Intention, observation: AdoptObservation): readonly string[] {
  const { live } = observation;
  const subjects = intention.follows ? notesOfStandby : notesOf;
  return live ? subjects.flatMap((subject) => [...subject(intention, observation, live)]) : [];
}
