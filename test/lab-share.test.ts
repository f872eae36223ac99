/** Which files of the lab a run of the tests takes. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';

interface Draw {
  readonly files: readonly string[];
  readonly times: Readonly<Record<string, number>>;
  readonly commit: string;
  readonly seconds: number;
  readonly pace: number;
}
interface Module {
  readonly always: readonly string[];
  readonly early: readonly string[];
  secondsOf(files: readonly string[], times: Readonly<Record<string, number>>): number;
  drawn(draw: Draw): string[];
}

const root = join(import.meta.dirname, '..');
const share = (await import(pathToFileURL(join(root, 'scripts/lab-share.mjs')).href)) as Module;

const times = { a: 10, b: 20, c: 30, d: 400 };
const files = ['a', 'b', 'c', 'd', 'new'];
const draw = (change: Partial<Draw> = {}) =>
  share.drawn({ files, times, commit: 'abc', seconds: 60, pace: 1, ...change });

it('the files that are named are there, each once; the main way is a tenth of the lab at most', () => {
  const named = [...share.always, ...share.early];
  expect(named.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  expect(new Set(named).size).toBe(named.length);
  const all = JSON.parse(readFileSync(join(root, 'test/times.json'), 'utf8')) as Record<string, number>;
  const lab = Object.keys(all).filter((file) => file.startsWith('test/lab/'));
  expect(share.secondsOf(share.always, all)).toBeLessThan(share.secondsOf(lab, all) / 10);
});

it('what comes early does so whatever the commit', () => {
  const all = [...files, ...share.early];
  for (const commit of ['abc', 'def']) {
    const found = draw({ files: all, commit, seconds: 60 * share.early.length });
    expect(found).toEqual(expect.arrayContaining([...share.early]));
    expect(found[0]).toBe(share.early[0]);
  }
});

it('of the others only what fits is drawn, and the same for the same commit', () => {
  for (const commit of ['abc', 'def', '0123']) {
    const found = draw({ commit });
    expect(found).toEqual(draw({ commit }));
    expect(found).not.toContain('d');
    expect(share.secondsOf(found, times)).toBeLessThanOrEqual(60);
  }
  expect(draw({ seconds: -5 })).toEqual([]);
  expect(draw({ seconds: 1e6 }).sort()).toEqual(files);
});

it('a slow machine has room for fewer, and a file of unknown length counts as a long one', () => {
  expect(draw({ pace: 7, seconds: 70 })).toEqual(['a']);
  expect(draw({ files: ['new'], seconds: 59 })).toEqual([]);
  expect(draw({ files: ['new'], seconds: 60 })).toEqual(['new']);
});

it('each has its turn as commits come', () => {
  const seen = new Set(Array.from({ length: 50 }, (_, at) => draw({ commit: `c${at}`, seconds: 30 })).flat());
  expect([...seen].sort()).toEqual(['a', 'b', 'c']);
});
