/** role: a database role for logging in, with a SCRAM verifier instead of a password, so that the clear text never reaches the server or its log. */
import { quote } from '../../base/shell.ts';
import { quoteIdentifier, quoteLiteral } from '../../postgres/quote.ts';
import { scramVerifier, verifies } from '../../postgres/scram.ts';
import { unlogged } from '../../postgres/session.ts';
import { flag, integer, secret, text } from '../contract/field.ts';
import { type DesiredOf, fieldsOnServer } from '../contract/fields.ts';
import {
  absent,
  type Change,
  change,
  type Difference,
  present,
  type ResourceKind,
  same,
  unknown,
} from '../contract/kind.ts';
import { neverStarted } from './never-started.ts';
import { behindOf, behindProbe, receiptStep } from './receipt.ts';

const fields = fieldsOnServer(
  {
    name: text('name of the role'),
    replication: flag('whether it may replicate', false),
    password: secret('`!secret replication_password`; the server gets a SCRAM verifier only'),
    connections: integer(
      'how many connections at once it may have at least; more is no drift, no limit is; 0: it has none',
      0,
    ),
    received: flag('whether every standby that commits wait for is to have it on disk', false),
  },
  (values, { entropy, server }) => ({ ...values, salt: entropy, dataDir: server.dataDir }),
);
type Desired = DesiredOf<typeof fields>;

interface Seen {
  readonly verifier: string | null;
  readonly replication: boolean;
  readonly login: boolean;
  readonly superuser: boolean;
  readonly createdb: boolean;
  readonly createrole: boolean;
  readonly bypassrls: boolean;
  /** CONNECTION LIMIT; -1: none. */
  readonly connections: number;
  /** VALID UNTIL as text; null: for ever. */
  readonly until: string | null;
  readonly expired: boolean;
  /** Roles that it is a member of. */
  readonly memberOf: readonly string[];
  /** Standbys that have not received everything; empty where nobody asked. */
  readonly behind: string;
}

interface RoleChange extends Change {
  /** The role is right, and only waited for. */
  readonly waits?: true;
}

/** The columns of pg_authid that may give a role more than it needs. */
const powers = { createdb: 'CREATEDB', createrole: 'CREATEROLE', bypassrls: 'BYPASSRLS' } as const;

export const role: ResourceKind<Desired, Seen, RoleChange> = {
  kind: 'role',
  summary: 'A database role that may log in, and may be allowed to replicate.',
  fields,
  key: (desired) => desired.name,
  describe: (desired) => `role ${desired.name}`,
  probe: (desired) => ({
    shell: `${neverStarted(desired.dataDir)}${desired.received ? `\n${behindProbe}` : ''}`,
    sql: `select (select json_build_object('verifier', rolpassword, 'replication', rolreplication, 'login', rolcanlogin, 'superuser', rolsuper,
  'createdb', rolcreatedb, 'createrole', rolcreaterole, 'bypassrls', rolbypassrls, 'connections', rolconnlimit,
  'until', case when isfinite(rolvaliduntil) then rolvaliduntil::text end, 'expired', coalesce(rolvaliduntil <= now(), false),
  'memberOf', (select coalesce(json_agg(g.rolname order by g.rolname), '[]') from pg_auth_members m join pg_roles g on g.oid = m.roleid where m.member = a.oid))
 from pg_authid a where rolname = ${quoteLiteral(desired.name)})`,
  }),
  read: (reply) => {
    if (reply.sql === undefined)
      return reply.stdout.split('\n')[0] === 'new'
        ? absent
        : unknown(reply.sqlProblem ?? 'the server did not answer');
    return reply.sql === null ? absent : present({ ...(reply.sql as Seen), behind: behindOf(reply.stdout) });
  },
  diff: (desired, observed) => {
    const words = `role ${desired.name}${desired.replication ? ' for replication' : ''}`;
    if (observed.state === 'absent')
      return change({
        summary: `create ${words} (SCRAM)`,
        reason: 'it does not exist',
        differences: [{ code: 'ROL001', object: desired.name, declared: words, found: '(not there)' }],
      });
    const wrong = shortcomings(desired, observed.value);
    const { behind } = observed.value;
    if (wrong.length === 0 && behind !== '')
      return change({
        summary: `wait until the standbys have ${words}`,
        reason: `not received yet by: ${behind}`,
        waits: true as const,
      });
    if (wrong.length === 0) return same('attributes and password are right');
    return change({
      summary: `alter ${words}`,
      reason: `differs: ${wrong.map(({ word }) => word).join(', ')}`,
      differences: wrong.map(({ word, ...difference }) => difference),
    });
  },
  steps: ({ waits }, desired) => {
    const name = quoteIdentifier(desired.name);
    const password = desired.password
      ? ` PASSWORD ${quoteLiteral(scramVerifier(desired.password.reveal(), Buffer.from(desired.salt, 'hex')))}`
      : '';
    const attributes = `LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS ${limit(desired)} VALID UNTIL 'infinity' ${desired.replication ? 'REPLICATION' : 'NOREPLICATION'}${password}`;
    // Waiting for a standby that may be away would hang the run; the row is replicated all the same.
    const statements = `SET synchronous_commit = local;
${unlogged}
SELECT 'CREATE ROLE ${name.replaceAll("'", "''")}' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = ${quoteLiteral(desired.name)}) \\gexec
ALTER ROLE ${name} ${attributes};
${desired.replication ? leaveGroups(desired.name) : ''}`;
    const alter = {
      title: `role ${desired.name}`,
      script: `printf '%s' ${quote(statements)} | sql >/dev/null`,
    };
    return [...(waits ? [] : [alter]), ...(desired.received ? [receiptStep(desired.name)] : [])];
  },
};

