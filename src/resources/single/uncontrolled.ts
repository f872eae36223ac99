/**
 * uncontrolled: the Mirroring Controller of a server is stopped for good, and its instance goes on. The primary's is the first: it tells the
 * others that it leaves, and none of them may take over from then on. Refused where a standby is missed: without controllers nobody brings it back.
 */
import { advised, here } from '../../base/command.ts';
import type { Diagnostic } from '../../base/diagnostic.ts';
import { quote, sh } from '../../base/shell.ts';
import { flag, optional, text, wordList } from '../contract/field.ts';
import { type DesiredOf, serverFields } from '../contract/fields.ts';
import { change, present, type ResourceKind, refuse, type Step, same, unknown } from '../contract/kind.ts';
import { controllerPidFile } from '../contract/preamble.ts';
import { replyLines } from '../contract/replies.ts';
import { stopStep } from './single-steps.ts';

const fields = serverFields({
  unit: optional(text('the systemd unit of the controller')),
  standbys: wordList('standbys that have to stream before it stops; none on a standby', 'name'),
  release: flag(
    '`true` on the primary of a pair that is given back: no commit waits for a name of ours any more',
    false,
  ),
});
type Desired = DesiredOf<typeof fields>;

interface Seen {
  readonly controller: boolean;
  readonly instance: boolean;
  /** Standbys that stream from it; undefined where it gave no answer. */
  readonly streaming: readonly string[] | undefined;
}

const query = `select coalesce(json_agg(application_name), '[]') from pg_stat_replication where state = 'streaming'`;

export const uncontrolled: ResourceKind<Desired, Seen> = {
  kind: 'uncontrolled',
  summary: 'The Mirroring Controller of a server is stopped, and its instance goes on.',
  fields,
  key: () => 'controller stopped',
  describe: (desired) => `Mirroring Controller of ${desired.id} stopped`,
  probe: (desired) => ({
    shell: `if controller ${quote(controllerPidFile(desired))}; then echo controller; fi
if postmaster ${quote(desired.dataDir)}; then echo instance; fi
echo looked`,
    sql: query,
  }),
  read: ({ stdout, stderr, sql }) => {
    const lines = replyLines(stdout);
    if (lines.last !== 'looked') return unknown(stderr.trim() || 'the server could not be looked at');
    return present({
      controller: lines.has('controller'),
      instance: lines.has('instance'),
      streaming: Array.isArray(sql) ? sql.map(String) : undefined,
    });
  },
  diff: (desired, observed) => {
    const seen = observed.state === 'present' ? observed.value : undefined;
    if (!seen?.controller) return same(`${desired.id}: no controller runs`);
    const problem = obstacle(desired, seen);
    if (problem) return refuse(problem);
    return change({
      summary: `stop the Mirroring Controller of ${desired.id}; the instance goes on`,
      reason: 'the controllers go',
    });
  },
  steps: (_change, desired) => [stopStep(desired), ...(desired.release ? [releaseStep(desired)] : [])],
};

/** Its standby comes back under another name, and nobody is left who would take the present one out. The line goes with all that is ours. */
const releaseStep = ({ dataDir, owner }: Desired): Step => ({
  title: 'commits wait for no standby until the pair is as it was',
  script: `conf=${quote(`${dataDir}/postgresql.conf`)}
# Every line end stays, also the last ones, which the shell would take away.
if text=$(peek sed 's/^synchronous_standby_names[[:space:]=]/#&/' "$conf" && echo x) && [ "$text" != x ]; then
  printf '%s\\004' "\${text%x}" | ${sh`acting_as ${owner} received place ${`${dataDir}/postgresql.conf`} 0600 ${`${owner}:`}`}
  ${sh`as ${owner} "$PGBIN/pg_ctl" reload -s -D ${dataDir}`}
fi`,
});

const no = (what: string, why: string, fix: ReturnType<typeof advised>): Diagnostic => ({
  code: 'SAF080',
  what: `the controllers cannot go now: ${what}`,
  why,
  ...fix,
});

function obstacle({ id, standbys }: Desired, { instance, streaming }: Seen): Diagnostic | undefined {
  if (standbys.length > 0 && (!instance || streaming === undefined))
    return no(
      instance ? `${id} gives no answer` : `the instance of ${id} does not run`,
      'nobody can say whether the standbys follow it, and without controllers nobody starts it',
      advised`Look at it (${here`pgduet status`}), bring it back, then run the same command again.`,
    );
  const missing = standbys.filter((name) => !streaming?.includes(name));
  const [first] = missing;
  if (first === undefined) return undefined;
  return no(
    `${missing.join(' and ')} ${missing.length > 1 ? 'do' : 'does'} not follow ${id}`,
    'without controllers nobody brings a standby back, and commits may wait for it',
    advised`Bring it back first (${here`pgduet rebuild ${first}`}), then run the same command again; a server that is not needed any more: take it out of the inventory by ${here`pgduet teardown`}, which leaves one server.`,
  );
}
