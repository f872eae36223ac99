/** The time of the simulated world: things that will happen, in order; a binary heap, so that years cost seconds. */

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

export class Clockwork {
  now = 0;
  #order = 0;
  readonly #heap: Entry[] = [];

  after(ms: number, run: () => void): void {
    this.#order += 1;
    const entry = { at: this.now + ms, order: this.#order, run };
    const heap = this.#heap;
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (!above || before(above, entry)) break;
      heap[index] = above;
      heap[parent] = entry;
      index = parent;
    }
  }

  /** Runs everything that happens until then. */
  runUntil(end: number): void {
    for (let first = this.#heap[0]; first && first.at <= end; first = this.#heap[0]) {
      this.#removeFirst();
      this.now = first.at;
      first.run();
    }
    this.now = end;
  }

  /** Nothing of what was to happen happens any more. */
  forget(): void {
    this.#heap.length = 0;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const leftEntry = heap[left];
      const rightEntry = heap[left + 1];
      if (!leftEntry) break;
      const child = rightEntry && before(rightEntry, leftEntry) ? left + 1 : left;
      const smaller = heap[child];
      if (!smaller || before(last, smaller)) break;
      heap[index] = smaller;
      index = child;
    }
    heap[index] = last;
  }
}

const before = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);
