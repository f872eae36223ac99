/**
 * rebuild: a server that is out (a former primary, or a standby that does not stream) becomes a standby of the present
 * primary: by pg_rewind where that is possible, else by a base backup. What it alone may know is put aside first.
 */
import { formatBytes } from '../../base/units.ts';
import { flag, integer, optional, secret, text, wordList } from '../contract/field.ts';
import { serverFields } from '../contract/fields.ts';
import {
  type Change,
  change,
  present,
  type ResourceKind,
  refuse,
  type Step,
  same,
  unknown,
  type Verdict,
} from '../contract/kind.ts';
import { broughtField } from '../contract/library-directory.ts';
import { unlockFields } from '../contract/unlock.ts';
import {
  configurationField,
  configurationProbe,
  configurationProblem,
  demandsField,
} from './copied-configuration.ts';
import { inTheWay, othersInTheWay, sameFiles } from './own-files.ts';
import { type RebuildObservation, readRebuild, rebuildProbe, streamQuery } from './rebuild-observation.ts';
import { copyStep, keepStep, type RebuildDesired, rewindStep, stopStep } from './rebuild-steps.ts';
import { anotherCluster, isMissing, lostPlace, missingData, unreadRecord, unusable } from './refusals.ts';

interface RebuildChange extends Change {
  readonly method: 'rewind' | 'copy';
  /** The controller, and with it a standby that still runs, is stopped first. */
  readonly stop: boolean;
  readonly standby: boolean;
  readonly keep: boolean;
  /** The primary's system identifier. */
  readonly system: string | undefined;
}

const fields = serverFields(
  {
    primary: text('name of the server that is primary'),
    host: text("the primary's address for replication"),
    port: integer('its port'),
    user: text('the role that replicates'),
    slot: text('the slot that keeps WAL during a base backup'),
    rewind_user: text('the role that pg_rewind reads with'),
    rewind_password: secret('its password, made for each run: `!secret rewind_password`'),
    tablespaces: wordList(
      "directories of the primary's tablespaces: a base backup writes to the same places",
      'path',
    ),
    same: sameFiles,
    configuration: configurationField,
    brought: broughtField,
    demands: demandsField,
    ...unlockFields,
    copy: flag('`true` for a base backup in any case', false),
    keep_copy: optional(
      text('where data is put aside that may hold commits of its own; without it beside the data directory'),
    ),
  },
  ({ rewindPassword: password, keepCopy, ...rest }, { server, entropy }, problem): RebuildDesired => {
    const { dataDir, id } = server;
    if (keepCopy !== undefined && (!keepCopy.startsWith('/') || `${keepCopy}/`.startsWith(`${dataDir}/`)))
      problem(
        'keep_copy',
        `'${keepCopy}' is no place for a copy`,
        'Name a directory by its absolute path, outside of the data directory.',
      );
    return {
      ...server,
      ...rest,
      keepIn: keepCopy ?? (dataDir.replace(/\/[^/]*$/, '') || '/'),
      keepAs: keepCopy === undefined ? `${dataDir}.before-rebuild` : `${keepCopy}/${id}.before-rebuild`,
      run: entropy,
      ...(password ? { password } : {}),
    };
  },
);

export const rebuild: ResourceKind<RebuildDesired, RebuildObservation, RebuildChange> = {
  kind: 'rebuild',
  summary:
    'A former primary, or a standby that does not stream, made a standby of the primary again: pg_rewind, else a base backup.',
  fields,
  key: (desired) => desired.dataDir,
  renews: (desired) => desired.dataDir,
  describe: (desired) => `${desired.id} as standby of ${desired.primary}`,
  probe: (desired) => ({ shell: rebuildProbe(desired), sql: streamQuery }),
  read: (reply) => {
    const seen = readRebuild(reply);
    return seen ? present(seen) : unknown(reply.stderr.trim() || 'the data directory could not be looked at');
  },
  diff: (desired, observed) => {
    if (observed.state === 'absent') return same('nothing to say');
    const seen = observed.value;
    return refusal(desired, seen) ?? settled(desired, seen) ?? decide(desired, seen);
  },
  tries: (_planned, desired) => configurationProbe(desired),
  objection: (reply, _planned, desired) => configurationProblem(reply, desired),
  steps: (planned, desired): readonly Step[] => [
    ...(planned.stop ? [stopStep(desired, planned)] : []),
    ...(planned.keep ? [keepStep(desired)] : []),
    planned.method === 'rewind' ? rewindStep(desired) : copyStep(desired, planned.system),
  ],
};

/** A directory that holds nothing of its own: empty, or left unfinished by an earlier attempt. */
const worthless = ({ data }: RebuildObservation): boolean =>
  data.making !== undefined || data.content !== 'cluster';

function refusal(desired: RebuildDesired, seen: RebuildObservation): Verdict<RebuildChange> | undefined {
  const { data, source } = seen;
  const no = (what: string, why: string, fix: string) => refuse({ code: 'SAF012', what, why, fix });
  if (desired.id === desired.primary)
    return no(
      `'${desired.id}' is the primary`,
      'the other servers are rebuilt with its data',
      'Name a server that is out; or make a standby primary first (pgduet switch), then this one can be rebuilt.',
    );
  if ('problem' in source)
    return no(
      `the primary, ${desired.primary}, does not let '${desired.id}' replicate`,
      source.problem,
      `Look at the connection from ${desired.id} to ${desired.host}:${desired.port}, and at the password file and client rules ('pgduet check').`,
    );
  const problem = unexpected(desired, seen, source.systemIdentifier);
  if (problem) return refuse(problem);
  if (worthless(seen)) return undefined;
  const system = data.control?.systemIdentifier ?? data.recorded;
  if (data.recorded === undefined || system !== source.systemIdentifier)
    return refuse(anotherCluster(desired.id, desired.dataDir, data, source.systemIdentifier));
  if (data.running && !seen.controllerRuns)
    return no(
      `a server runs on '${desired.id}' that no controller watches`,
      'somebody has started it by hand, and may need it',
      `Stop it there: pg_ctl stop -D ${desired.dataDir} (as ${desired.owner}); then run the same command again.`,
    );
  return undefined;
}

