/**
 * public_schema: schema `public` of the database of administration is used by its owner and by roles that are named, not by everybody.
 * That of template1 is closed where the cluster is made, and never looked at: a session there keeps others from CREATE DATABASE.
 */
import { quote } from '../../base/shell.ts';
import { closePublic } from '../../postgres/public-schema.ts';
import { fieldsOnServer } from '../contract/fields.ts';
import { change, present, type ResourceKind, same, unknown } from '../contract/kind.ts';
import { neverStarted } from './never-started.ts';

const fields = fieldsOnServer({}, (_values, { server }) => ({ dataDir: server.dataDir }));

export const publicSchema: ResourceKind<{ readonly dataDir: string }, { readonly open: string }> = {
  kind: 'public_schema',
  summary: 'Schema `public` of database `postgres` is not everybody’s.',
  fields,
  key: () => 'postgres',
  describe: () => 'schema public of database postgres',
  probe: ({ dataDir }) => ({
    shell: neverStarted(dataDir),
    // Without rights of its own it has those of every schema, and those are its owner's alone. Grantee 0 is everybody.
    sql: `select (select json_build_object('open', string_agg(privilege_type, ', ' order by privilege_type desc)) from pg_namespace, aclexplode(nspacl)
 where nspname = 'public' and grantee = 0)`,
  }),
  read: (reply) => {
    if (reply.sql !== undefined)
      return present({ open: (reply.sql as { readonly open: string | null } | null)?.open ?? '' });
    // initdb has closed it, and nobody has been there since.
    return reply.stdout.split('\n')[0] === 'new'
      ? present({ open: '' })
      : unknown(reply.sqlProblem ?? 'the server did not answer');
  },
  diff: (_desired, observed) => {
    const open = observed.state === 'present' ? observed.value.open : '';
    if (open === '') return same('it is not open to everybody');
    return change({
      summary: 'close schema public of database postgres to roles that are not named',
      reason: `everybody has ${open}`,
      differences: [
        {
          code: 'ROL008',
          object: 'postgres',
          declared: 'nothing for everybody',
          found: `${open} for everybody`,
        },
      ],
    });
  },
  steps: () => [
    {
      title: 'schema public of database postgres',
      // Waiting for a standby that may be away would hang the run; the row is replicated all the same.
      script: `printf '%s' ${quote(`SET synchronous_commit = local;\n${closePublic}`)} | sql >/dev/null`,
    },
  ],
};
