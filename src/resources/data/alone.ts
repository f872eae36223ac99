/**
 * alone: a former primary stays as it is, and what it holds beyond the server that came behind it was acknowledged to nobody who waited for a standby. Its WAL is read
 * from where that one left its timeline, its settings are asked of PostgreSQL. It changes nothing: what is not proven is refused.
 */
import { quote } from '../../base/shell.ts';
import { parseNames, sameName } from '../../postgres/standby-names.ts';
import { flag, integer, optional, text } from '../contract/field.ts';
import { type DesiredOf, serverFields } from '../contract/fields.ts';
import { present, type ResourceKind, refuse, same, unknown } from '../contract/kind.ts';
import { replyLines } from '../contract/replies.ts';
import { besideFunction } from './own-files.ts';
import { type Beyond, beyondFunction, readBeyond } from './rebuild-beyond.ts';

const position = /^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/;

const fields = serverFields(
  {
    primary: text('name of the server that was primary last'),
    timeline: integer('the timeline of that one'),
    history: optional(text('where it left each timeline before: `1 0/5000148, 2 0/7000000`')),
    fork: optional(text('where it left the timeline of this server; without it that is not known')),
    decides: flag('`true` before that one is started: what is not proven is refused', true),
    restless: optional(text('why this server would start by itself, if it would')),
    successor: optional(text('name of the server that took over from this one directly')),
    unproven: optional(
      text('why the promise of this server does not say that only that one confirmed its commits'),
    ),
    joins: flag('`true` where it gave its role away in a switch, and is started, too', false),
    promise: text('its own promise, in words', 'no promise'),
    commands: text('how a person starts the controllers', 'systemctl start UNIT'),
  },
  (values, { server }, problem) => {
    const history = (values.history ?? '').split(',').flatMap((left) => {
      const [timeline = '', at = ''] = left.trim().split(/\s+/);
      if (left.trim() === '') return [];
      if (!/^\d{1,10}$/.test(timeline) || !position.test(at))
        problem('history', `'${left.trim()}' is no timeline and position`, "Write 'history: 1 0/5000148'.");
      return [`${timeline}\t${at}\t`];
    });
    if (values.fork !== undefined && !position.test(values.fork))
      problem('fork', `'${values.fork}' is no WAL position`, "Write 'fork: 0/5000148'.");
    return { ...server, ...values, history };
  },
);
type Desired = DesiredOf<typeof fields>;

interface Seen {
  readonly beyond: Beyond;
  /** As PostgreSQL says them; undefined where it could not be asked. */
  readonly names?: string;
  readonly commit?: string;
  /** It was started with options that speak of them, or with another file of settings. */
  readonly options: boolean;
}

/** `-C` does not know with which options the server was started: those are in `postmaster.opts`. */
const probeScript = (desired: Desired): string => `d=${quote(desired.dataDir)}; w=$d/pg_wal
[ -f "$d/PG_VERSION" ] || { echo 'no data directory' >&2; exit 1; }
[ -n "$PGBIN" ] || { echo 'the programs of PostgreSQL are not there' >&2; exit 1; }
${besideFunction(desired.version)}
now=${desired.timeline}; said=
history=${quote(desired.history.join('\n'))}
${beyondFunction(desired)}
${desired.fork === undefined ? "echo 'beyond unknown the place where its timeline was left is not known'" : 'look_beyond'}
setting() { if said=$(peek "$PGBIN/postgres" -D "$d" -C "$1" 2>/dev/null); then printf '%s %s\n' "$2" "$said" | tr '\n' ' '; echo; fi; }
setting synchronous_standby_names names
setting synchronous_commit commit
if [ ! -e "$d/postmaster.opts" ]; then :
elif said=$(peek cat "$d/postmaster.opts" | tr 'A-Z_' 'a-z-'); then case $said in '' | *synchronous-* | *config-file*) ;; *) echo 'options none';; esac; fi`;

