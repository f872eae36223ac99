/**
 * No test asserts how long something takes: on a busy machine it would fail without a mistake. In: the text of all tests. What
 * is found by it are the clocks and the names of this code base (units last: `gapMs`, `seconds`), so a name that hides a time
 * is not found.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const clock = String.raw`performance\.now|Date\.now|hrtime`;
/** A measured time by its name; `limitMs` and the like are values that the product computes, and compared with toBe. */
const measured = String.raw`\w*(?:elapsed|[a-z]Ms|[sS]econds|median|took|duration)\b`;
const comparison = String.raw`\)\s*\.(?:not\.)?toBe(?:LessThan|GreaterThan)`;
const assertsTime = new RegExp(String.raw`expect\([^;]*?(?:${clock}|${measured})[^;]*?${comparison}`, 'i');

const statements = (text: string): readonly string[] => text.split(/;\s*\n/);

describe('assertions on time', () => {
  it.each([
    'expect(performance.now() - begin).toBeLessThan(1000);\n',
    'expect(seconds).toBeLessThan(18);\n',
    'expect(median).toBeLessThan(1000);\n',
    'expect(longestGapMs).toBeLessThan(1500);\n',
    'expect(written.longestGapMs, written.errors).toBeLessThan(allowedMs(restarts));\n',
    'expect(longestGapMs).toBeGreaterThan(Number(stdout) * 0.4);\n',
    'expect(\n  Date.now() - begin,\n).not.toBeGreaterThan(5);\n',
  ])('are recognized: %j', (text) => {
    expect(statements(text).filter((one) => assertsTime.test(one))).toHaveLength(1);
  });

  it.each(['expect(rows.length).toBeGreaterThan(seen);\n', 'expect(giveUpTimeMs(conf)).toBe(5400);\n'])(
    'are not seen where there are none: %j',
    (text) => expect(statements(text).filter((one) => assertsTime.test(one))).toEqual([]),
  );

  it('stand in no test', () => {
    const root = import.meta.dirname;
    const tests = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
      (path) => path.endsWith('.ts') && path !== 'no-time.test.ts',
    );
    expect(tests.length).toBeGreaterThan(150);
    const found = tests.flatMap((path) =>
      statements(readFileSync(join(root, path), 'utf8'))
        .filter((one) => assertsTime.test(one))
        .map((one) => `${path}: ${one.trim().split('\n').at(-1)?.trim()}`),
    );
    expect(found).toEqual([]);
  });
});
