/** role: a database role for logging in, with a SCRAM verifier instead of a password, so that the clear text never reaches the server or its log. */
import type { Secret } from '../base/secret.ts';
import { quote } from '../base/shell.ts';
import { quoteIdentifier, quoteLiteral } from '../postgres/quote.ts';
import { scramVerifier, verifies } from '../postgres/scram.ts';
import { readFields } from './fields.ts';
import { absent, change, present, type ResourceKind, same, unknown } from './kind.ts';

interface Desired {
  readonly name: string;
  readonly replication: boolean;
  readonly password?: Secret;
  /** 16 random bytes as hex. */
  readonly salt: string;
}

interface Seen {
  readonly verifier: string | null;
  readonly replication: boolean;
  readonly login: boolean;
  readonly superuser: boolean;
}

export const role: ResourceKind<Desired, Seen> = {
  kind: 'role',
  summary: 'A database role that may log in, and may be allowed to replicate.',
  parse: (node, context) =>
    readFields(node, context, 'role', (f) => {
      const password = f.secret('password');
      return {
        name: f.text('name'),
        replication: f.flag('replication', false),
        salt: context.entropy,
        ...(password ? { password } : {}),
      };
    }),
  key: (desired) => desired.name,
  describe: (desired) => `role ${desired.name}`,
  probe: (desired) => ({
    sql: `select (select json_build_object('verifier', rolpassword, 'replication', rolreplication, 'login', rolcanlogin, 'superuser', rolsuper)
 from pg_authid where rolname = ${quoteLiteral(desired.name)})`,
  }),
  read: (reply) => {
    if (reply.sql === undefined) return unknown(reply.sqlProblem ?? 'the server did not answer');
    return reply.sql === null ? absent : present(reply.sql as Seen);
  },
  diff: (desired, observed) => {
    const words = `role ${desired.name}${desired.replication ? ' for replication' : ''}`;
    if (observed.state === 'absent')
      return change({ summary: `create ${words} (SCRAM)`, reason: 'it does not exist' });
    const { verifier, replication, login, superuser } = observed.value;
    const wrong = [
      ...(replication === desired.replication ? [] : ['REPLICATION']),
      ...(login ? [] : ['LOGIN']),
      ...(superuser ? ['it is a superuser'] : []),
      ...(desired.password === undefined || verifies(verifier ?? '', desired.password.reveal())
        ? []
        : ['password']),
    ];
    return wrong.length === 0
      ? same('attributes and password are right')
      : change({ summary: `alter ${words}`, reason: `differs: ${wrong.join(', ')}` });
  },
  steps: (_change, desired) => {
    const name = quoteIdentifier(desired.name);
    const password = desired.password
      ? ` PASSWORD ${quoteLiteral(scramVerifier(desired.password.reveal(), Buffer.from(desired.salt, 'hex')))}`
      : '';
    const attributes = `LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE ${desired.replication ? 'REPLICATION' : 'NOREPLICATION'}${password}`;
    // Waiting for a standby that may be away would hang the run; the row is replicated all the same.
    const statements = `SET synchronous_commit = local;
SELECT 'CREATE ROLE ${name.replaceAll("'", "''")}' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = ${quoteLiteral(desired.name)}) \\gexec
ALTER ROLE ${name} ${attributes};
`;
    return [{ title: `role ${desired.name}`, script: `printf '%s' ${quote(statements)} | sql >/dev/null` }];
  },
};
