/** What can happen next in the small world, as numbers that name it. In: a moment. Out: moves, and what they do. */

import type { Meaning } from './meaning.ts';
import type { Scene } from './scene.ts';
import type { Step } from './step.ts';

const kinds = [
  'hear',
  'tick',
  'finish',
  'ask',
  'hear the arbiter',
  'pass',
  'stream',
  'commit',
  'refuse',
  'boot',
  'switch',
  'cut',
  'mend',
  'kill',
  'kill when done',
  'crash',
  'crash the instance',
  'wipe',
] as const;

export interface Move {
  readonly kind: (typeof kinds)[number];
  readonly at: number;
  readonly other: number;
}

const mostHosts = 8;

export const numberOf = ({ kind, at, other }: Move): number =>
  (kinds.indexOf(kind) * mostHosts + at) * mostHosts + other;

export function moveOf(number: number): Move {
  const kind = kinds[Math.floor(number / mostHosts / mostHosts)];
  if (!kind) throw new Error(`no move ${number}`);
  return { kind, at: Math.floor(number / mostHosts) % mostHosts, other: number % mostHosts };
}

export function movesOf(meaning: Meaning, scene: Scene): Move[] {
  const moves: Move[] = [];
  const add = (kind: Move['kind'], at: number, other = 0): void => void moves.push({ kind, at, other });
  for (let at = 0; at < scene.hosts; at += 1) {
    ofPlace(meaning, scene, at, add);
    if (scene.of(at, 'state') > 0) ofController(meaning, scene, at, add);
    else add('boot', at);
  }
  if (meaning.withArbiter && scene.all('wipes') > 0) add('wipe', 0);
  return moves;
}

type Add = (kind: Move['kind'], at: number, other?: number) => void;

/** Between the instances, and what goes wrong with them. */
function ofPlace(meaning: Meaning, scene: Scene, at: number, add: Add): void {
  const { running, role } = meaning.instance(scene, at);
  if (scene.of(at, 'asked') > 0) add('ask', at);
  if (running && role === 'primary' && scene.all('commits') > 0) add('commit', at);
  if (running && scene.all('crashes') > 0) add('crash the instance', at);
  for (let other = 0; other < scene.hosts; other += 1) {
    if (meaning.streams(scene, at, other) && isBehind(meaning, scene, at, other)) add('stream', at, other);
    if (other <= at) continue;
    if (scene.isApart(at, other) && scene.all('mends') > 0) add('mend', at, other);
    if (!scene.isApart(at, other) && scene.all('cuts') > 0) add('cut', at, other);
  }
}

function ofController(meaning: Meaning, scene: Scene, at: number, add: Add): void {
  for (let from = 0; from < scene.hosts; from += 1) {
    if (scene.told(from, at) > 0) add('hear', at, from);
    if (from !== at && scene.of(from, 'state') === 0 && scene.of(from, 'on') === 1) add('refuse', at, from);
  }
  if (scene.of(at, 'answer') > 0) add('hear the arbiter', at);
  if (scene.of(at, 'works') > 0) add('finish', at);
  add('tick', at);
  for (let heard = 0; heard < 1 << scene.hosts; heard += 1)
    if (haveTold(scene, at, heard)) add('pass', at, heard);
  const { running, role } = meaning.instance(scene, at);
  if (scene.all('switches') > 0 && role === 'primary' && running) add('switch', at);
  if (scene.all('kills') > 0) add('kill', at);
  if (scene.all('kills') > 0 && scene.of(at, 'works') > 0) add('kill when done', at);
  if (scene.all('crashes') > 0) add('crash', at);
}

/** All of these have told something. */
function haveTold(scene: Scene, at: number, heard: number): boolean {
  for (let from = 0; from < scene.hosts; from += 1)
    if ((heard & (1 << from)) !== 0 && scene.told(from, at) === 0) return false;
  return true;
}

