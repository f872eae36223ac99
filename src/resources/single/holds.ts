/**
 * holds: on the server that stays: all that another server's data reaches up to is in its own history, and its control file
 * says so, by a checkpoint behind that place. What is ahead, or on a timeline of its own, is refused.
 */

import { advised, here } from '../../base/command.ts';
import type { Diagnostic } from '../../base/diagnostic.ts';
import { quote } from '../../base/shell.ts';
import { parseControlData, walNumber } from '../../postgres/controldata.ts';
import { administration } from '../../postgres/session.ts';
import { flag, integer, optional, text } from '../contract/field.ts';
import { type DesiredOf, fieldsOnServer } from '../contract/fields.ts';
import { change, present, type ResourceKind, refuse, same, unknown } from '../contract/kind.ts';
import { replyLines } from '../contract/replies.ts';

const fields = fieldsOnServer(
  {
    server: text('name of the other server'),
    system_identifier: optional(text('the system identifier of its data')),
    position: optional(
      text('the WAL position that its data reaches; without one it has no data that counts'),
    ),
    timeline: integer('the timeline of that position; 0 is none', 0),
    runs: flag('`true` as long as it still receives WAL', false),
  },
  ({ timeline, ...rest }, { server: { dataDir, owner } }, problem) => {
    const { position } = rest;
    if (position !== undefined && !/^[0-9A-F]+\/[0-9A-F]+$/i.test(position))
      problem('position', `'${position}' is no WAL position`, "Write 'position: 0/3000060'.");
    return { ...rest, dataDir, owner, ...(timeline > 0 ? { timeline } : {}) };
  },
);
type Desired = DesiredOf<typeof fields>;

interface Seen {
  readonly systemIdentifier: string;
  readonly checkpoint: string;
  readonly recovering: boolean;
  readonly timeline: number;
  readonly position: string;
  /** Where each earlier timeline was left. */
  readonly history: ReadonlyMap<number, string>;
}

const query = `select pg_is_in_recovery() || ' ' || case when pg_is_in_recovery() then '0/0' else pg_current_wal_flush_lsn()::text end || ' ' ||
 case when pg_is_in_recovery() then 0 else ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int end`;

/** Shell: defines `live`, psql to the server of the data directory wherever it listens now; its process is in pid, and without one it fails. */
export const liveSql = (dataDir: string, owner: string): string => `postmaster ${quote(dataDir)} || :
live() { [ -n "$pid" ] || { echo 'no server runs in the data directory' >&2; return 1; }; as ${quote(owner)} "$PGBIN/psql" -X -q -A -t -w -v ON_ERROR_STOP=1 -h "$(peek sed -n 5p ${quote(`${dataDir}/postmaster.pid`)})" -p "$(peek sed -n 4p ${quote(`${dataDir}/postmaster.pid`)})" -d ${quote(administration)}; }`;

export const holds: ResourceKind<Desired, Seen> = {
  kind: 'holds',
  summary:
    'This server has everything that another one has, by its WAL position and timeline, behind a checkpoint.',
  fields,
  key: (desired) => desired.server,
  describe: (desired) => `everything that ${desired.server} has`,
  probe: (desired) => ({
    shell: desired.position === undefined ? 'echo nothing' : probeScript(desired),
  }),
  read: (reply, desired) => {
    if (desired.position === undefined)
      return reply.stdout.trim() === 'nothing' && reply.status === 0
        ? present(nothing)
        : unknown(reply.stderr.trim() || 'the server could not be looked at');
    const line = replyLines(reply.stdout).first;
    const control = parseControlData(reply.stdout);
    const [recovering, position, timeline] = line('live')?.split(' ') ?? [];
    if (!control || !position || !timeline)
      return unknown(reply.stderr.trim() || line('problem') || 'the server does not answer');
    return present({
      systemIdentifier: control.systemIdentifier,
      checkpoint: control.checkpoint,
      recovering: recovering === 'true',
      timeline: Number(timeline),
      position,
      history: readHistory(reply.stdout),
    });
  },
  diff: (desired, observed) => {
    if (observed.state === 'absent' || desired.position === undefined)
      return same(`${desired.server} has no data that counts`);
    const seen = observed.value;
    const problem = obstacle(desired, desired.position, seen);
    if (problem) return refuse(problem);
    if (walNumber(seen.checkpoint) < walNumber(desired.position))
      return change({
        summary: `checkpoint, so that all that ${desired.server} has is in the data files here`,
        reason: `the last one was at ${seen.checkpoint}, ${desired.server} is at ${desired.position}`,
      });
    return same(
      `${desired.server} ends at ${desired.position} on timeline ${desired.timeline ?? '?'}; the last checkpoint here is at ${seen.checkpoint} on timeline ${seen.timeline}`,
    );
  },
  steps: (_change, desired) => [
    {
      title: 'checkpoint',
      script: `${liveSql(desired.dataDir, desired.owner)}\necho CHECKPOINT | live`,
    },
  ],
};

