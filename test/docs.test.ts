/** The documentation is true: what is generated is up to date, and every YAML that it shows can be loaded. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  checkDocument,
  errorsText,
  groupless,
  mutationsDocument,
  playbooksText,
  serverVariables,
  unexplained,
  variables,
} from '../scripts/reference.ts';
import { codes } from '../src/base/codes.ts';
import { findingCodes } from '../src/base/finding-codes.ts';
import { Secret } from '../src/base/secret.ts';
import { nodeAt, parseYaml } from '../src/base/yaml.ts';
import type { Situation } from '../src/intent/intent.ts';
import type { Cluster } from '../src/inventory/cluster.ts';
import { parseInventory } from '../src/inventory/load.ts';
import { preferredView } from '../src/observe/survey.ts';
import { compile } from '../src/playbook/compile.ts';
import { parsePlaybook } from '../src/playbook/playbook.ts';
import { variablesFor } from '../src/playbook/variables.ts';
import { kinds } from '../src/resources/registry.ts';
import { shippedTemplate } from '../src/shipped.ts';
import { included } from '../src/verbs/playbook-files.ts';
import { fakeLookups } from './inventory/lookups.ts';
import { parts } from './lab/check/mutations/rounds.ts';
import { clusterOf, serverNamed, threeInventory } from './observe/cluster.ts';

const root = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

const preferred = (cluster: Cluster): Situation => ({
  cluster,
  view: preferredView(cluster),
  intent: { kind: 'run' },
});

it('each entry of the newest version in CHANGELOG.md stands once, with what was, what is, and what to do', () => {
  const [newest = ''] = read('CHANGELOG.md').split('\n## ').slice(1);
  const entries = newest.split('\n### ').slice(1);
  const titles = entries.map((entry) => entry.split('\n')[0]);
  expect(titles.filter((title, at) => titles.indexOf(title) !== at)).toEqual([]);
  const marks = (entry: string) =>
    [...entry.matchAll(/^- \*\*(\w+(?: \w+)?):\*\*/gm)].map(([, mark]) => mark);
  expect(
    entries.filter((entry) => marks(entry).join() !== 'Before,Now,You must').map((one) => one.split('\n')[0]),
  ).toEqual([]);
});

describe('generated texts', () => {
  it('docs/errors.md is up to date (node scripts/docs.mjs)', () => {
    expect(read('docs/errors.md')).toBe(errorsText());
  });

  it('the tables of docs/playbooks.md are up to date (node scripts/docs.mjs)', () => {
    const text = read('docs/playbooks.md');
    expect(playbooksText(text)).toBe(text);
  });

  it('the tables of docs/check.md are up to date (node scripts/docs.mjs)', () => {
    const text = read('docs/check.md');
    expect(checkDocument(text)).toBe(text);
  });

  it('the table of what was tried in docs/check.md is that of the lab test (node scripts/docs.mjs)', () => {
    const text = read('docs/check.md');
    expect(mutationsDocument(text)).toBe(text);
  });

  it('each part of that table has its lab test', () => {
    for (const part of Object.keys(parts))
      expect(read(`test/lab/check/mutations/${part}.test.ts`)).toContain(`describeMutations('${part}');`);
  });

  it('every code of a finding has a group, and every group a code', () => {
    expect(groupless()).toEqual([]);
    for (const code of Object.keys(findingCodes)) expect(read('docs/check.md')).toContain(`| ${code} | `);
  });

  it('every code has a group that says what to do', () => {
    expect(unexplained()).toEqual([]);
    for (const code of Object.keys(codes)) expect(read('docs/errors.md')).toContain(code);
  });

  it('every variable has a meaning, and every meaning a variable', async () => {
    const cluster = await clusterOf(threeInventory);
    const all: Record<string, unknown> = {
      ...variablesFor(preferred(cluster), serverNamed(cluster, 'server2')),
    };
    const ofOneTemplate = ['serverConf', 'networkConf', 'unit', 'initScript'];
    const server = Object.keys(serverVariables);
    const real = Object.entries(all)
      .filter(([name]) => !ofOneTemplate.includes(name))
      .flatMap(([name, value]): string[] => {
        if (typeof value !== 'object' || value === null || Array.isArray(value)) return [name];
        const keys = Object.keys(value);
        // A map of what a host has said: nothing as yet.
        if (keys.length === 0) return [name];
        const whole = server.every((key) => keys.includes(key));
        return [
          ...(whole ? [`${name}.*`] : []),
          ...keys.filter((key) => !whole || !server.includes(key)).map((key) => `${name}.${key}`),
        ];
      });
    expect(
      Object.keys(variables)
        .filter((name) => name !== 'item.*')
        .sort(),
    ).toEqual(real.sort());
  });
});

/** Every YAML of the project that a reader may copy: files, and blocks in Markdown. */
const markdown = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)].filter(
  (path) => path.endsWith('.md') && existsSync(join(root, path)),
);
/** Parts are loaded with the playbooks that include them. */
const namesIn = (dir: string): readonly string[] =>
  readdirSync(join(root, dir)).filter((name) => name.endsWith('.yml'));
const samples = [
  ...['inventories', 'playbooks'].flatMap((dir) =>
    namesIn(dir).map((name) => [`${dir}/${name}`, read(`${dir}/${name}`)] as const),
  ),
  ...markdown.flatMap((path) =>
    [...read(path).matchAll(/```ya?ml\n([\s\S]*?)```/g)].map(
      (match, index) => [`${path}, block ${index + 1}`, match[1] ?? ''] as const,
    ),
  ),
];

describe('YAML that a reader may copy', () => {
  it('is there', () => {
    expect(samples.length).toBeGreaterThan(5);
  });

  it.each(samples)('%s loads', async (path, text) => {
    const node = parseYaml(text, path, { syntax: 'PLY001', duplicateKey: 'PLY002' });
    expect(node.ok ? [] : node.diagnostics).toEqual([]);
    if (!node.ok) return;
    if (nodeAt(node.value, ['plays'])) {
      const playbook = parsePlaybook({ path: join(root, path), text }, [...kinds.keys()], included);
      const cluster = await clusterOf(threeInventory);
      const result = playbook.ok
        ? compile(playbook.value, preferred(cluster), {
            kinds,
            template: shippedTemplate,
            asset: () => 'shipped',
            secret: () => new Secret('some secret'),
            entropy: '00'.repeat(16),
          })
        : playbook;
      expect(result.ok ? [] : result.diagnostics).toEqual([]);
      return;
    }
    // A part of an inventory is completed with what every inventory has.
    if (!nodeAt(node.value, ['hosts'])) return;
    const secret = { text: 'a secret', mode: 0o600 };
    const files = { '/work/docs/replication.secret': secret, '/work/replication.secret': secret };
    const result = await parseInventory(text, path, fakeLookups(files, environment(text)));
    expect(result.ok ? [] : result.diagnostics).toEqual([]);
  });
});

/** Every variable that the text refers to, so that only its form is judged. */
const environment = (text: string): Record<string, string> =>
  Object.fromEntries([...text.matchAll(/!env (\w+)/g)].map((match) => [match[1] ?? '', 'some-value']));
