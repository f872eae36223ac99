/**
 * The judgement of a round from outside: what was not pgduet's, what the verbs said, what clients were told, secrets. In: what was seen before
 * and behind a verb. Out: what is wrong, each with the number of its rule in README.md. Pure.
 */
import { type Change, type Changes, facts } from '../lab/harness/changes.ts';
import type { Reported } from '../lab/support/pgduet.ts';
import type { Command } from './advice.ts';
import type { Verb } from './draw.ts';
import { isAbove, isChurn, isOwn, type Places, shared } from './own.ts';
import type { Refusal, Trait } from './trait.ts';

export interface Wrong {
  readonly rule: 1 | 2 | 3 | 4 | 5;
  readonly what: string;
}

/** A host at one moment: its files, and the text of those that have several owners. */
export interface Sight {
  readonly changes: Changes;
  readonly texts: ReadonlyMap<string, string>;
  readonly mounts: readonly string[];
}

const seen = (change: Change | undefined): string => (change && facts(change, false)) ?? 'as in the image';

/** Rule 1, while the cluster is there: others' things are as they were, or the plan has named them. */
export function touched(before: Sight, after: Sight, places: Places, plan: string): Wrong[] {
  const paths = new Set([...before.changes.keys(), ...after.changes.keys()]);
  const wrong = [...paths].filter((path) => {
    const [was, is] = [before.changes.get(path), after.changes.get(path)];
    if (seen(was) === seen(is) || shared(places).includes(path)) return false;
    if (isEmptied(places, path, was, is)) return false;
    return !isOwn(places, path, isNew(was, is)) && !named(plan, path);
  });
  return [
    ...wrong.map((path) => differs(path, before, after)),
    ...shared(places).flatMap((path) => linesLost(path, before, after)),
    ...mountsLost(before, after),
  ];
}

/** Rule 1, once the server is single again or the cluster is gone: nothing differs but what a server changes by running. */
export function left(before: Sight, after: Sight, places: Places): Wrong[] {
  const paths = new Set([...before.changes.keys(), ...after.changes.keys()]);
  const wrong = [...paths].filter((path) => {
    const [was, is] = [before.changes.get(path), after.changes.get(path)];
    if (isChurn(places, path) || seen(was) === seen(is)) return false;
    if (isEmptied(places, path, was, is)) return false;
    return !(isNew(was, is) && is?.kind === 'directory' && isAbove(places, path));
  });
  return [...wrong.map((path) => differs(path, before, after)), ...mountsLost(before, after)];
}

const isNew = (was: Change | undefined, is: Change | undefined): boolean =>
  is !== undefined && is.how === 'new' && (was === undefined || was.how === 'removed');

/** Directories above those of the cluster go where they are empty: docs/teardown.md. */
const isEmptied = (places: Places, path: string, was: Change | undefined, is: Change | undefined): boolean =>
  was?.kind === 'directory' && (is === undefined || is.how === 'removed') && isAbove(places, path);

/** The whole path, and not only the beginning of a longer one. */
const named = (plan: string, path: string): boolean =>
  new RegExp(`(?<![\\w./-])${path.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![\\w/-])`).test(plan);

const differs = (path: string, before: Sight, after: Sight): Wrong => ({
  rule: 1,
  what: `${path}: ${seen(before.changes.get(path))} → ${seen(after.changes.get(path))}`,
});

function mountsLost(before: Sight, after: Sight): Wrong[] {
  return before.mounts
    .filter((mount) => !after.mounts.includes(mount))
    .map((mount) => ({ rule: 1, what: `no longer mounted: ${mount}` }));
}

