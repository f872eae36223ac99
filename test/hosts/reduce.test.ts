/** A failing round gets as small as it can, and every try is one that a person could have. */
import { expect, it } from 'vitest';
import type { Draw, Verb } from './draw.ts';
import { isOrdered, reduced } from './reduce.ts';
import { type Trait, works } from './trait.ts';

const trait = (name: string): Trait => ({ name, has: name, starts: ['fresh'], right: works });
const whole: Draw = {
  image: 'debian12',
  start: 'fresh',
  traits: [...'abcdefg'].map((name) => ({ trait: trait(name), place: 'both' as const })),
  verbs: ['validate', 'look', 'make', 'again', 'check', 'fault', 'rebuild', 'check', 'teardown'],
};
const has = ({ traits }: Draw, ...names: string[]): boolean =>
  names.every((name) => traits.some((drawn) => drawn.trait.name === name));

it('two traits that fail together, and the verbs that it takes', async () => {
  const tried: (readonly Verb[])[] = [];
  const small = await reduced(whole, async (one) => {
    tried.push(one.verbs);
    return has(one, 'b', 'f') && one.verbs.includes('rebuild');
  });
  expect(small.traits.map(({ trait: { name } }) => name)).toEqual(['b', 'f']);
  expect(small.verbs).toEqual(['make', 'fault', 'rebuild']);
  expect(tried.every(isOrdered)).toBe(true);
});

it('what fails without any trait', async () => {
  const small = await reduced(whole, async ({ verbs }) => verbs.includes('make'));
  expect(small).toMatchObject({ traits: [], verbs: ['make'] });
});

it('what fails only as a whole stays whole', async () => {
  expect(await reduced(whole, async (one) => one.traits.length === 7 && one.verbs.length === 9)).toBe(whole);
});

it.each<[readonly Verb[], boolean]>([
  [['validate'], true],
  [['look', 'make', 'switch'], true],
  [['make', 'fault'], true],
  [['switch', 'make'], false],
  [['make', 'rebuild'], false],
  [['make', 'fault', 'check'], false],
  [['make', 'fault', 'follow', 'check'], true],
  [['make', 'halt', 'follow'], true],
  [['make', 'halt', 'rebuild'], false],
  [['make', 'switch', 'follow'], true],
  [[], false],
])('%j is an order: %s', (verbs, right) => expect(isOrdered(verbs)).toBe(right));
