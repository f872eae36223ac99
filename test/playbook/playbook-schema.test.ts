/** `schema/playbook.json` is up to date, takes what pgduet takes, and refuses the mistakes that an editor can see. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { playbookSchemaText } from '../../scripts/playbook-schema.ts';
import { parsePlaybook } from '../../src/playbook/playbook.ts';
import { kinds } from '../../src/resources/registry.ts';
import { included } from '../../src/verbs/playbook-files.ts';
import { schemaFile, wrongWithPlaybook } from './playbook-schema.ts';

const folder = join(import.meta.dirname, '../../playbooks');

/** A playbook with one resource in flow style. */
const withResource = (resource: string, meta = ''): string =>
  `plays:\n  - on: all\n    resources:\n      - ${resource}\n${meta}`;

it('is up to date (node scripts/schema.mjs)', () => {
  expect(schemaFile).toBe(playbookSchemaText());
});

const playbooks = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.yml'),
);

it.each(playbooks)('%s is right', (name) => {
  expect(wrongWithPlaybook(readFileSync(join(folder, name), 'utf8'))).toEqual([]);
});

describe('what a playbook may say', () => {
  it.each([
    ["file: { path: '/srv/{{host.name}}', owner: root, content: 1 }", 'a number as text'],
    ["port: { port: '{{postgres.port}}', for: x, pid_file: /x }", 'a variable as a number'],
    ["unit: { name: x, template: x.hbs, enabled: '{{host.managed}}' }", 'a variable as a flag'],
    ["directory: { path: /x, owner: root, mode: '{{#if host.managed}}0755{{/if}}' }", 'a variable as a mode'],
    [
      "service: { name: x, state: '{{#if host.managed}}started{{else}}stopped{{/if}}' }",
      'a variable as a word',
    ],
    ["room: { path: /x, for: x, at_least: '{{x}}MB' }", 'a variable in a size'],
    ['directory: { path: /x, owner: root, mode: 0755 }', 'a mode without quotes'],
    ['directory: { path: /x, owner: root, group: }', 'an optional field with nothing in it'],
    ["settings: { name: x, values: { port: 1, fsync: on, a: '{{x}}', b: } }", 'values of every type'],
    ['role: { name: x, password: !secret replication_password }', 'a secret'],
  ])('%s: %s', (resource) => {
    expect(wrongWithPlaybook(withResource(resource))).toEqual([]);
  });

  it('the keys beside a kind', () => {
    const meta = `        as: it
        when: '{{host.managed}}'
        each: others
        after: [primary/controller, standbys/directory /srv]
        late: true
        expect: same
`;
    expect(wrongWithPlaybook(withResource('group: { name: x }', meta))).toEqual([]);
  });
});

/** Each is wrong for pgduet, too, as far as the playbook itself is concerned; fields are judged in test/resources. */
describe('what an editor marks', () => {
  it.each([
    ['a list', '[]'],
    ['a key that nobody knows', 'plays: []\nhosts: []\n'],
    ['no plays', 'title: x\n'],
    ['plays as a map', 'plays: { on: all }\n'],
    ['a play without hosts', 'plays:\n  - resources: []\n'],
    ['a play without resources', 'plays:\n  - on: all\n'],
    ['a key of a play that nobody knows', 'plays:\n  - { on: all, resources: [], hosts: x }\n'],
    ['a kind that nobody knows', withResource('grup: { name: x }')],
    ['two kinds', withResource('group: { name: x }', '        user: { name: x }\n')],
    ['no kind', withResource('as: x')],
    ['an include beside other keys', 'plays:\n  - { include: x.yml, on: all }\n'],
    ['an include without a name', 'plays:\n  - include:\n'],
    ['a resource that is a text', withResource('group')],
    ['an each that nobody knows', withResource('group: { name: x }', '        each: all\n')],
    ['an after without hosts', withResource('group: { name: x }', '        after: it\n')],
    ['a late that is neither', withResource('group: { name: x }', '        late: 1\n')],
    ['an expect that nobody knows', withResource('group: { name: x }', '        expect: nothing\n')],
  ])('%s', (_, text) => {
    expect(wrongWithPlaybook(text)).not.toEqual([]);
    expect(parsePlaybook({ path: 'x.yml', text }, [...kinds.keys()], included).ok).toBe(false);
  });

  it.each([
    ['an unknown field', 'group: { name: x, gid: 1 }'],
    ['a missing field', 'symlink: { path: /x, owner: root }'],
    ['an empty required field', "group: { name: '' }"],
    ['a map as text', 'group: { name: { a: 1 } }'],
    ['a number that is none', 'port: { port: http, for: x, pid_file: /x }'],
    ['a flag that is neither', 'unit: { name: x, template: x.hbs, enabled: maybe }'],
    ['a mode that is none', 'directory: { path: /x, owner: root, mode: rwx }'],
    ['a word that is none of them', 'service: { name: x, state: running }'],
    ['a size without a unit', 'room: { path: /x, for: x, at_least: 256 }'],
    ['a list of maps', 'gone: { path: /x, except: [{ a: 1 }] }'],
    ['a list as a map', 'settings: { name: x, values: [port] }'],
    ['nothing', 'group:'],
  ])('%s', (_, resource) => {
    expect(wrongWithPlaybook(withResource(resource))).not.toEqual([]);
  });
});