interface Shortcoming extends Difference {
  /** For the reason of the change. */
  readonly word: string;
}

function shortcomings(desired: Desired, seen: Seen): readonly Shortcoming[] {
  const object = desired.name;
  const attribute = (word: string, declared: string, found: string): Shortcoming => ({
    word,
    code: 'ROL002',
    object,
    declared,
    found,
  });
  const wanted = desired.replication ? 'REPLICATION' : 'NOREPLICATION';
  const other = desired.replication ? 'NOREPLICATION' : 'REPLICATION';
  const tooMuch = Object.entries(powers).filter(([column]) => seen[column as keyof typeof powers]);
  return [
    ...(seen.replication === desired.replication ? [] : [attribute('REPLICATION', wanted, other)]),
    ...loginShortcomings(desired, seen),
    ...(seen.superuser
      ? [
          {
            word: 'it is a superuser',
            code: 'ROL003' as const,
            object,
            declared: 'NOSUPERUSER',
            found: 'SUPERUSER',
          },
        ]
      : []),
    ...tooMuch.map(([, power]) => attribute(power, `NO${power}`, power)),
    ...(desired.replication && seen.memberOf.length > 0
      ? [attribute('memberships', 'a member of no other role', `a member of ${seen.memberOf.join(', ')}`)]
      : []),
    ...passwordShortcomings(desired, seen),
  ];
}

/** A person may give it more, but not leave it without a limit where one is declared. */
const limit = ({ connections }: Desired): string =>
  `CONNECTION LIMIT ${connections === 0 ? -1 : connections}`;

function loginShortcomings(
  desired: Desired,
  { login, until, expired, connections }: Seen,
): readonly Shortcoming[] {
  const object = desired.name;
  const least = desired.connections === 0 ? Number.POSITIVE_INFINITY : desired.connections;
  const tooFew = connections >= 0 && connections < least;
  const attributes = [
    ...(login ? [] : [{ word: 'LOGIN', declared: 'LOGIN', found: 'NOLOGIN' }]),
    ...(until === null
      ? []
      : [{ word: 'VALID UNTIL', declared: "VALID UNTIL 'infinity'", found: `VALID UNTIL '${until}'` }]),
    ...(tooFew || (connections < 0 && desired.connections > 0)
      ? [
          {
            word: 'CONNECTION LIMIT',
            declared: limit(desired),
            found: `CONNECTION LIMIT ${connections}`,
          },
        ]
      : []),
  ];
  // One that ends some day lets the role in until then, and one without a limit always.
  const harmless = { LOGIN: false, 'VALID UNTIL': !expired, 'CONNECTION LIMIT': !tooFew };
  return attributes.map((one) => ({
    ...one,
    code: harmless[one.word as keyof typeof harmless] ? 'ROL002' : 'ROL007',
    object,
  }));
}

/** Never the verifier itself: who knows it can find the password out. */
function passwordShortcomings({ name, password }: Desired, { verifier }: Seen): readonly Shortcoming[] {
  if (password === undefined || verifies(verifier ?? '', password.reveal())) return [];
  const found =
    verifier === null
      ? 'no password'
      : verifier.startsWith('SCRAM-SHA-256$')
        ? 'another password'
        : 'a password that is not kept as SCRAM';
  return [
    { word: 'password', code: 'ROL004', object: name, declared: 'the declared password, as SCRAM', found },
  ];
}

/** A membership is taken back in the name of whoever gave it: from PostgreSQL 16 on each one has its own. */
const leaveGroups = (
  name: string,
): string => `SELECT format('REVOKE %I FROM %I %s CASCADE', g.rolname, r.rolname, 'GRANTED BY ' || quote_ident(by.rolname))
 FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member JOIN pg_roles g ON g.oid = m.roleid LEFT JOIN pg_roles by ON by.oid = m.grantor
 WHERE r.rolname = ${quoteLiteral(name)} \\gexec
`;
