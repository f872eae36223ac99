/**
 * The decision of `pgduet recover` behind a power cut of all servers at a random event, and conditions taken out of it that this must notice. `recovering.ts` says
 * what is done; a failure names its seed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle } from './bundle.ts';
import { conditions } from './recover-mutations.ts';
import { type Recovered, recovering } from './recovering.ts';

const root = join(import.meta.dirname, '../..');
const count = 250;
const many = 2000;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pgduet-sim-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What it comes to, without the names. */
const kindOf = ({ decided, why, beyond }: Recovered): string =>
  `${decided}${beyond ? ', and a former primary holds more' : ''}: ${why.replaceAll(/server\d/g, 'S')}`;

function figures(all: readonly Recovered[]): string {
  const sums = new Map<string, number>();
  for (const one of all) sums.set(kindOf(one), (sums.get(kindOf(one)) ?? 0) + 1);
  return [...sums]
    .sort(([, one], [, other]) => other - one)
    .map(([kind, sum]) => `  ${sum}  ${kind}\n`)
    .join('');
}

describe('the power of all servers is cut at a random event', () => {
  it(`whoever is named holds all that was acknowledged, of seeds 1 to ${count}`, () => {
    const all = Array.from({ length: count }, (_, at) => recovering(at + 1)).filter((it) => it !== null);
    const refused = all.filter(({ decided }) => decided.startsWith('SAF'));
    process.stdout.write(
      `recover: ${all.length} power cuts, ${all.length - refused.length} decided, ${refused.length} refused\n${figures(all)}`,
    );
    const wrong = all.filter(({ violations }) => violations.length > 0);
    expect(wrong.map(({ seed, violations }) => ({ seed, violations }))).toEqual([]);
    // Each answer is one that chance meets.
    const answers = new Set(all.map(({ decided }) => decided));
    for (const answer of ['one led', 'several led', 'on its way', 'SAF090', 'SAF091'] as const)
      expect(answers).toContain(answer);
    expect(all.some(({ decided, beyond }) => decided === 'several led' && beyond)).toBe(true);
  });

  it('the same seed tells the same story', () => {
    for (const seed of [6, 21]) expect(recovering(seed, true)).toEqual(recovering(seed, true));
  });
});

describe('a condition that is taken out is noticed', () => {
  it.each(conditions)('$rule', async (condition) => {
    const file = await bundle(root, folder, condition, 'recovering.ts');
    const mutant = (await import(file)) as { readonly recovering: typeof recovering };
    const wrong = (seed: number) => mutant.recovering(seed)?.violations ?? [];
    const seeds = [condition.seed, ...Array.from({ length: many }, (_, at) => at + 1)];
    const found = seeds.find((seed) => wrong(seed).length > 0);
    process.stdout.write(
      `noticed by seed ${found ?? 'none'}${found === condition.seed ? '' : ' (recover-mutations.ts is behind)'}\n`,
    );
    expect(found).toBeDefined();
  });
});
