/**
 * extension: one that is created in the database of administration. Its files have to be on every server. It is never dropped: others may use
 * it by then.
 */
import { quote } from '../../base/shell.ts';
import { quoteIdentifier, quoteLiteral } from '../../postgres/quote.ts';
import { text } from '../contract/field.ts';
import { fieldsOnServer } from '../contract/fields.ts';
import { absent, change, present, type ResourceKind, same, unknown } from '../contract/kind.ts';
import { neverStarted } from './never-started.ts';

const fields = fieldsOnServer({ name: text('as CREATE EXTENSION takes it') }, ({ name }, { server }) => ({
  name,
  dataDir: server.dataDir,
}));

interface Desired {
  readonly name: string;
  readonly dataDir: string;
}

export const extension: ResourceKind<Desired, { readonly version: string }> = {
  kind: 'extension',
  summary: 'An extension of database `postgres`, in its schema `public`.',
  fields,
  key: ({ name }) => name,
  describe: ({ name }) => `extension ${name} of database postgres`,
  probe: ({ name, dataDir }) => ({
    shell: neverStarted(dataDir),
    sql: `select (select json_build_object('version', extversion) from pg_extension where extname = ${quoteLiteral(name)})`,
  }),
  read: ({ sql, sqlProblem, stdout }) => {
    if (sql === undefined)
      return stdout.split('\n')[0] === 'new' ? absent : unknown(sqlProblem ?? 'the server did not answer');
    return sql === null ? absent : present(sql as { readonly version: string });
  },
  diff: ({ name }, observed) =>
    observed.state === 'present'
      ? same(`it is there, version ${observed.value.version}`)
      : change({
          summary: `create extension ${name} in database postgres`,
          reason: 'it does not exist',
          differences: [{ code: 'HRD001', object: name, declared: 'created', found: '(not there)' }],
        }),
  steps: (_change, { name }) => [
    {
      title: `extension ${name}`,
      // Waiting for a standby that may be away would hang the run; the rows are replicated all the same.
      script: `printf '%s' ${quote(`SET synchronous_commit = local;\nCREATE EXTENSION IF NOT EXISTS ${quoteIdentifier(name)} SCHEMA public;`)} | sql >/dev/null`,
    },
  ],
};
