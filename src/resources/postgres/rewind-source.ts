/**
 * rewind_source: the primary can be the source of pg_rewind: a role that may do only that, for a day, and a checkpoint on
 * its present timeline. `absent` takes the role away again. The role reads no more than a base backup does.
 */
import { quote } from '../../base/shell.ts';
import { quoteIdentifier, quoteLiteral } from '../../postgres/quote.ts';
import { scramVerifier, verifies } from '../../postgres/scram.ts';
import { unlogged } from '../../postgres/session.ts';
import { oneOf, secret, text } from '../contract/field.ts';
import { type DesiredOf, fieldsOnServer } from '../contract/fields.ts';
import { change, present, type ResourceKind, same, unknown } from '../contract/kind.ts';

const fields = fieldsOnServer(
  {
    name: text('name of the role'),
    state: oneOf(['present', 'absent'], 'whether it has to be there', 'present'),
    password: secret('`!secret rewind_password`; the server gets a SCRAM verifier only'),
  },
  (values, { entropy }) => ({ ...values, salt: entropy }),
);
type Desired = DesiredOf<typeof fields>;

interface Seen {
  readonly role: {
    readonly verifier: string | null;
    readonly plain: boolean;
    readonly lasts: boolean;
    readonly grants: number;
  } | null;
  /** Of the last checkpoint, and of the WAL that is written now. */
  readonly checkpointed: number;
  readonly current: number | null;
}

/** What pg_rewind calls on its source ("pg_rewind", notes). */
const functions = [
  'pg_catalog.pg_ls_dir(text, boolean, boolean)',
  'pg_catalog.pg_stat_file(text, boolean)',
  'pg_catalog.pg_read_binary_file(text)',
  'pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean)',
];

const query = (name: string): string =>
  `select json_build_object('role', (select json_build_object('verifier', rolpassword, 'plain', rolcanlogin and not (rolsuper or rolreplication or rolcreatedb or rolcreaterole),
  'lasts', coalesce(rolvaliduntil > now() + interval '1 hour', false),
  'grants', (select count(*) from unnest(array[${functions.map(quoteLiteral).join(', ')}]) as f where has_function_privilege(pg_authid.oid, f::regprocedure, 'execute')))
 from pg_authid where rolname = ${quoteLiteral(name)}),
 'checkpointed', (select timeline_id from pg_control_checkpoint()),
 'current', case when pg_is_in_recovery() then null else ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int end)`;

export const rewindSource: ResourceKind<Desired, Seen> = {
  kind: 'rewind_source',
  summary: 'On the primary: a role that pg_rewind reads with, for a day at most, and a checkpoint before it.',
  fields,
  key: (desired) => desired.name,
  describe: (desired) => `role ${desired.name} for pg_rewind`,
  probe: (desired) => ({ sql: query(desired.name) }),
  read: (reply) =>
    reply.sql ? present(reply.sql as Seen) : unknown(reply.sqlProblem ?? 'the server did not answer'),
  diff: (desired, observed) => {
    const seen = observed.state === 'present' ? observed.value : undefined;
    if (desired.state === 'absent')
      return seen?.role
        ? change({ summary: `drop role ${desired.name}`, reason: 'nothing is rewound any more' })
        : same('it does not exist');
    const wrong = shortcomings(desired, seen);
    return wrong.length === 0
      ? same('the role may read, and the last checkpoint is of the present timeline')
      : change({
          summary: `make role ${desired.name} for pg_rewind, and a checkpoint`,
          reason: wrong.join(', '),
        });
  },
  steps: (_change, desired) => [
    {
      title: `role ${desired.name}`,
      script: `printf '%s' ${quote(desired.state === 'absent' ? dropping(desired) : making(desired))} | sql >/dev/null`,
    },
  ],
};

function shortcomings(desired: Desired, seen: Seen | undefined): readonly string[] {
  const role = seen?.role;
  if (!seen || !role) return ['it does not exist'];
  const right = desired.password === undefined || verifies(role.verifier ?? '', desired.password.reveal());
  return [
    ...(role.plain ? [] : ['it has other attributes']),
    ...(role.lasts ? [] : ['its time is up']),
    ...(role.grants === functions.length ? [] : ['it may not read']),
    ...(right ? [] : ['it has another password']),
    ...(seen.current === null || seen.current === seen.checkpointed
      ? []
      : ['there was no checkpoint since the promotion']),
  ];
}

/** Waiting for a standby that may be away would hang the run; the row is replicated all the same. */
const local = 'SET synchronous_commit = local;';

function making({ name, password, salt }: Desired): string {
  const role = quoteIdentifier(name);
  const verifier = password
    ? ` PASSWORD ${quoteLiteral(scramVerifier(password.reveal(), Buffer.from(salt, 'hex')))}`
    : '';
  return `${local}
${unlogged}
SELECT ${quoteLiteral(`CREATE ROLE ${role}`)} WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = ${quoteLiteral(name)}) \\gexec
ALTER ROLE ${role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION${verifier};
SELECT format(${quoteLiteral(`ALTER ROLE ${role} VALID UNTIL %L`)}, now() + interval '1 day') \\gexec
GRANT EXECUTE ON FUNCTION ${functions.join(', ')} TO ${role};
CHECKPOINT;
`;
}

const dropping = ({ name }: Desired): string => `${local}
SELECT ${quoteLiteral(`DROP OWNED BY ${quoteIdentifier(name)}; DROP ROLE ${quoteIdentifier(name)}`)} WHERE EXISTS (SELECT FROM pg_roles WHERE rolname = ${quoteLiteral(name)}) \\gexec
`;
