/**
 * Runs scenarios on all cores: workers take batches of seeds until there are none left, or until enough have failed.
 * In: a bundle and a range. Out: what was found, in the order of the seeds.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Found, Order, Worlds } from './worker.ts';

export interface Range {
  readonly from: number;
  readonly count: number;
  readonly kinds?: readonly string[];
  readonly worlds?: Worlds;
  readonly trace?: boolean;
  /** Further batches are not begun once so many seeds have failed. */
  readonly enough?: number;
  /** So many seeds are given to a worker at a time. */
  readonly batch?: number;
}

const usualBatch = 100;

/** `told` gets each batch in the order of the seeds, as soon as all before it are done, and says whether to go on. */
export async function runSeeds(
  bundle: string,
  range: Range,
  told: (found: Found) => boolean = () => true,
): Promise<Found> {
  const found: Found[] = [];
  const orders = batches(range);
  const enough = range.enough ?? Number.POSITIVE_INFINITY;
  const inOrder = new InOrder(range, told);
  const done = (): boolean => inOrder.ended || found.reduce((sum, it) => sum + it.failed.length, 0) >= enough;
  const workers = Math.max(1, Math.min(availableParallelism(), orders.length));
  const work = async (): Promise<void> => {
    const worker = new Worker(bundle);
    try {
      for (let order = orders.shift(); order && !done(); order = orders.shift()) {
        const answer = await answerOf(worker, order);
        found.push(answer);
        inOrder.take(answer);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return together(found);
}

/** Workers end in any order. */
class InOrder {
  readonly #early = new Map<number, Found>();
  readonly #told: (found: Found) => boolean;
  #next: number;
  ended = false;

  constructor({ from }: Range, told: (found: Found) => boolean) {
    this.#next = from;
    this.#told = told;
  }

  take(found: Found): void {
    this.#early.set(found.from, found);
    for (let it = this.#early.get(this.#next); it; it = this.#early.get(this.#next)) {
      this.#early.delete(this.#next);
      this.#next += it.seeds;
      if (!this.#told(it)) this.ended = true;
    }
  }
}

function batches(range: Range): Order[] {
  const { from, count, kinds = [], worlds = 'all', trace = false, batch = usualBatch } = range;
  return Array.from({ length: Math.ceil(count / batch) }, (_, index) => ({
    from: from + index * batch,
    count: Math.min(batch, count - index * batch),
    kinds,
    worlds,
    trace,
  }));
}

const answerOf = (worker: Worker, order: Order): Promise<Found> =>
  new Promise((resolve, reject) => {
    worker.removeAllListeners();
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.postMessage(order);
  });

function together(found: readonly Found[]): Found {
  const parts = [...found].sort((a, b) => a.from - b.from);
  const sum = (of: (it: Found) => number): number => parts.reduce((total, it) => total + of(it), 0);
  return {
    from: parts[0]?.from ?? 0,
    seeds: sum((it) => it.seeds),
    scenarios: sum((it) => it.scenarios),
    promotions: sum((it) => it.promotions),
    acknowledged: sum((it) => it.acknowledged),
    failed: parts.flatMap((it) => it.failed),
    told: parts.flatMap((it) => it.told),
  };
}
