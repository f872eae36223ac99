/**
 * `schema/check.json`: the JSON schema of what `pgduet check --json` prints. The lists of codes and severities come from the
 * tables of the source; the rest is written here by hand, so that a change of the output without one of the contract fails.
 * Used by `scripts/schema.mjs` and by the test that compares. Pure.
 */
import { codes } from '../src/base/codes.ts';
import { exitCode } from '../src/base/exit-codes.ts';
import { findingCodes } from '../src/base/finding-codes.ts';
import { severities } from '../src/base/findings/rule.ts';

type Schema = Readonly<Record<string, unknown>>;

/** A map whose keys are all there and all known. */
const map = (description: string, properties: Readonly<Record<string, Schema>>): Schema => ({
  type: 'object',
  description,
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});

const text = (description: string): Schema => ({ type: 'string', description });
const textOrNull = (description: string): Schema => ({ type: ['string', 'null'], description });
const count = (description: string): Schema => ({ type: 'integer', minimum: 0, description });
const list = (description: string, items: Schema): Schema => ({ type: 'array', description, items });
const one = (name: string): Schema => ({ $ref: `#/$defs/${name}` });

const time = (description: string): Schema => ({
  type: 'string',
  pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?Z$',
  description: `${description} ISO 8601, UTC.`,
});

const counts = map(
  'How many findings there are of each severity.',
  Object.fromEntries(severities.map((severity) => [severity, count(`How many of severity '${severity}'.`)])),
);

const command = map('A command that a message advises.', {
  on: textOrNull(
    'The host to do it on; null: where pgduet is run. One of pgduet means the inventory of this run where it names none.',
  ),
  as: textOrNull('The user to do it as; null: root on a host, and whoever runs pgduet where that is run.'),
  run: text('A line for a shell.'),
  only_if: textOrNull(
    'What has to be so, which nobody but a person knows; null: it may be done as it stands.',
  ),
});

const finding = map('One thing that is not as declared, or worth knowing.', {
  code: {
    enum: [...Object.keys(findingCodes), ...Object.keys(codes)],
    description: 'What it is. A code never changes its meaning; docs/check.md and docs/errors.md list them.',
  },
  severity: {
    enum: [...severities],
    description:
      'danger: data, commits or secrets are at risk. degraded: it works, and not as a whole. drift: not as declared. unknown: it could not be looked at. note: worth knowing, and nothing to do.',
  },
  host: textOrNull('Name of the server in the inventory; null: the cluster as a whole.'),
  object: text('What it is about: a path, a setting, a role.'),
  what: text('What is wrong, in one line.'),
  declared: textOrNull('What should be there.'),
  found: textOrNull('What is there.'),
  source: textOrNull('Where what was found comes from, such as a file and a line.'),
  since: { anyOf: [time('Since when.'), { type: 'null' }], description: 'Null: that cannot be seen.' },
  consequence: text('What will happen if nothing is done.'),
  mended_by: { enum: ['provision', 'person'], description: 'Who mends it.' },
  mend: text('The command that mends it, or what a person does.'),
  commands: list('The commands that `mend` names.', command),
  diff: {
    anyOf: [list('Lines of a unified diff.', { type: 'string' }), { type: 'null' }],
    description: 'From what stands there to what is declared; null where there is no text to compare.',
  },
});

const host = map('A server that was to be looked at.', {
  server: text('Its name in the inventory.'),
  address: text("Where it was contacted; 'this machine' for a local connection."),
  role: { enum: ['primary', 'standby', 'unknown'], description: 'As it was seen.' },
  preferred_role: { enum: ['primary', 'standby'], description: 'As the inventory prefers it.' },
  reached: { type: 'boolean', description: 'Whether it answered.' },
  round_trips: count('How often this look has asked it; the connection itself is not counted.'),
  counts: one('counts'),
});

const secretAge = map('One secret.', {
  since: {
    anyOf: [time('It has been there since then, or longer.'), { type: 'null' }],
    description: 'Null: that cannot be seen.',
  },
});

const cluster = map('A cluster: one inventory.', {
  cluster: text('Its name.'),
  inventory: text('Path of the inventory, as given.'),
  primary: textOrNull('The server that is primary; null when nobody can say.'),
  preferred_primary: text('The server that the inventory prefers as primary.'),
  secrets: map('How old the secrets are at least.', {
    cluster_key: secretAge,
    replication_password: secretAge,
  }),
  hosts: list('In the order of the inventory.', one('host')),
  counts: one('counts'),
  findings: list('The gravest first.', one('finding')),
});

const schemaNumber: Schema = { const: 1, description: 'Version of this format.' };
const verb: Schema = { const: 'check', description: 'The verb that prints it.' };
const exit: Schema = {
  enum: [...Object.values(exitCode)].sort((less, more) => less - more),
  description: 'The exit status.',
};

const report = map('What one look has found.', {
  schema: schemaNumber,
  verb,
  exit,
  at: time('When the look was taken.'),
  ms: { type: 'number', minimum: 0, description: 'How long it took, in milliseconds.' },
  clusters: list('One for every inventory, in the order of the command line.', one('cluster')),
});

const change = map('With --watch, after the first look: what has changed in one cluster.', {
  schema: schemaNumber,
  verb,
  at: time('When the look was taken.'),
  cluster: text('Name of the cluster.'),
  inventory: text('Path of the inventory, as given.'),
  primary: {
    anyOf: [
      map('Another server is primary than before.', {
        before: textOrNull('The server that was primary.'),
        after: textOrNull('The server that is primary.'),
      }),
      { type: 'null' },
    ],
    description: 'Null: the primary is the same.',
  },
  appeared: list('What was not there before.', one('finding')),
  gone: list('What is there no more.', one('finding')),
  changed: list(
    'The same code, host and object with another severity, or other words for what was found.',
    map('As it was and as it is.', { before: one('finding'), after: one('finding') }),
  ),
  counts: one('counts'),
});

const diagnostic: Schema = {
  ...map('A message.', {
    code: { enum: Object.keys(codes), description: 'docs/errors.md lists them.' },
    what: text('What has happened.'),
    why: text('Why it matters.'),
    fix: text('What to do.'),
    at: map('The place in a file.', {
      file: text('The file.'),
      line: count('The line, from 1.'),
      column: count('The column, from 1.'),
      length: count('How many characters are meant.'),
    }),
    host: text('The server that it is about.'),
    evidence: list('Lines that were seen.', { type: 'string' }),
  }),
  required: ['code', 'what', 'why', 'fix'],
};

const failure = map('No look was taken: the input is wrong, the run was interrupted, or a defect.', {
  schema: schemaNumber,
  verb,
  exit,
  diagnostics: list('Why.', one('diagnostic')),
});

const document: Schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'pgduet check --json',
  description:
    'One document for one look. With --watch one document on each line: the first look, then every change.',
  anyOf: [one('report'), one('change'), one('failure')],
  $defs: { report, change, failure, cluster, host, finding, counts, diagnostic },
};

/** The schema as it stands in its file. */
export const checkSchemaText = (): string => `${JSON.stringify(document, null, 2)}\n`;
