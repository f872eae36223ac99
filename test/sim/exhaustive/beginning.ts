/** How a search begins: the servers boot, hear each other and get in sync, with nothing lost. In: a meaning. Out: a moment. */
import type { State } from '../../../src/controller/core/state.ts';
import { isBound } from '../../../src/controller/core/term.ts';
import { brokenLaws } from './laws.ts';
import type { Meaning } from './meaning.ts';
import { carryOut, type Move, movesOf } from './moves.ts';
import { type Left, nothingLeft, type Scene } from './scene.ts';
import { Step } from './step.ts';

const rounds = 30;
/** Until everybody has heard everything, and what follows from it. */
const turns = 6;
/** What happens by itself, and in which order. */
const byItself: readonly Move['kind'][] = ['finish', 'stream', 'ask', 'hear', 'hear the arbiter'];

export function beginning(meaning: Meaning, left: Left): Scene {
  let scene = meaning.begin();
  scene.allow({ ...nothingLeft, votes: 1000 });
  const make = (move: Move): void => {
    const step = new Step(meaning, scene);
    carryOut(step, move);
    scene = step.scene;
    const broken = [...step.broken, ...brokenLaws(meaning, scene)];
    if (broken.length > 0) throw new Error(broken.join('; '));
  };
  const everywhere = (kind: Move['kind'], others = false): void => {
    const all = (1 << meaning.ids.length) - 1;
    for (const at of meaning.ids.keys()) make({ kind, at, other: others ? all & ~(1 << at) : 0 });
  };
  const comeToRest = (): void => {
    for (let turn = 0; turn < turns; turn += 1)
      for (const move of movesOf(meaning, scene)) if (byItself.includes(move.kind)) make(move);
  };
  everywhere('boot');
  comeToRest();
  for (let round = 0; round < rounds; round += 1) {
    everywhere('tick');
    everywhere('pass', true);
    comeToRest();
    if (!isWhole(meaning, scene)) continue;
    everywhere('tick');
    comeToRest();
    scene.allow(left);
    return scene;
  }
  throw new Error('the servers did not get in sync');
}

const stateOf = (meaning: Meaning, scene: Scene, at: number): State | null => {
  const state = scene.of(at, 'state');
  return state === 0 ? null : meaning.controllers.states.get(state);
};

function isWhole(meaning: Meaning, scene: Scene): boolean {
  const sync = stateOf(meaning, scene, 0)?.sync;
  if (!sync || !isBound(sync) || sync.eligible.length !== meaning.ids.length - 1) return false;
  const others = meaning.ids.map((_, at) => stateOf(meaning, scene, at)).slice(1);
  return others.every((it) => it?.confirmed === true && it.sync?.epoch === sync.epoch);
}