/** Lines of others keep their order; of a file that is not there none can be lost. */
function linesLost(path: string, before: Sight, after: Sight): Wrong[] {
  const [was, is] = [before.texts.get(path), after.texts.get(path)];
  if (was === undefined || was === is) return [];
  const there = (is ?? '').split('\n');
  let at = 0;
  const lost = was.split('\n').filter((line) => {
    if (line === '') return false;
    const next = there.indexOf(line, at);
    if (next < 0) return true;
    at = next + 1;
    return false;
  });
  return lost.map((line) => ({ rule: 1, what: `${path} has lost a line of others: ${line}` }));
}

/** Exit statuses with which each verb has done what it is for. */
export const wellEnded: Readonly<Record<Verb, readonly number[]>> = {
  validate: [0],
  look: [2],
  make: [0],
  again: [0],
  check: [0],
  switch: [0],
  fault: [0],
  halt: [0],
  follow: [0],
  rebuild: [0],
  reboot: [0],
  teardown: [0],
};

export interface Told {
  readonly code: string;
  readonly what: string;
  readonly why?: string;
  readonly fix?: string;
  readonly host?: string;
  readonly commands?: readonly Command[];
  readonly evidence?: readonly string[];
}

/** The refusal of a trait among the messages of a verb; undefined where none of them is the one that is due. */
export function refusalIn(told: readonly Told[], due: readonly Refusal[]): Refusal | undefined {
  return due.find(({ code, names }) => told.some((one) => one.code === code && names.test(wordsOf(one))));
}

export const wordsOf = ({ code, what, why = '', fix = '', host = '', evidence = [] }: Told): string =>
  [code, host, what, why, fix, ...evidence].join('\n');

/** Rule 2: the status, where no refusal explains it. */
export function ended(verb: Verb, status: number, told: readonly Told[]): Wrong[] {
  if (status === killed) return [{ rule: 5, what: `${verb} did not end in time` }];
  if (wellEnded[verb].includes(status)) return [];
  const words = told.map(wordsOf).join('\n');
  return [{ rule: 2, what: `${verb} ended with status ${status}:\n${words}` }];
}

/** How the harness says that a program was killed, since its time was up. */
const killed = 128;

/** Rule 2: behind a green run `check` tells nothing but notes and what a trait says is so. */
export function unclean(findings: readonly Reported[], traits: readonly Trait[]): Wrong[] {
  const allowed = traits.flatMap(({ tells = [] }) => tells);
  return findings
    .filter(({ severity, code }) => severity !== 'note' && !allowed.includes(code))
    .map(({ severity, code, host, object, what, found, mend }) => ({
      rule: 2,
      what: `check tells ${severity} ${code} on ${host ?? 'the cluster'}: ${object}: ${what}; found ${found}; to repair: ${mend}`,
    }));
}

/** Rule 5: what nobody may see begins with this word. */
const canary = /canary-[\w-]+/g;

export function spoken(verb: Verb, output: string): Wrong[] {
  const secrets = [...new Set(output.match(canary) ?? [])].map((secret) => `${verb} shows ${secret}`);
  const defects = [...new Set(output.match(/\bBUG\d{3}\b/g) ?? [])].map((code) => `${verb} says ${code}`);
  return [...secrets, ...defects].map((what) => ({ rule: 5, what }));
}

/** A moment at which a server has said whether it takes writes. */
export interface Answer {
  readonly server: string;
  readonly asked: number;
  readonly answered: number;
}

/** No switch there and back is that quick, in ms. */
const atOnce = 1000;

/** Rule 4: a server that took writes before and right behind another one did, so that both of them did. */
export function twoPrimaries(answers: readonly Answer[]): Wrong[] {
  const sorted = [...answers].sort((one, other) => one.asked - other.asked);
  const found = sorted.find((first, at) => {
    const [second, third] = [sorted[at + 1], sorted[at + 2]];
    if (second === undefined || third === undefined) return false;
    return (
      first.server === third.server && first.server !== second.server && third.asked - first.answered < atOnce
    );
  });
  return found ? [{ rule: 4, what: `two servers took writes at one moment, ${found.server} is one` }] : [];
}
