/**
 * What has to be so at every moment of the small world, judged from outside: by commits, by what the instances can do, and by the
 * invariants of ADR 9. In: a moment. Out: what is broken, as sentences. Pure.
 */
import type { Kept, State } from '../../../src/controller/core/state.ts';
import { isEligible } from '../../../src/controller/core/takeover.ts';
import { isBound, termOf } from '../../../src/controller/core/term.ts';
import type { Cell } from '../../../src/controller/core/view.ts';
import { arbiterId } from './controllers.ts';
import type { Instance } from './instances.ts';
import type { Meaning } from './meaning.ts';
import type { Scene } from './scene.ts';

export function brokenLaws(meaning: Meaning, scene: Scene): string[] {
  const broken = lossesAndSplits(meaning, scene);
  for (let at = 0; at < scene.hosts; at += 1) {
    const state = scene.of(at, 'state');
    if (state === 0) continue;
    const known = meaning.controllers.states.get(state);
    broken.push(...earlierTerm(meaning, scene, known), ...strayBeliever(meaning, scene, known));
  }
  return broken;
}

/** Commits that were acknowledged and are not in this WAL. */
export function missingOf(scene: Scene, it: Instance): number[] {
  const acknowledged = scene.all('acknowledged');
  const commits = Array.from({ length: scene.all('written') }, (_, index) => index + 1);
  return commits.filter((commit) => (acknowledged & (1 << commit)) !== 0 && !it.wal.includes(commit));
}

/** S2: never two that can acknowledge. S1: who can holds everything that was acknowledged. */
function lossesAndSplits(meaning: Meaning, scene: Scene): string[] {
  const places = [...meaning.ids.keys()].filter((at) => canAcknowledge(meaning, scene, at));
  const able = places.map((at) => meaning.instance(scene, at));
  const broken =
    able.length > 1 ? [`S2: ${able.map((it) => it.id).join(' and ')} can acknowledge at once`] : [];
  for (const it of able) {
    const missing = missingOf(scene, it);
    if (missing.length > 0)
      broken.push(`S1: ${it.id} serves without acknowledged commits (${missing.join(', ')})`);
  }
  return broken;
}

function canAcknowledge(meaning: Meaning, scene: Scene, at: number): boolean {
  const { running, role, waitsFor } = meaning.instance(scene, at);
  if (!running || role !== 'primary') return false;
  return waitsFor.length === 0 || waitsFor.some((id) => meaning.streams(scene, meaning.ids.indexOf(id), at));
}

/** Invariant 2: a promise of term t says that a majority of its cells has a term of at least t-1. */
function earlierTerm(meaning: Meaning, scene: Scene, { self, sync }: State): string[] {
  if (!sync || !isBound(sync)) return [];
  const { cells = [] } = sync;
  const terms = cells.flatMap(({ at, id }) => {
    const cell = cellOf(meaning, scene, at);
    return cell && cell.id === id ? [cell.term] : [];
  });
  const behind = terms.filter((term) => term < termOf(sync) - 1).length;
  return cells.length - behind < Math.floor(cells.length / 2) + 1
    ? [`invariant 2: ${self.id} knows a promise of term ${termOf(sync)}, and the register is behind it`]
    : [];
}

function cellOf(meaning: Meaning, scene: Scene, at: string): Cell | null {
  if (at === arbiterId) return meaning.cells.get(scene.all('cell'));
  return keptOf(meaning, scene, meaning.ids.indexOf(at))?.cell ?? null;
}

/** What survives on a host: its controller knows it, or its state file. */
function keptOf(meaning: Meaning, scene: Scene, at: number): Kept | null {
  const state = scene.of(at, 'state');
  if (state > 0) return meaning.controllers.states.get(state);
  const record = scene.of(at, 'record');
  return record > 0 ? meaning.controllers.records.get(record) : null;
}

/**
 * Invariant 3: who believes that it may take over has a primary that counts it as a voter, by its promise and by the names of its
 * instance, or holds a term that is gone.
 */
function strayBeliever(meaning: Meaning, scene: Scene, state: State): string[] {
  const { sync, self } = state;
  if (!sync || !isBound(sync) || !isEligible(state)) return [];
  const at = meaning.ids.indexOf(sync.primary);
  const promise = keptOf(meaning, scene, at)?.sync;
  const isSame = promise?.primary === sync.primary && promise.timeline === sync.timeline;
  if (!isSame || termOf(promise) !== termOf(sync)) return [];
  const { running, role, waitsFor } = meaning.instance(scene, at);
  const counts = !running || role !== 'primary' || waitsFor.includes(self.id);
  return promise.voters.includes(self.id) && counts
    ? []
    : [`invariant 3: ${self.id} believes that it may take over, and ${sync.primary} does not wait for it`];
}
