/**
 * Judges playbooks and the fields of one kind by `schema/playbook.json`, as an editor does. In: YAML. Out: what is wrong with
 * it, empty when nothing is.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { parseYaml, plain } from '../../src/base/yaml.ts';

export const schemaFile = readFileSync(join(import.meta.dirname, '../../schema/playbook.json'), 'utf8');

const ajv = new Ajv2020({ allErrors: true, strict: true, strictRequired: false, allowUnionTypes: true });
ajv.addSchema(JSON.parse(schemaFile), 'playbook');

function judgeOf(name: string): ValidateFunction {
  const judge = ajv.getSchema(name);
  if (judge === undefined) throw new Error(`schema/playbook.json has no ${name}`);
  return judge;
}

function wrong(judge: ValidateFunction, yaml: string): readonly string[] {
  const node = parseYaml(yaml, 'playbook.yml', { syntax: 'PLY001', duplicateKey: 'PLY002' });
  if (!node.ok) return node.diagnostics.map(({ what }) => what);
  if (judge(plain(node.value)) === true) return [];
  return (judge.errors ?? []).map(({ instancePath, message }) => `${instancePath || '/'} ${message}`);
}

export const wrongWithPlaybook = (yaml: string): readonly string[] => wrong(judgeOf('playbook'), yaml);

export const wrongWithKind = (kind: string, yaml: string): readonly string[] =>
  wrong(judgeOf(`playbook#/$defs/${kind}`), yaml);
