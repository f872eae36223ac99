/**
 * Judges a document of `pgduet check --json` by `schema/check.json`, for the tests here and for those that run the built
 * program on hosts. In: what JSON.parse gave. Out: what is wrong with it, empty when nothing is.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';

const path = join(import.meta.dirname, '../../schema/check.json');
export const checkSchema: object = JSON.parse(readFileSync(path, 'utf8'));

/** 'report', 'change' and 'failure' are the documents that the schema knows. */
export type CheckDocument = 'report' | 'change' | 'failure';

const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true });
ajv.addSchema(checkSchema, 'check');

/** With a kind the messages are about that kind only, and another kind is wrong. */
export function wrongWithCheck(document: unknown, kind?: CheckDocument): readonly string[] {
  const judge = ajv.getSchema(kind === undefined ? 'check' : `check#/$defs/${kind}`);
  if (judge === undefined) throw new Error(`schema/check.json has no ${kind}`);
  if (judge(document) === true) return [];
  return (judge.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath || '/'} ${message} ${JSON.stringify(params)}`,
  );
}
