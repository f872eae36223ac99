/**
 * `schema/playbook.json`: the JSON schema of playbooks, for editors. The kinds and their fields come from the registry, the keys
 * beside a kind from the parser. A value may hold `{{…}}` wherever a playbook may, so only what stands there without
 * braces is judged. Used by `scripts/schema.mjs` and by the test that compares. Pure.
 */
import { selectors } from '../src/playbook/compile.ts';
import { eachWords, expectWords } from '../src/playbook/playbook.ts';
import { type Field, type Shape, secretNames } from '../src/resources/contract/field.ts';
import type { FieldTable } from '../src/resources/contract/fields.ts';
import type { AnyKind } from '../src/resources/contract/kind.ts';
import { kinds } from '../src/resources/registry.ts';

type Schema = Readonly<Record<string, unknown>>;

/** Holds a variable, which is put in before the value is read. */
const variable = '\\{\\{';
const text: Schema = { type: 'string' };
const single: Schema = { type: ['string', 'number', 'boolean'] };
/** Null is what an empty value is in YAML. */
const empty: Schema = { enum: [null, ''] };
const lone: Schema = { type: 'string', pattern: '^\\{\\{.*\\}\\}$' };
const matching = (pattern: string): Schema => ({ type: 'string', pattern: `${pattern}|${variable}` });

function valueSchema(shape: Shape): readonly Schema[] {
  switch (shape.type) {
    case 'integer':
      return [{ type: 'integer' }, matching('^-?\\d+$')];
    case 'flag':
      return [{ type: 'boolean' }, matching('^(true|false)$')];
    case 'mode':
      return [{ type: 'integer', minimum: 0, maximum: 777 }, matching('^0?[0-7]{3}$')];
    case 'size':
      return [matching('^\\d+(\\.\\d+)?\\s*([kMGT]?B)$')];
    case 'one of':
      return [{ enum: shape.words }, matching('^$')];
    case 'list':
      return [
        single,
        { type: 'array', items: shape.key === undefined ? single : { anyOf: [single, keyed(shape.key)] } },
      ];
    case 'maps': {
      const entry = tableSchema(shape.table);
      return [entry, { type: 'array', items: entry }, lone];
    }
    case 'map':
      return [
        { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean', 'null'] } },
        lone,
      ];
    case 'text':
    case 'template':
      return [{ type: 'string', minLength: 1 }, { type: ['number', 'boolean'] }];
    case 'secret':
      return [{ enum: secretNames }];
  }
}

function fieldSchema({ shape, meaning, absent, former }: Field<unknown>): Schema {
  const choices = [...valueSchema(shape), ...(absent === 'required' ? [] : [empty])];
  const standard = typeof absent === 'object' ? { default: absent.default } : {};
  return { description: meaning, anyOf: choices, ...standard, ...(former ? { deprecated: true } : {}) };
}

const keyed = (key: string): Schema => ({ type: 'object', properties: { [key]: single }, required: [key] });

const kindSchema = ({ summary, fields }: AnyKind): Schema => ({
  description: summary,
  ...tableSchema(fields.table),
});

function tableSchema(table: FieldTable): Schema {
  const entries = Object.entries(table);
  return {
    type: 'object',
    properties: Object.fromEntries(entries.map(([name, field]) => [name, fieldSchema(field)])),
    required: entries.flatMap(([name, { absent }]) => (absent === 'required' ? [name] : [])),
    additionalProperties: false,
  };
}

const after: Schema = { type: 'string', pattern: '^[^/]+/.+$' };

const resource: Schema = {
  type: 'object',
  description: 'One thing that is made so: exactly one kind with its fields.',
  properties: {
    ...Object.fromEntries([...kinds].map(([name]) => [name, { $ref: `#/$defs/${name}` }])),
    as: {
      ...text,
      description: "A name for 'after'; without it the kind and what tells the resource apart.",
    },
    when: {
      ...single,
      description: "Left out where this is empty or 'false' once its variables are put in.",
    },
    each: { enum: eachWords, description: "Repeated for each of these; 'item' is the one that is meant." },
    after: {
      anyOf: [after, { type: 'array', items: after }],
      description: "'HOSTS/NAME': what has to be right before.",
    },
    late: {
      anyOf: [{ type: 'boolean' }, { enum: ['true', 'false'] }],
      description: "Looked at only once everything in 'after' is right.",
    },
    expect: {
      enum: expectWords,
      description: 'What the plan says of it where the first look cannot decide.',
    },
  },
  additionalProperties: false,
  oneOf: [...kinds.keys()].map((name) => ({ required: [name] })),
};

const play: Schema = {
  type: 'object',
  properties: {
    title: text,
    on: { ...text, minLength: 1, description: `${selectors.join(', ')}, or the name of a host.` },
    resources: { type: 'array', items: { $ref: '#/$defs/resource' } },
  },
  required: ['on', 'resources'],
  additionalProperties: false,
};

const include: Schema = {
  type: 'object',
  properties: {
    include: {
      ...text,
      minLength: 1,
      description: 'A playbook whose plays stand here: its path from this one, or one that pgduet ships.',
    },
  },
  required: ['include'],
  additionalProperties: false,
};

const playbookSchema: Schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'A playbook of pgduet',
  type: 'object',
  properties: {
    title: text,
    plays: { type: 'array', items: { anyOf: [{ $ref: '#/$defs/play' }, { $ref: '#/$defs/include' }] } },
  },
  required: ['plays'],
  additionalProperties: false,
  $defs: {
    play,
    include,
    resource,
    ...Object.fromEntries([...kinds].map(([name, kind]) => [name, kindSchema(kind)])),
  },
};

/** The JSON schema as it stands in its file. */
export const playbookSchemaText = (): string => `${JSON.stringify(playbookSchema, null, 2)}\n`;
