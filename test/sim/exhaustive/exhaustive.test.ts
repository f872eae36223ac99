/**
 * Everything that can happen in small worlds, and rules taken out of the core that the search must miss.
 * `npm run sim -- --exhaustive` searches larger ones.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle } from '../bundle.ts';
import type { Mutation } from '../mutations.ts';
import { describeSearch } from './command.ts';
import { missed } from './mutations.ts';
import type { Searched, Wanted } from './search.ts';
import { Store } from './store.ts';
import { describeBounds, small, trio } from './worlds.ts';

const root = join(import.meta.dirname, '../../..');
const timeout = 600_000;
const seconds = timeout / 1000;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pgduet-exhaustive-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** As one file it is some times as fast as module by module. */
async function searchIn(wanted: Wanted, mutation?: Mutation): Promise<Searched> {
  const file = await bundle(root, folder, mutation, 'exhaustive/search.ts');
  const { search } = (await import(pathToFileURL(file).href)) as typeof import('./search.ts');
  return search(wanted);
}

describe('everything that can happen in a small world keeps the rules', () => {
  it.each(small.map((it) => [`${it.name}: ${describeBounds(it)}`, it] as const))(
    '%s',
    { timeout },
    async (_, world) => {
      const found = await searchIn({ ...world, seconds });
      process.stdout.write(`${describeSearch(world, found)}\n`);
      expect(found.story).toEqual([]);
      expect(found.isWhole).toBe(true);
    },
  );

  it('the servers themselves are the register of three', { timeout }, async () => {
    const found = await searchIn({ ...trio, seconds, moments: 10_000 });
    expect(found.story).toEqual([]);
    expect(found.isWhole).toBe(false);
  });
});

describe('a rule that is taken out of the core is missed', () => {
  it.each(missed.map((it) => [it.mutation.rule, it] as const))(
    '%s',
    { timeout },
    async (_, { mutation, left }) => {
      const found = await searchIn({ servers: 2, arbiter: true, left, seconds }, mutation);
      process.stdout.write(`missed after ${found.moments} moments: ${found.broken[0] ?? 'never'}\n`);
      expect(found.broken).not.toEqual([]);
      expect(found.story.some((line) => line.includes('BROKEN'))).toBe(true);
    },
  );
});

describe('the store of moments', () => {
  it('knows each moment once, however many there are, and how it was met', () => {
    const store = new Store(3);
    const rows = 70_000;
    const row = (number: number): Int32Array => Int32Array.from([number % 7, number, -1]);
    for (let number = 0; number < rows; number += 1)
      if (!store.add(row(number), Math.max(0, number - 1), number)) expect.fail(`${number} is new`);
    for (let number = 0; number < rows; number += 1)
      if (store.add(row(number), 0, 0)) expect.fail(`${number} is known`);
    expect(store.size).toBe(rows);
    expect([...store.row(69_999)]).toEqual([69_999 % 7, 69_999, -1]);
    expect(store.origin(69_999)).toEqual({ from: 69_998, move: 69_999 });
  });
});
