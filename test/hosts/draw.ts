/**
 * From a seed to a round: an image, a start, traits that can stand beside each other, and what a person does one after the other.
 * In: a seed, a catalogue. Out: the same draw on every machine. Pure.
 */
import { Random } from '../sim/random.ts';
import {
  agree,
  fits,
  type Image,
  images,
  type Place,
  placesOf,
  type Start,
  starts,
  type Trait,
} from './trait.ts';

export type Verb =
  | 'validate'
  | 'look'
  | 'make'
  | 'again'
  | 'check'
  | 'switch'
  | 'fault'
  | 'halt'
  | 'follow'
  | 'rebuild'
  | 'reboot'
  | 'teardown';

export const verbs: readonly Verb[] = [
  'validate',
  'look',
  'make',
  'again',
  'check',
  'switch',
  'fault',
  'halt',
  'follow',
  'rebuild',
  'reboot',
  'teardown',
];

export interface Drawn {
  readonly trait: Trait;
  readonly place: Place;
}

export interface Draw {
  readonly image: Image;
  readonly start: Start;
  readonly traits: readonly Drawn[];
  readonly verbs: readonly Verb[];
}

export interface DrawOptions {
  readonly images?: readonly Image[];
  /** So many traits at most. */
  readonly most?: number;
}

/** At most one of seven draws may have a trait that has to be refused, and never two of them. */
const refusals = 1 / 7;

export function draw(seed: number, catalogue: readonly Trait[], options: DrawOptions = {}): Draw {
  const random = new Random(seed);
  const image = random.pick(options.images ?? images);
  const start = random.pick(starts);
  const able = catalogue.filter((trait) => fits(trait, image, start));
  const isRefused = random.chance(refusals);
  const wanted = random.between(3, options.most ?? 7);
  const refused = isRefused
    ? some(
        random,
        able.filter(({ right }) => right.kind === 'refused'),
        1,
      )
    : [];
  const traits = some(
    random,
    able.filter(({ right }) => right.kind === 'works'),
    wanted,
    refused,
  );
  return {
    image,
    start,
    traits: inOrder(catalogue, traits).map((trait) => ({ trait, place: random.pick(placesOf(trait)) })),
    verbs: verbsFor(random),
  };
}

/** Those that are kept, and up to so many others that agree with them and with each other. */
function some(random: Random, from: readonly Trait[], count: number, kept: readonly Trait[] = []): Trait[] {
  const found = [...kept];
  const left = [...from];
  while (left.length > 0 && found.length < count + kept.length) {
    const [trait] = left.splice(random.between(0, left.length - 1), 1);
    if (trait && found.every((other) => agree(trait, other))) found.push(trait);
  }
  return found;
}

/** The order of the catalogue is the order in which hosts are made. */
const inOrder = (catalogue: readonly Trait[], traits: readonly Trait[]): Trait[] =>
  catalogue.filter((trait) => traits.includes(trait));

function verbsFor(random: Random): Verb[] {
  const maybe = (verb: Verb, chance: number): Verb[] => (random.chance(chance) ? [verb] : []);
  const before = [...maybe('validate', 0.5), ...maybe('look', 0.7)];
  const behind = [...maybe('again', 0.4), 'check' as const];
  const roles: Verb[] = random.chance(0.7)
    ? ['switch', ...maybe('reboot', 0.2), ...random.pick<Verb[]>([['switch'], ['follow']])]
    : random.pick<Verb[]>([
        ['fault', 'rebuild'],
        ['fault', 'follow'],
        ['halt', 'follow'],
      ]);
  return [...before, 'make', ...behind, ...roles, 'check', ...maybe('teardown', 0.6)];
}

/** What a person types to have this round again. */
export function commandOf({ image, start, traits, verbs: done }: Draw): string {
  const names = traits.map(({ trait, place }) =>
    placesOf(trait).length > 1 ? `${trait.name}@${place}` : trait.name,
  );
  const which = names.length > 0 ? `--traits ${names.join(',')} ` : '--traits none ';
  return `npm run test:hosts -- ${which}--start ${start} --verbs ${done.join(',')} --image ${image}`;
}

/** The draw that such a command names, or why there is none. */
export function readDraw(
  words: { readonly traits: string; readonly start: string; readonly verbs: string; readonly image: string },
  catalogue: readonly Trait[],
): Draw | string {
  const image = images.find((one) => one === words.image);
  const start = starts.find((one) => one === words.start);
  if (image === undefined) return `--image ${words.image}: it is one of ${images.join(', ')}`;
  if (start === undefined) return `--start ${words.start}: it is one of ${starts.join(', ')}`;
  const done = words.verbs.split(',').map((word) => verbs.find((verb) => verb === word) ?? word);
  const stranger = done.find((word) => !(verbs as readonly string[]).includes(word));
  if (stranger !== undefined) return `--verbs: '${stranger}' is none of ${verbs.join(', ')}`;
  const traits = readTraits(words.traits === 'none' ? [] : words.traits.split(','), catalogue);
  if (typeof traits === 'string') return traits;
  const misfit = traits.find(({ trait }) => !fits(trait, image, start));
  if (misfit) return `${misfit.trait.name} is not for ${image} with the start ${start}`;
  const foes = traits.flatMap(({ trait }) => {
    const other = traits.find((one) => one.trait !== trait && !agree(trait, one.trait));
    return other ? [`${trait.name} and ${other.trait.name} exclude each other`] : [];
  });
  return foes[0] ?? { image, start, traits, verbs: done as Verb[] };
}

function readTraits(words: readonly string[], catalogue: readonly Trait[]): Drawn[] | string {
  const found: Drawn[] = [];
  for (const trait of catalogue) {
    const word = words.find((one) => one.split('@')[0] === trait.name);
    if (word === undefined) continue;
    const place = placesOf(trait).find((one) => one === word.split('@')[1]) ?? placesOf(trait)[0];
    if (place) found.push({ trait, place });
  }
  const unknown = words.find((word) => !found.some(({ trait }) => trait.name === word.split('@')[0]));
  return unknown === undefined ? found : `no trait is called '${unknown}'`;
}
