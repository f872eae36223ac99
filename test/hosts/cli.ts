/**
 * `npm run test:hosts`: rounds with hosts that nobody wrote by hand. In: how many, from which seed, or the traits and verbs of one. Out: what was
 * wrong, the smallest round that shows it, a summary; the exit status is 1 where anything was wrong.
 */
import { parseArgs } from 'node:util';
import { prepareMachine } from '../lab/harness/machine.ts';
import { built } from '../lab/support/pgduet.ts';
import { catalogue, openTraits } from './catalogue.ts';
import { commandOf, type Draw, draw, readDraw } from './draw.ts';
import { reduced } from './reduce.ts';
import { type Result, runRound } from './round.ts';
import { Summary } from './summary.ts';
import { images, type Trait } from './trait.ts';

const usage = `npm run test:hosts -- --rounds N --seed S [--image ${images.join('|')}] [--open] [--minutes M]
npm run test:hosts -- --traits a,b --start fresh|packaged|unit --verbs make,check --image debian12
npm run test:hosts -- --list

Rounds with traits of test/hosts/traits on lab hosts. --open also draws what does not hold yet; --minutes ends behind so many minutes;
--keep-going does not reduce what fails.
`;

const options = {
  rounds: { type: 'string', default: '1' },
  seed: { type: 'string', default: '1' },
  minutes: { type: 'string', default: '600' },
  image: { type: 'string' },
  traits: { type: 'string' },
  start: { type: 'string', default: 'fresh' },
  verbs: { type: 'string', default: 'look,make,check,switch,switch,check,teardown' },
  open: { type: 'boolean', default: false },
  list: { type: 'boolean', default: false },
  'keep-going': { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

const parse = (argv: readonly string[]) => parseArgs({ args: [...argv], options });
type Values = ReturnType<typeof parse>['values'];

export async function runHosts(argv: readonly string[]): Promise<number> {
  const values = readArguments(argv);
  if (typeof values === 'string') {
    process.stderr.write(values === '' ? usage : `${values}\n\n${usage}`);
    return values === '' ? 0 : 3;
  }
  if (values.list) {
    process.stdout.write([...catalogue, ...openTraits].map(lineOf).join(''));
    return 0;
  }
  const draws = drawsOf(values);
  if (typeof draws === 'string') {
    process.stderr.write(`${draws}\n`);
    return 3;
  }
  built();
  await prepareMachine((line) => process.stderr.write(`${line}\n`));
  return tryAll(draws, values);
}

function readArguments(argv: readonly string[]): Values | string {
  try {
    const { values } = parse(argv);
    if (values.help) return '';
    const wrong = (['rounds', 'seed', 'minutes'] as const).find((name) => !(Number(values[name]) >= 0));
    if (wrong) return `--${wrong} ${values[wrong]}: it takes a number`;
    const stranger = values.image !== undefined && !(images as readonly string[]).includes(values.image);
    return stranger ? `--image ${values.image}: it is one of ${images.join(', ')}` : values;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const lineOf = ({ name, has, starts, images: only, places, right, open }: Trait): string => {
  const where = [starts.join(' '), only?.join(' '), places?.join(' ')].filter((word) => word !== undefined);
  const end = right.kind === 'works' ? 'works' : `refused, ${right.code}`;
  return `${name}: ${has} (${where.join('; ')}): ${end}${open === undefined ? '' : `; open: ${open}`}\n`;
};

interface Try {
  readonly seed?: number;
  readonly draw: Draw;
}

function drawsOf(values: Values): readonly Try[] | string {
  const all = values.open || values.traits !== undefined ? [...catalogue, ...openTraits] : catalogue;
  if (values.traits !== undefined) {
    const { traits, start, verbs, image = 'debian12' } = values;
    const one = readDraw({ traits, start, verbs, image }, all);
    return typeof one === 'string'
      ? one
      : Array.from({ length: Number(values.rounds) }, () => ({ draw: one }));
  }
  const only = images.filter((image) => values.image === undefined || image === values.image);
  return Array.from({ length: Number(values.rounds) }, (_, at) => {
    const seed = Number(values.seed) + at;
    return { seed, draw: draw(seed, all, { images: only }) };
  });
}

async function tryAll(tries: readonly Try[], values: Values): Promise<number> {
  const summary = new Summary();
  const end = Date.now() + Number(values.minutes) * 60_000;
  for (const { seed, draw: one } of tries) {
    if (Date.now() > end) break;
    const result = await runRound(one);
    summary.add(result);
    process.stdout.write(told(result, seed));
    const isReduced = result.wrong.length > 0 && !values['keep-going'] && values.traits === undefined;
    if (isReduced)
      process.stdout.write(`  the smallest that shows it: ${commandOf(await smallest(result))}\n`);
  }
  process.stdout.write(`${summary.lines().join('\n')}\n`);
  return summary.failed > 0 ? 1 : 0;
}

/** The same rules are broken. */
export function smallest(result: Result): Promise<Draw> {
  const rules = new Set(result.wrong.map(({ rule }) => rule));
  return reduced(result.draw, async (one) => (await runRound(one)).wrong.some(({ rule }) => rules.has(rule)));
}

export function told({ draw: one, wrong, story, seconds, refused }: Result, seed?: number): string {
  const names = one.traits.map(({ trait, place }) => `${trait.name}@${place}`).join(' ');
  const head = `${seed === undefined ? '' : `seed ${seed} `}${one.image} ${one.start} [${names}] ${one.verbs.join(',')}`;
  const sum = `${wrong.length === 0 ? 'right' : 'WRONG'} in ${seconds.toFixed(0)} s${refused > 0 ? `, ${refused} refused` : ''}`;
  if (wrong.length === 0) return `${head}: ${sum}\n`;
  const lines = [
    ...wrong.map(({ rule, what }) => `  rule ${rule}: ${what}`),
    ...story.map((line) => `  ${line}`),
  ];
  return `${head}: ${sum}\n${lines.join('\n')}\n  again: ${commandOf(one)}\n`;
}