/** Something that would be lost, or that is not what is remembered. pg_rewind removes what the primary does not have, too. */
function unexpected(desired: RebuildDesired, { data }: RebuildObservation, system: string) {
  const { dataDir, id, same } = desired;
  const unread = unreadRecord(dataDir, desired, data);
  if (unread) return unread;
  if (isMissing(data)) return missingData(dataDir, desired, data);
  const systems = [system, data.recorded];
  const others = inTheWay(dataDir, data.besides ?? [], same);
  return (
    unusable(dataDir, desired.version, data, { systems, ...(same ? { same } : {}) }) ??
    othersInTheWay(`the data of '${id}'`, others, 'a rebuild would delete it') ??
    lostPlace(dataDir, desired, data)
  );
}

/** Done, or never needed. */
function settled(desired: RebuildDesired, seen: RebuildObservation): Verdict<RebuildChange> | undefined {
  const { data } = seen;
  if (worthless(seen) || !data.standbySignal) return undefined;
  if (data.started !== true && !data.running) return same(`made a standby of ${desired.primary}`);
  if (seen.streams && (!desired.copy || seen.record.done === desired.run))
    return same(`a standby of ${desired.primary} that streams`);
  return undefined;
}

function decide(desired: RebuildDesired, seen: RebuildObservation): Verdict<RebuildChange> {
  const { method, reason } = chooseMethod(desired, seen);
  const keep = !worthless(seen) && seen.beyond.kind !== 'none' && seen.record.kept === undefined;
  if (keep && seen.free < seen.size * 1.05) return noRoom(desired, seen);
  const summary =
    method === 'rewind'
      ? `rewind ${desired.id} to the primary, ${desired.primary} (pg_rewind)`
      : `copy the primary, ${desired.primary}, to ${desired.id} (base backup)`;
  const notes = [
    ...beyondNotes(desired, seen, keep),
    ...slotNotes(desired, seen),
    ...(seen.data.running ? [`the standby on ${desired.id} is stopped first, through its controller`] : []),
    ...(method === 'rewind' ? ['where its dry run says no, a base backup is taken instead'] : []),
  ];
  const { controllerRuns: stop, data } = seen;
  const system = 'problem' in seen.source ? undefined : seen.source.systemIdentifier;
  const how = { method, stop, standby: data.standbySignal, keep, system };
  return change({ summary, reason, ...how, ...(notes.length > 0 ? { notes } : {}) });
}

function chooseMethod(
  desired: RebuildDesired,
  { data, record, walLogHints, fullPageWrites }: RebuildObservation,
): { readonly method: 'rewind' | 'copy'; readonly reason: string } {
  const copy = (reason: string) => ({ method: 'copy', reason }) as const;
  if (data.making !== undefined)
    return copy(record.why ?? `an interrupted ${data.making} left an unfinished one`);
  if (data.content !== 'cluster') return copy(`the directory is ${data.content}`);
  if (desired.copy) return copy('asked for with --copy');
  if (data.standbySignal) return copy('it is a standby that does not stream');
  if (!data.control) return copy('its control file cannot be read');
  if (!data.control.checksums && !walLogHints)
    return copy('no rewind is possible: neither checksums nor wal_log_hints were on');
  if (!fullPageWrites) return copy('no rewind is possible: full_page_writes was off');
  return {
    method: 'rewind',
    reason: `it was primary on timeline ${data.control.reached.timeline}; ${data.control.checksums ? 'checksums' : 'wal_log_hints'} and full_page_writes were on`,
  };
}

/** What stands only here, in words, and what becomes of it. */
function beyondNotes(
  desired: RebuildDesired,
  { beyond, record, size }: RebuildObservation,
  keep: boolean,
): readonly string[] {
  if (record.kept !== undefined) return [`its data as it was is kept in ${record.kept}`];
  if (!keep || beyond.kind === 'none') return [];
  const what =
    beyond.kind === 'commits'
      ? `${beyond.count} commits are on ${desired.id} alone: ${desired.primary} never got them`
      : `it cannot be told whether ${desired.id} holds commits that ${desired.primary} lacks: ${beyond.reason}`;
  return [`${what}; its data, ${formatBytes(size * 1024)}, is kept in ${desired.keepAs}-TIME first`];
}

/** Neither a copy nor pg_rewind leaves one. */
const slotNotes = (
  { id, primary }: RebuildDesired,
  { data, slots }: RebuildObservation,
): readonly string[] =>
  data.standbySignal || slots.length === 0
    ? []
    : [
        `the replication slots of ${id} go, and whoever read from them begins anew at ${primary}: ${slots.join(', ')}`,
      ];

const noRoom = (desired: RebuildDesired, { size, free }: RebuildObservation): Verdict<RebuildChange> =>
  refuse({
    code: 'SAF011',
    what: `'${desired.id}' may hold commits that ${desired.primary} lacks, and there is no room to keep its data`,
    why: `${formatBytes(size * 1024)} are needed in ${desired.keepIn}, ${formatBytes(free * 1024)} are free; without a copy they would be lost`,
    fix: 'Name a directory on a disk with room: pgduet rebuild HOST --keep-copy DIRECTORY.',
  });
