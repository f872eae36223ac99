/**
 * What pgduet and its controller write into a management directory stands in the list of what a teardown may delete there: a name that was
 * forgotten would be taken for somebody's. The names are those of the sources and of the playbooks, as they are found.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { arbiterTree } from '../../src/resources/arbiter/dismissed.ts';
import { managementTree } from '../../src/resources/single/forgotten.ts';
import { isOwn } from '../../src/resources/system/own-tree.ts';

const id = 'server1';
const trees = [managementTree({ id, port: 5432 }), arbiterTree({ cluster: 'cluster1' })];
const known = (name: string): boolean => trees.some((tree) => isOwn(tree, name));

const texts = (directory: string, ending: RegExp): readonly string[] =>
  readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => ending.test(name))
    .map((name) => readFileSync(join(directory, name), 'utf8'));

/** A name that is put together of more than the server identifier says nothing here. */
function named(sources: readonly string[], form: RegExp): readonly string[] {
  const found = sources.flatMap((text) => [...text.matchAll(form)].map(([, name = '']) => name));
  const names = found.map((name) =>
    name.replace(/\$\{[\w.]*\bid\}|\$\{server(?:\.name)?\}|\{\{host\.name\}\}/g, id),
  );
  // A dot is the directory itself.
  return [...new Set(names)].filter((name) => !name.includes('{') && name !== '.').sort();
}

describe('the files of a management directory', () => {
  const sources: Readonly<Record<string, readonly string[]>> = {
    resources: named(texts('src', /\.ts$/), /managementDir\}\/((?:\$\{[^}]*\}|[\w.-])+)/g),
    playbooks: named(texts('playbooks', /\.yml$/), /managementDir\}\}\/((?:\{\{[^}]*\}\}|[\w.-])+)/g),
    // The directory of PostgreSQL's programs is one, too.
    controller: named(texts('src/controller', /\.ts$/), /\bjoin\((?:\w+\.)?dir, ['`]([^'`]+)['`]\)/g).filter(
      (name) => name !== 'postgres',
    ),
  };

  it.each(Object.entries(sources))('that the %s name are known to be ours', (_, names) => {
    expect(names.length).toBeGreaterThan(5);
    // What an arbiter reads of a cluster stands in the directory of that one.
    const isKnown = (name: string): boolean => known(name) || known(`clusters/cluster1/${name}`);
    expect(names.filter((name) => !isKnown(name))).toEqual([]);
  });

  it.each([
    'notes.txt',
    'server2.conf',
    'server1.key',
    'clusters/cluster2/arbiter.key',
    'arbiter.sql',
    '.s.PGSQL.5433.lock',
    'server1-log/notes.json',
    'server1-log/report.csv',
    'server1-log/postgresql-sales.log',
  ])('%s is not', (name) => expect(known(name)).toBe(false));
});
