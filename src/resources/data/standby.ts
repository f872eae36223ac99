/**
 * standby: a data directory copied from the primary by pg_basebackup, through a slot made for the copy, so that the
 * WAL written meanwhile is kept. It follows the primary from its first start. Existing data is never overwritten.
 */
import type { Diagnostic } from '../../base/diagnostic.ts';
import { quote, sh } from '../../base/shell.ts';
import { serverConninfo } from '../../postgres/conninfo.ts';
import { integer, optional, text, wordList } from '../contract/field.ts';
import { type DesiredOf, serverFields } from '../contract/fields.ts';
import {
  change,
  type Progress,
  present,
  type ResourceKind,
  refuse,
  same,
  unknown,
} from '../contract/kind.ts';
import { broughtField } from '../contract/library-directory.ts';
import { rebuildAdvice } from '../controller/outage.ts';
import {
  configurationField,
  configurationProbe,
  configurationProblem,
  demandsField,
} from './copied-configuration.ts';
import {
  type DataDirectory,
  type DataPlaces,
  dataDirectoryProbe,
  readDataDirectory,
  unidentified,
} from './data-directory.ts';
import { beginMaking, endMaking } from './making.ts';
import { sameFiles } from './own-files.ts';
import {
  anotherCluster,
  isMissing,
  missingData,
  unreadRecord,
  unrecordedCopy,
  unusable,
} from './refusals.ts';

/** What a copy needs to know; its tablespaces go where the primary has them. */
interface CopyPlace extends DataPlaces {
  readonly owner: string;
  /** The primary's log transfer address and port. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly slot: string;
  readonly systemIdentifier?: string | undefined;
  readonly same?: readonly string[];
  /** Words of the connection string besides. */
  readonly demands?: Readonly<Record<string, string>>;
}

/** "  12345/67890 kB (18%), 0/1 tablespace" as pg_basebackup --progress prints it. */
export function basebackupProgress(line: string): Progress | undefined {
  const match = /^\s*(\d+)\/(\d+) kB \(/.exec(line);
  return match ? { doneBytes: Number(match[1]) * 1024, totalBytes: Number(match[2]) * 1024 } : undefined;
}

const fields = serverFields({
  host: text("the primary's address for replication"),
  port: integer('its port'),
  user: text('the role that replicates'),
  slot: text('the slot that keeps WAL during the copy'),
  tablespaces: wordList(
    "directories of the primary's tablespaces: the copy writes to the same places",
    'path',
  ),
  same: sameFiles,
  configuration: configurationField,
  brought: broughtField,
  demands: demandsField,
  system_identifier: optional(
    text("the primary's, as it was seen; data of another cluster is never touched"),
  ),
});
type Desired = DesiredOf<typeof fields>;

/** It stays as it is: what only it holds would be lost. */
function formerPrimary({ id, dataDir, host, port }: Desired, { control }: DataDirectory): Diagnostic {
  const { fix, commands } = rebuildAdvice(id);
  return {
    code: 'SAF007',
    what: `the server in '${dataDir}' was a primary and has not been made a standby`,
    why: `another server is primary now (${host}:${port}); this one may hold commits that it lacks, so it is neither started nor overwritten`,
    fix: `${fix}. That needs the primary: where it does not run, pgduet recover starts it. Until then this server stays as it is, and nothing is changed on any server.`,
    commands,
    evidence: [
      `state: ${control?.state ?? 'unknown'}`,
      `timeline: ${control?.reached.timeline ?? 'unknown'}`,
    ],
  };
}

export const standby: ResourceKind<Desired, DataDirectory> = {
  kind: 'standby',
  summary: 'A copy of the primary by pg_basebackup, told to follow it.',
  fields,
  key: (desired) => desired.dataDir,
  renews: (desired) => desired.dataDir,
  describe: (desired) => `copy of the primary in ${desired.dataDir}`,
  probe: (desired) => ({ shell: dataDirectoryProbe(desired) }),
  read: (reply, desired) => {
    const seen = readDataDirectory(reply);
    if (!seen) return unknown(reply.stderr.trim() || 'the data directory could not be looked at');
    const problem = seen.version === desired.version && unidentified(seen);
    return problem ? unknown(problem) : present(seen);
  },
  diff: (desired, observed) => {
    const seen = observed.state === 'present' ? observed.value : undefined;
    const known = { same: desired.same, systems: systemsOf(desired) };
    const problem =
      seen &&
      (unreadRecord(desired.dataDir, desired, seen) ??
        unusable(desired.dataDir, desired.version, seen, known));
    if (problem) return refuse(problem);
    if (seen && isMissing(seen)) return refuse(missingData(desired.dataDir, desired, seen));
    const summary = `copy the primary (${desired.host}:${desired.port}) to ${desired.dataDir}`;
    if (seen?.making !== undefined)
      return change({ summary, reason: `an interrupted ${seen.making} left an unfinished one` });
    if (!seen || seen.content === 'absent' || seen.content === 'empty')
      return change({ summary, reason: `the directory is ${seen?.content ?? 'absent'}` });
    if (seen.control?.systemIdentifier !== desired.systemIdentifier)
      return refuse(anotherCluster(desired.id, desired.dataDir, seen, desired.systemIdentifier));
    if (!seen.standbySignal && seen.recorded === undefined)
      return refuse(unrecordedCopy(desired.id, desired.dataDir, seen));
    if (!seen.standbySignal) return refuse(formerPrimary(desired, seen));
    return same(`a standby of cluster ${desired.systemIdentifier ?? ''}`);
  },
  tries: (_change, desired) => configurationProbe(desired),
  objection: (reply, _change, desired) => configurationProblem(reply, desired),
  steps: (_change, desired) => [
    {
      title: `base backup to ${desired.dataDir}`,
      script: copyScript(desired),
      progress: basebackupProgress,
    },
  ],
};

const systemsOf = ({ systemIdentifier }: Desired): readonly string[] =>
  systemIdentifier ? [systemIdentifier] : [];

/** Shell: the whole copy, from the mark that it begins to the mark that it is finished. */
export function copyScript(desired: CopyPlace): string {
  // Not the standby's own name: the copy's WAL stream must not pass for the standby.
  const source = serverConninfo(desired, 'pgduet_copy', {
    connect_timeout: 10,
    // A primary that falls silent must end the copy within half a minute, and not hold up the run for hours.
    keepalives_idle: 10,
    keepalives_interval: 5,
    keepalives_count: 3,
    ...desired.demands,
  });
  return `${beginMaking({ ...desired, what: 'copy', system: desired.systemIdentifier })}
export PGPASSFILE="$PASSFILE"
${sh`as ${desired.owner} "$PGBIN/pg_receivewal" -w -d ${source} -S ${desired.slot} --create-slot --if-not-exists`}
${sh`as ${desired.owner} "$PGBIN/pg_basebackup" $nosync -w -d ${source} -D ${desired.dataDir} -S ${desired.slot} -X stream --checkpoint=fast --progress`} ${desired.walDir ? `--waldir=${quote(desired.walDir)}` : ''}
${sh`as ${desired.owner} touch ${`${desired.dataDir}/standby.signal`}`}
${endMaking(desired, desired.owner, desired.walDir)}`;
}
