/** slot: a physical replication slot. One that a standby uses at this moment is never dropped. */
import { quote } from '../../base/shell.ts';
import { quoteLiteral } from '../../postgres/quote.ts';
import { oneOf, text } from '../contract/field.ts';
import { type DesiredOf, fieldsOnServer } from '../contract/fields.ts';
import { absent, change, present, type ResourceKind, same, unknown } from '../contract/kind.ts';

const fields = fieldsOnServer({
  name: text('name of the slot'),
  state: oneOf(['present', 'absent'], 'whether it has to be there', 'present'),
});
type Desired = DesiredOf<typeof fields>;

interface Seen {
  readonly active: boolean;
  /** "16 MB"; null where it keeps none. */
  readonly keeps: string | null;
}

export const slot: ResourceKind<Desired, Seen> = {
  kind: 'slot',
  looksAgain: true,
  summary: 'A physical replication slot that is there, or is not.',
  fields,
  key: (desired) => desired.name,
  describe: (desired) => `slot ${desired.name}`,
  probe: (desired) => ({
    sql: `select (select json_build_object('active', active, 'keeps', pg_size_pretty(pg_wal_lsn_diff(
  case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end, restart_lsn))) from pg_replication_slots where slot_name = ${quoteLiteral(desired.name)})`,
  }),
  read: (reply) => {
    if (reply.sql === undefined) return unknown(reply.sqlProblem ?? 'the server did not answer');
    return reply.sql === null ? absent : present(reply.sql as Seen);
  },
  diff: (desired, observed) => {
    if (desired.state === 'present')
      return observed.state === 'present'
        ? same('it exists')
        : change({ summary: `create slot ${desired.name}`, reason: 'it does not exist' });
    if (observed.state === 'absent') return same('it does not exist');
    if (observed.value.active) return same('it is in use, so it stays until it is free');
    return change({
      summary: `drop slot ${desired.name}`,
      reason: 'nothing uses it, and it would keep WAL for ever',
      differences: [
        {
          code: 'SLT001',
          object: desired.name,
          declared: '(not declared)',
          found: observed.value.keeps ? `keeps ${observed.value.keeps} of WAL` : 'keeps no WAL yet',
        },
      ],
    });
  },
  steps: (_change, desired) => {
    const mine = `FROM pg_replication_slots WHERE slot_name = ${quoteLiteral(desired.name)}`;
    const statement =
      desired.state === 'present'
        ? `SELECT pg_create_physical_replication_slot(${quoteLiteral(desired.name)}, true) WHERE NOT EXISTS (SELECT ${mine});`
        : `SELECT pg_drop_replication_slot(slot_name) ${mine} AND NOT active;`;
    return [{ title: `slot ${desired.name}`, script: `printf '%s' ${quote(statement)} | sql >/dev/null` }];
  },
};
