/** replication: the proof on the primary that its standbys stream, and are synchronous. It changes nothing; its step waits. */
import { quote } from '../../base/shell.ts';
import { integer, oneOf, wordList } from '../contract/field.ts';
import { type DesiredOf, fieldsOnServer } from '../contract/fields.ts';
import { change, type Difference, present, type ResourceKind, same, unknown } from '../contract/kind.ts';

const fields = fieldsOnServer(
  {
    standbys: wordList('names of the standbys', 'name'),
    state: oneOf(['streaming', 'sync'], '`sync`: no commit returns before a standby has it'),
    timeout: integer('seconds to wait', 60),
  },
  ({ timeout, ...rest }) => ({ ...rest, timeoutSeconds: timeout }),
);
type Desired = DesiredOf<typeof fields>;

interface Row {
  readonly name: string;
  readonly address: string | null;
  readonly state: string;
  readonly sync: string;
}

interface Seen {
  readonly rows: readonly Row[];
  /** synchronous_standby_names, as it is in force. */
  readonly names: string;
}

const query = `select json_build_object('names', current_setting('synchronous_standby_names'),
 'rows', (select coalesce(json_agg(json_build_object('name', application_name, 'address', client_addr, 'state', state, 'sync', sync_state)), '[]') from pg_stat_replication))`;

/** One row for each standby, streaming; and for `sync` at least one of them synchronous and none asynchronous. */
function shortcomings(desired: Desired, { rows, names }: Seen): readonly Difference[] {
  const mine = desired.standbys.map((name) => ({
    name,
    rows: rows.filter((row) => row.name === name && row.state !== 'backup'),
  }));
  const streaming = mine.flatMap(({ name, rows: found }) => connection(name, found));
  const all = mine.flatMap(({ rows: found }) => found);
  const sync = all.map((row) => row.sync);
  // Nobody is asynchronous who is not there: that is reported above, and the controller settles it.
  if (desired.state === 'streaming' || all.length === 0 || (sync.includes('sync') && !sync.includes('async')))
    return streaming;
  const found = all.map((row) => `${row.name} ${row.sync}`).join(', ');
  return [
    ...streaming,
    {
      code: 'REP003',
      object: desired.standbys.join(', '),
      declared: `${desired.standbys.join(', ')} synchronous`,
      found: `${found}; synchronous_standby_names = '${names}'`,
    },
  ];
}

function connection(name: string, rows: readonly Row[]): readonly Difference[] {
  const [first, second] = rows;
  const common = { object: name, declared: 'streaming' } as const;
  if (!first) return [{ ...common, code: 'REP001', found: 'not connected' }];
  const found = second ? `${rows.length} connections of this name` : `in state '${first.state}'`;
  return second || first.state !== 'streaming' ? [{ ...common, code: 'REP002', found }] : [];
}

/** As the reason of the wait. */
const words = ({ code, object, found }: Difference): string =>
  code === 'REP003' ? 'no standby is synchronous for every commit' : `${object} is ${found}`;

export const replication: ResourceKind<Desired, Seen> = {
  kind: 'replication',
  waits: true,
  summary: 'The proof on the primary that its standbys stream and are synchronous.',
  fields,
  key: (desired) => `${desired.state} ${desired.standbys.join(',')}`,
  describe: (desired) =>
    `${desired.standbys.join(', ') || 'no standby'} ${desired.state === 'sync' ? 'in state sync' : 'streaming'}`,
  probe: () => ({ sql: query }),
  read: (reply) =>
    isSeen(reply.sql) ? present(reply.sql) : unknown(reply.sqlProblem ?? 'the server did not answer'),
  diff: (desired, observed) => {
    const seen = observed.state === 'present' ? observed.value : { rows: [], names: '' };
    const missing = shortcomings(desired, seen);
    if (missing.length === 0)
      return same(
        seen.rows
          .map((row) => `${row.name} ${row.state} ${row.sync} from ${row.address ?? 'the socket'}`)
          .join('; ') || 'no standby is waited for',
      );
    return change({
      summary: `wait until ${desired.standbys.join(', ')} ${desired.state === 'sync' ? 'is synchronous' : 'streams'}`,
      reason: missing.map(words).join('; '),
      differences: missing,
    });
  },
  steps: (_change, desired) => [
    {
      title: `wait for ${desired.standbys.join(', ')}`,
      script: waitScript(desired),
    },
  ],
};

const isSeen = (value: unknown): value is Seen =>
  typeof value === 'object' && value !== null && 'rows' in value && Array.isArray(value.rows);

/**
 * Asks 20 times a second within one psql, so that waiting costs no processes. One statement knows the names only as they
 * were when it began, and its sync_state with them; the priority is that of the WAL sender itself.
 */
function waitScript(desired: Desired): string {
  const names = desired.standbys.map((name) => `'${name.replaceAll("'", "''")}'`).join(', ');
  const sync = desired.state === 'sync' ? ' AND count(*) FILTER (WHERE sync_priority = 0) = 0' : '';
  const body = `DO $$ BEGIN
FOR i IN 1..${desired.timeoutSeconds * 20} LOOP
  IF (SELECT count(*) = ${desired.standbys.length}${sync} FROM pg_stat_replication WHERE state = 'streaming' AND application_name IN (${names})) THEN RETURN; END IF;
  PERFORM pg_stat_clear_snapshot(); PERFORM pg_sleep(0.05);
END LOOP;
RAISE EXCEPTION 'after ${desired.timeoutSeconds} s: %', (SELECT coalesce(string_agg(application_name || ' ' || state || ' ' || sync_state, ', '), 'no standby is connected') FROM pg_stat_replication);
END $$;`;
  return `printf '%s' ${quote(body)} | sql`;
}
