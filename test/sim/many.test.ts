/** A run over many seeds goes on after an interruption, and keeps whatever fails, however much that is. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle } from './bundle.ts';
import { runMany, type Wanted } from './many.ts';
import { mutations } from './mutations.ts';
import { planOf } from './plan.ts';
import { allKinds } from './planned.ts';

const root = join(import.meta.dirname, '../..');
const range = { from: 1001, count: 30, batch: 5 };
let folder: string;
let whole: string;
let broken: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pgduet-many-'));
  whole = await bundle(root, folder);
  // Without this rule every scenario fails.
  broken = await bundle(
    root,
    folder,
    mutations.find((it) => it.rule === 'one event tells one view, as it is at its end'),
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const wanted = (name: string, change: Partial<Wanted> = {}): Wanted => ({
  bundle: whole,
  range,
  failures: join(folder, name, 'failures.jsonl'),
  folder: join(folder, name),
  stopped: () => false,
  ...change,
});
const linesOf = (file: string): { seed: number; plan: unknown }[] =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('a run over many seeds', () => {
  it('goes on where it was interrupted, and finds the same as one that was not', async () => {
    const first = await runMany(wanted('parts', { stopped: () => true }));
    expect(first.interrupted).toBe(true);
    expect(first.scenarios).toBeGreaterThan(0);
    expect(first.scenarios).toBeLessThan(range.count);
    const second = await runMany(wanted('parts'));
    const { ms: _, ...once } = await runMany(wanted('once'));
    expect(second).toMatchObject(once);
    expect(once).toMatchObject({
      scenarios: range.count,
      next: range.from + range.count,
      failed: 0,
      interrupted: false,
    });
    // What has come to its end begins anew.
    expect(readdirSync(join(folder, 'parts'))).toEqual([]);
  });

  it('takes any number of kinds, each choice with a progress of its own', async () => {
    const all = { ...range, kinds: Object.keys(allKinds) };
    expect((await runMany(wanted('kinds', { range: all, stopped: () => true }))).interrupted).toBe(true);
    const one = await runMany(wanted('kinds', { range: { ...range, kinds: ['cut'] } }));
    expect(one.scenarios).toBeLessThan(10);
    expect((await runMany(wanted('kinds', { range: all }))).scenarios).toBe(range.count);
  });

  it('begins anew with another program: what that one has done says nothing about this one', async () => {
    await runMany(wanted('other', { stopped: () => true }));
    const failed = await runMany(wanted('other', { bundle: broken }));
    expect(failed.scenarios).toBe(range.count);
  });

  it('keeps each that failed, with its plan, before and after an interruption', async () => {
    const stopped = wanted('failing', { bundle: broken, stopped: () => true });
    await runMany(stopped);
    const before = linesOf(stopped.failures).length;
    expect(before).toBeGreaterThan(0);
    const { failed, reports } = await runMany(wanted('failing', { bundle: broken }));
    expect(failed).toBe(range.count);
    expect(reports).toHaveLength(range.count - before);
    const kept = linesOf(stopped.failures);
    expect(kept.map((it) => it.seed)).toEqual(
      Array.from({ length: range.count }, (__, index) => range.from + index),
    );
    expect(kept[0]?.plan).toEqual(planOf(range.from));
  });
});
