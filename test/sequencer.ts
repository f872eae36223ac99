/**
 * Tells the test runner in which order to begin files. In: the files of a run and test/times.json, which
 * `node scripts/test-times.mjs` writes. Out: the same files, the longest first.
 */
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { longestFirst } from './longest-first.ts';

const root = join(import.meta.dirname, '..');

export class LongestFirst extends BaseSequencer {
  override async sort(specifications: TestSpecification[]): Promise<TestSpecification[]> {
    const text = readFileSync(join(root, 'test/times.json'), 'utf8');
    const times = JSON.parse(text) as Record<string, number>;
    const nameOf = (it: TestSpecification): string => relative(root, it.moduleId);
    const order = longestFirst(specifications.map(nameOf), times);
    return [...specifications].sort((a, b) => order.indexOf(nameOf(a)) - order.indexOf(nameOf(b)));
  }
}
