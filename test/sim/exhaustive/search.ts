/**
 * Breadth first through everything that can happen in the small world, within bounds: each moment is met once, by one of the shortest
 * ways. In: bounds. Out: how many moments there are and how deep they lie, or the first that breaks a rule, with the way to it.
 */
import { tell } from '../../controller/support/tell.ts';
import { beginning } from './beginning.ts';
import { brokenLaws } from './laws.ts';
import { Meaning } from './meaning.ts';
import { carryOut, describe, type Move, moveOf, movesOf, numberOf } from './moves.ts';
import { Scene, widthOf } from './scene.ts';
import { Step } from './step.ts';
import { Store } from './store.ts';
import type { SmallWorld } from './worlds.ts';

export interface Wanted extends Omit<SmallWorld, 'name'> {
  readonly seconds: number;
  /** Where it ends at the latest. */
  readonly megabytes?: number;
  readonly moments?: number;
  readonly progress?: (text: string) => void;
}

export interface Searched {
  readonly moments: number;
  readonly moves: number;
  readonly depth: number;
  /** Everything within the bounds was met. */
  readonly isWhole: boolean;
  readonly decisions: number;
  readonly controllerStates: number;
  readonly seconds: number;
  readonly megabytes: number;
  readonly broken: readonly string[];
  /** The way to what is broken, line by line. */
  readonly story: readonly string[];
}

export function search(wanted: Wanted): Searched {
  const begun = performance.now();
  const { servers, arbiter, left, seconds, megabytes = 3000, moments = Number.POSITIVE_INFINITY } = wanted;
  const meaning = new Meaning(servers, arbiter);
  const first = beginning(meaning, left);
  const store = new Store(widthOf(servers));
  const since = (): number => (performance.now() - begun) / 1000;
  let [moves, depth, levelEnd, at] = [0, 0, 1, 0];
  const searched = (broken: readonly string[], story: readonly string[]): Searched => ({
    moments: store.size,
    moves,
    depth,
    isWhole: at >= store.size && broken.length === 0,
    decisions: meaning.controllers.calls,
    controllerStates: meaning.controllers.states.size,
    seconds: since(),
    megabytes: Math.round(process.memoryUsage().rss / 2 ** 20),
    broken,
    story,
  });
  store.add(first.row, 0, 0);
  for (; at < store.size; at += 1) {
    if (at === levelEnd) {
      wanted.progress?.(`depth ${depth}: ${store.size} moments, ${since().toFixed(1)} s`);
      depth += 1;
      levelEnd = store.size;
    }
    if (store.size >= moments) break;
    if (at % 1000 === 0 && (since() > seconds || process.memoryUsage().rss > megabytes * 2 ** 20)) break;
    const scene = new Scene(servers, store.row(at));
    for (const move of movesOf(meaning, scene)) {
      const step = new Step(meaning, scene);
      carryOut(step, move);
      moves += 1;
      if (step.isBeyond) continue;
      const isNew = store.add(step.scene.row, at, numberOf(move));
      const broken = [...step.broken, ...(isNew ? brokenLaws(meaning, step.scene) : [])];
      if (broken.length > 0) return searched(broken, storyOf(meaning, first, [...wayTo(store, at), move]));
    }
  }
  return searched([], []);
}

function wayTo(store: Store, place: number): Move[] {
  const way: Move[] = [];
  for (let at = place; at > 0; at = store.origin(at).from) way.unshift(moveOf(store.origin(at).move));
  return way;
}

/** The way once more, with what the controllers say and do. */
function storyOf(meaning: Meaning, first: Scene, way: readonly Move[]): string[] {
  const lines: string[] = [];
  let scene = first;
  way.forEach((move, index) => {
    lines.push(`${String(index + 1).padStart(3)}. ${describe(move, meaning.ids)}`);
    const step = new Step(meaning, scene, (at, state, happening) => {
      const { controllers, ids } = meaning;
      for (const action of controllers.decision(controllers.states.get(state), happening).actions) {
        const words = action.kind === 'heartbeat' ? '' : tell(action);
        if (words !== '') lines.push(`         ${ids[at]}: ${words}`);
      }
    });
    carryOut(step, move);
    scene = step.scene;
    for (const broken of [...step.broken, ...brokenLaws(meaning, scene)]) lines.push(`     BROKEN ${broken}`);
  });
  return lines;
}