export const alone: ResourceKind<Desired, Seen> = {
  kind: 'alone',
  summary:
    'A former primary stays as it is: what it holds beyond the last one was acknowledged to nobody who waited for a standby.',
  fields,
  key: (desired) => desired.primary,
  describe: (desired) => `what ${desired.id} alone holds`,
  probe: (desired) => ({ shell: probeScript(desired) }),
  read: (reply) => {
    const { first, has } = replyLines(reply.stdout);
    const beyond = first('beyond');
    if (reply.status !== 0 || beyond === undefined)
      return unknown(reply.stderr.trim() || 'its WAL could not be looked at');
    const [names, commit] = [first('names')?.trim(), first('commit')?.trim()];
    return present({
      beyond: readBeyond(beyond),
      ...(names === undefined ? {} : { names }),
      ...(commit === undefined ? {} : { commit }),
      options: !has('options none'),
    });
  },
  diff: (desired, observed) => {
    if (observed.state === 'absent') return same('nothing to say');
    const seen = observed.value;
    const failed = desired.decides ? (desired.restless ?? weakness(desired, seen)) : undefined;
    if (failed !== undefined) return refuse(unprovenHolding(desired, seen, failed));
    return same(`${desired.id} alone holds ${aloneWords(desired, seen)}`);
  },
  steps: () => [],
};

/** Why a commit that this server alone holds may have been acknowledged to somebody who relied on a standby. */
function weakness(desired: Desired, seen: Seen): string | undefined {
  const { successor, unproven } = desired;
  if (seen.beyond.kind === 'none') return undefined;
  if (desired.joins) return 'it gave its role away, and holds more than it has given';
  if (unproven !== undefined) return unproven;
  if (successor === undefined) return 'nobody took over from it directly';
  const { names, commit, options } = seen;
  if (names === undefined || commit === undefined) return 'PostgreSQL does not say its settings';
  if (!parseNames(names).ids.some((name) => sameName(name, successor)))
    return `synchronous_standby_names = '${names}' does not name ${successor}`;
  if (!['on', 'remote_apply'].includes(commit))
    return `synchronous_commit = ${commit} waits for no standby's disk`;
  return options ? 'it was started with options that may say otherwise (postmaster.opts)' : undefined;
}

function heldWords({ fork }: Desired, { beyond }: Seen): string {
  switch (beyond.kind) {
    case 'none':
      return `nothing after ${fork}`;
    case 'commits':
      return `${beyond.count} ${beyond.count === 1 ? 'commit' : 'commits'} after ${fork}`;
    case 'unknown':
      return `unknown: ${beyond.reason}`;
  }
}

/** Once another one runs nobody proves any more to whom they were acknowledged. */
const aloneWords = (desired: Desired, seen: Seen): string =>
  seen.beyond.kind === 'none' || !desired.decides
    ? heldWords(desired, seen)
    : `${heldWords(desired, seen)}; acknowledged to nobody who waited for a standby`;

/** The way on where nothing is proven; it names no server. */
export const byPerson = (commands: string): string =>
  `A person decides. Keep copies of the data of all of them. On the one that is to count start its controller (${commands}), and where that waits for another one, which must be down: mc_ctl start. Then make the others standbys again, which keeps what they alone hold: pgduet rebuild.`;

const unprovenHolding = (desired: Desired, seen: Seen, failed: string) =>
  ({
    code: 'SAF091',
    what: `${desired.id} may hold commits that were acknowledged and that ${desired.primary} lacks, or would start beside it`,
    why: failed,
    fix: byPerson(desired.commands),
    evidence: [
      `${desired.id} alone: ${heldWords(desired, seen)}`,
      `${desired.primary} has left its timeline at ${desired.fork ?? '?'}, and is on timeline ${desired.timeline}`,
      `${desired.id}: ${desired.promise}`,
    ],
  }) as const;
