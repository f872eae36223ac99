/** What a seed draws, and the command that repeats it. */
import { expect, it } from 'vitest';
import { allTraits, catalogue } from './catalogue.ts';
import { commandOf, type Draw, draw, readDraw, verbs as verbsOfAll } from './draw.ts';
import { isOrdered } from './reduce.ts';
import { agree, fits, images, placesOf } from './trait.ts';

const seeds = Array.from({ length: 3000 }, (_, at) => at + 1);
const draws = seeds.map((seed) => draw(seed, catalogue));
const names = ({ traits }: Draw): string[] => traits.map(({ trait }) => trait.name);

it('the same seed draws the same, and another one something else', () => {
  expect(draw(4711, catalogue)).toEqual(draw(4711, catalogue));
  expect(new Set(draws.map((one) => JSON.stringify([names(one), one.verbs]))).size).toBeGreaterThan(2900);
});

it('every trait of the catalogue is drawn, at every place where it may be', () => {
  const wanted = catalogue.flatMap((trait) => placesOf(trait).map((place) => `${trait.name}@${place}`));
  const met = new Set(
    draws.flatMap(({ traits }) => traits.map(({ trait, place }) => `${trait.name}@${place}`)),
  );
  expect(wanted.filter((one) => !met.has(one))).toEqual([]);
});

it('a fifth of the rounds may end in a refusal at most, and never in two', () => {
  const refusals = draws.map(
    ({ traits }) => traits.filter(({ trait }) => trait.right.kind === 'refused').length,
  );
  expect(Math.max(...refusals)).toBe(1);
  expect(refusals.filter((count) => count > 0).length / draws.length).toBeLessThanOrEqual(1 / 5);
  expect(refusals.some((count) => count > 0)).toBe(true);
});

it('traits fit the hosts, and each other', () => {
  for (const { image, start, traits } of draws)
    for (const { trait } of traits) {
      expect(fits(trait, image, start), trait.name).toBe(true);
      const foes = traits.filter((other) => other.trait !== trait && !agree(trait, other.trait));
      expect(foes, trait.name).toEqual([]);
    }
});

it('verbs are in an order that a person could have', () => {
  for (const { verbs } of draws) expect(isOrdered(verbs), verbs.join()).toBe(true);
  const all = new Set(draws.flatMap(({ verbs }) => verbs));
  expect([...all].sort()).toEqual([...verbsOfAll].sort());
});

it('an image that is asked for is the only one', () => {
  const drawn = seeds.slice(0, 100).map((seed) => draw(seed, catalogue, { images: ['debian13'] }).image);
  expect(new Set(drawn)).toEqual(new Set(['debian13']));
});

/** The words behind `--` as the command line gives them. */
function read(command: string): Draw | string {
  const words = command.split(' -- ')[1]?.split(' ') ?? [];
  const value = (name: string): string => words[words.indexOf(`--${name}`) + 1] ?? '';
  const [traits, start, verbs, image] = ['traits', 'start', 'verbs', 'image'].map(value);
  return readDraw(
    { traits: traits ?? '', start: start ?? '', verbs: verbs ?? '', image: image ?? '' },
    catalogue,
  );
}

it('the command of a draw leads to the same draw', () => {
  for (const one of draws.slice(0, 300)) expect(read(commandOf(one))).toEqual(one);
  const bare = { ...draws[0], traits: [] } as Draw;
  expect(read(commandOf(bare))).toEqual(bare);
});

it('what a command line cannot mean is told', () => {
  const words = { traits: 'none', start: 'fresh', verbs: 'make', image: 'debian12' };
  expect(readDraw({ ...words, traits: 'no-such' }, catalogue)).toBe("no trait is called 'no-such'");
  expect(readDraw({ ...words, traits: 'data-link' }, catalogue)).toContain(
    'is not for debian12 with the start fresh',
  );
  expect(readDraw({ ...words, traits: 'below-home,below-srv' }, catalogue)).toBe(
    'below-home and below-srv exclude each other',
  );
  expect(readDraw({ ...words, verbs: 'make,dance' }, catalogue)).toContain("'dance'");
  expect(readDraw({ ...words, image: 'debian11' }, catalogue)).toContain(images.join(', '));
});

it('traits have names of their own, for a command line', () => {
  const all = allTraits.map(({ name }) => name);
  expect(new Set(all).size).toBe(all.length);
  expect(all.filter((name) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name))).toEqual([]);
  expect(all.length).toBeGreaterThanOrEqual(60);
});

it('what is open says why', () => {
  for (const { name, open } of allTraits) if (open !== undefined) expect(open, name).toMatch(/\w+ \w+/);
});