function isBehind(meaning: Meaning, scene: Scene, at: number, from: number): boolean {
  const standby = meaning.instance(scene, at);
  const { wal, confirmed, timeline } = meaning.instance(scene, from);
  return (
    standby.wal.length < wal.length || confirmed[standby.id] !== wal.length || standby.timeline !== timeline
  );
}

const request = { kind: 'switch', force: false, noFencing: true } as const;

interface Effect {
  readonly words: (host: string, other: string, ids: readonly string[], number: number) => string;
  readonly make: (step: Step, at: number, other: number) => void;
}

const effects: { readonly [Kind in Move['kind']]: Effect } = {
  hear: {
    words: (host, other) => `${host} hears ${other}`,
    make: (step, at, other) => step.hear(at, other),
  },
  tick: {
    words: (host) => `${host} looks at its instance, and ticks`,
    make: (step, at) => step.tick(at),
  },
  finish: {
    words: (host) => `${host} ends what it has begun`,
    make: (step, at) => step.finish(at),
  },
  ask: {
    words: (host) => `the arbiter hears ${host}`,
    make: (step, at) => step.ask(at),
  },
  'hear the arbiter': {
    words: (host) => `${host} hears the arbiter`,
    make: (step, at) => step.hearArbiter(at),
  },
  pass: {
    words: (host, _, ids, heard) => {
      const names = ids.filter((__, from) => (heard & (1 << from)) !== 0);
      return `the time to give up passes on ${host}, which hears ${names.join(', ') || 'nobody'} meanwhile`;
    },
    make: (step, at, heard) => step.pass(at, heard),
  },
  stream: {
    words: (host, other) => `WAL goes from ${other} to ${host}, which confirms it`,
    make: (step, at, other) => step.stream(at, other),
  },
  commit: {
    words: (host) => `a client commits on ${host}`,
    make: (step, at) => {
      step.spend('commits');
      step.commit(at);
    },
  },
  refuse: {
    words: (host, other) => `${host} is refused by the host of ${other}`,
    make: (step, at, other) =>
      step.happens(at, { kind: 'peer-refused', peer: step.meaning.ids[other] ?? '' }),
  },
  boot: {
    words: (host) => `the controller of ${host} starts`,
    make: (step, at) => step.boot(at),
  },
  switch: {
    words: (host) => `a person asks ${host} for a switch`,
    make: (step, at) => {
      step.spend('switches');
      step.happens(at, { kind: 'control', id: 1, request });
    },
  },
  cut: {
    words: (host, other) => `no WAL goes between ${host} and ${other} any more`,
    make: (step, at, other) => {
      step.spend('cuts');
      step.toggle(at, other);
    },
  },
  mend: {
    words: (host, other) => `WAL goes between ${host} and ${other} again`,
    make: (step, at, other) => {
      step.spend('mends');
      step.toggle(at, other);
    },
  },
  kill: {
    words: (host) => `the controller of ${host} is killed, and what it has begun is not done`,
    make: (step, at) => {
      step.spend('kills');
      step.kill(at, false);
    },
  },
  'kill when done': {
    words: (host) => `the controller of ${host} is killed, and what it has begun is done`,
    make: (step, at) => {
      step.spend('kills');
      step.kill(at, true);
    },
  },
  crash: {
    words: (host) => `${host} loses its power`,
    make: (step, at) => {
      step.spend('crashes');
      step.crash(at, true);
    },
  },
  'crash the instance': {
    words: (host) => `the instance of ${host} is killed`,
    make: (step, at) => {
      step.spend('crashes');
      step.crash(at, false);
    },
  },
  wipe: {
    words: () => 'the arbiter gets an empty disk',
    make: (step) => {
      step.spend('wipes');
      step.wipe();
    },
  },
};

export function carryOut(step: Step, { kind, at, other }: Move): void {
  effects[kind].make(step, at, other);
  step.end();
}

export const describe = ({ kind, at, other }: Move, ids: readonly string[]): string =>
  effects[kind].words(ids[at] ?? '', ids[other] ?? '', ids, other);