const nothing: Seen = {
  systemIdentifier: '',
  checkpoint: '0/0',
  recovering: false,
  timeline: 0,
  position: '0/0',
  history: new Map(),
};

/** The position stands in the question, so that another one is never answered by what was seen earlier. */
const probeScript = ({
  dataDir,
  owner,
  server,
  position,
}: Desired): string => `: ${quote(`${server} ${position}`)}
${liveSql(dataDir, owner)}
if [ -z "$pid" ]; then echo 'problem no server runs in the data directory'; exit; fi
said=$(echo ${quote(query)} | live 2>&1) && echo "live $said" || echo "problem $said" | head -n 1
for h in ${quote(dataDir)}/pg_wal/*.history; do if [ -f "$h" ]; then echo "history $(basename "$h" .history)"; peek sed 's/^/left /' "$h"; fi; done
peek "$PGBIN/pg_controldata" -D ${quote(dataDir)}`;

/** Of the file with the highest timeline, in hexadecimal digits: it holds all the earlier ones. */
function readHistory(text: string): ReadonlyMap<number, string> {
  const files = text.split(/^history (?=[0-9A-F]{8}$)/m).slice(1);
  const newest = files.reduce(
    (best, file) => (parseInt(file, 16) > parseInt(best || '0', 16) ? file : best),
    '',
  );
  return new Map(
    [...newest.matchAll(/^left (\d+)\s+([0-9A-F]+\/[0-9A-F]+)/gm)].map((match) => [
      Number(match[1]),
      match[2] ?? '',
    ]),
  );
}

const no = (desired: Desired, what: string, why: string, evidence: readonly string[]): Diagnostic => ({
  code: 'SAF020',
  what: `the data of '${desired.server}' cannot be deleted: ${what}`,
  why,
  ...advised`Make ${desired.server} a standby again (${here`pgduet rebuild ${desired.server}`}); or leave its data where it is: --keep-data.`,
  evidence,
});

/** Why it cannot be said that all of it is here. */
function obstacle(desired: Desired, position: string, seen: Seen): Diagnostic | undefined {
  const evidence = [
    `${desired.server}: system identifier ${desired.systemIdentifier ?? '?'}, timeline ${desired.timeline ?? '?'}, position ${position}`,
    `the server that stays: system identifier ${seen.systemIdentifier}, timeline ${seen.timeline}, position ${seen.position}`,
  ];
  if (desired.systemIdentifier !== seen.systemIdentifier)
    return no(desired, 'it is of another cluster', 'nothing here holds what is in it', evidence);
  if (seen.recovering)
    return no(desired, 'the server that stays is a standby', 'it may lack what the other has', evidence);
  const timeline = desired.timeline ?? 0;
  const left = timeline === seen.timeline ? seen.position : seen.history.get(timeline);
  if (left === undefined)
    return no(
      desired,
      `its timeline ${timeline} is no part of the history of the server that stays`,
      'what was written there is on that server alone',
      evidence,
    );
  // One that still streams has been given more since this server was asked.
  if (walNumber(position) > walNumber(left) && !(desired.runs && timeline === seen.timeline))
    return no(
      desired,
      `it is ahead: it ends at ${position}, the history here has timeline ${timeline} up to ${left}`,
      'what lies between is on that server alone',
      evidence,
    );
  return undefined;
}
