/**
 * Versions of packages before and after: what a host offers becomes exact versions, the same in the plan and in the work. In: the answer of
 * the package manager. Out: pins, or why they cannot be had. Pure.
 */
import type { Pins } from './order.ts';
import type { Point } from './preparation.ts';

export interface Offer {
  readonly have: readonly { readonly name: string; readonly installed: string; readonly offered: string }[];
  /** Seconds since 1970: when the sources were read last. */
  readonly lists: number;
  readonly fresh: readonly { readonly name: string; readonly version: string }[];
  readonly gone: readonly string[];
}

export function readOffer(stdout: string): Offer {
  const lines = stdout.split('\n').map((line) => line.split(' '));
  const of = (word: string) => lines.filter(([first]) => first === word).map(([, ...rest]) => rest);
  return {
    have: of('have').map(([name = '', installed = '-', offered = '-']) => ({ name, installed, offered })),
    lists: Number(of('lists')[0]?.[0] ?? 0),
    fresh: of('new').map(([name = '', version = '']) => ({ name, version })),
    gone: of('gone').map(([name = '']) => name),
  };
}

export interface Chosen {
  readonly pins: Pins;
  /** "postgresql-15 15.8 → 15.9", of what changes. */
  readonly words: readonly string[];
  readonly points: readonly Point[];
  /** Seconds since 1970: when the host has read its package sources last; 0: nobody knows. */
  readonly read: number;
}

/** `needed` have to be there; what is asked for besides only changes where it is installed. */
export function choose(host: string, offer: Offer, needed: readonly string[], version: number): Chosen {
  const missing = offer.have.filter(({ name, installed }) => installed === '-' && needed.includes(name));
  const there = offer.have.filter(({ installed }) => installed !== '-' && installed !== '(none)');
  const major = offer.fresh.filter(
    ({ name }) => /^postgresql-\d+$/.test(name) && name !== `postgresql-${version}`,
  );
  const point = (what: string, fix: string): Point => ({ name: 'packages', host, what, fix });
  const besides = offer.fresh.filter(({ name }) => !offer.have.some((one) => one.name === name));
  const changed = there.flatMap(({ name, installed, offered }) =>
    installed === offered ? [] : [`${name} ${installed} → ${offered}`],
  );
  return {
    read: offer.lists,
    pins: Object.fromEntries([
      ...there.map(({ name, offered }) => [name, offered]),
      ...(changed.length > 0 ? besides : []).flatMap(({ name, version: to }) =>
        // Of another architecture it comes in the version that is offered then.
        name.includes(':') ? [] : [[name, to]],
      ),
    ]),
    words:
      changed.length > 0 && besides.length > 0
        ? [
            ...changed,
            `with what they need: ${besides.map(({ name, version: to }) => `${name} ${to}`).join(' ')}`,
          ]
        : changed,
    points: [
      ...missing.map(({ name }) =>
        point(
          `the package ${name} is not installed`,
          'Name packages that are there: an update installs no new ones.',
        ),
      ),
      ...offer.gone.map((name) =>
        point(
          `the update would remove ${name}`,
          'Put the packages of that host in order first; apt-get install -s says what is in the way.',
        ),
      ),
      ...major.map(({ name }) =>
        point(
          `the update would bring ${name}, another major version`,
          'Name the packages one by one, without the one that brings it.',
        ),
      ),
    ],
  };
}

/** Other versions on two hosts would be a pair that nobody has tried. */
export function unlike(chosen: ReadonlyMap<string, Pins>): readonly Point[] {
  const [first, ...rest] = [...chosen];
  if (!first) return [];
  const [reference, pins] = first;
  return rest.flatMap(([host, own]): Point[] => {
    const other = Object.keys(own).filter((name) => pins[name] !== undefined && pins[name] !== own[name]);
    return other.map((name) => ({
      name: 'packages',
      host,
      what: `it would get ${name} ${own[name]}, and ${reference} ${pins[name]}`,
      fix: 'Let both read the same package sources (--refresh reads them anew on every host).',
    }));
  });
}
