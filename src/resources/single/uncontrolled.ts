/**
 * uncontrolled: the Mirroring Controller of a server is stopped for good, and its instance goes on. The primary's is the first: it tells the
 * others that it leaves, and none of them may take over from then on. Refused where a standby is missed: without controllers nobody brings it back.
 */
import { advised, here } from '../../base/command.ts';
import type { Diagnostic } from '../../base/diagnostic.ts';
import { quote } from '../../base/shell.ts';
import { optional, text, wordList } from '../contract/field.ts';
import { type DesiredOf, serverFields } from '../contract/fields.ts';
import { change, present, type ResourceKind, refuse, same, unknown } from '../contract/kind.ts';
import { controllerPidFile } from '../contract/preamble.ts';
import { replyLines } from '../contract/replies.ts';
import { stopStep } from './single-steps.ts';

const fields = serverFields({
  unit: optional(text('the systemd unit of the controller')),
  standbys: wordList('standbys that have to stream before it stops; none on a standby', 'name'),
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
  steps: (_change, desired) => [stopStep(desired)],
};

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
