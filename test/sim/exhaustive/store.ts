/**
 * All moments that were met, in the order in which they were met, each with the move that led to it: rows of numbers in blocks, and a
 * table of their places. Compared number by number, so that no two are taken for one. In: rows. Out: places.
 */

const blockRows = 1 << 16;

export class Store {
  readonly #width: number;
  readonly #blocks: Int32Array[] = [];
  #table = new Int32Array(1 << 16);
  #count = 0;

  constructor(width: number) {
    this.#width = width;
  }

  get size(): number {
    return this.#count;
  }

  get bytes(): number {
    return 4 * (this.#blocks.length * blockRows * (this.#width + 2) + this.#table.length);
  }

  #row(place: number): Int32Array {
    const block = this.#blocks[Math.floor(place / blockRows)];
    if (!block) throw new Error(`no moment ${place}`);
    const begin = (place % blockRows) * (this.#width + 2);
    return block.subarray(begin, begin + this.#width + 2);
  }

  row(place: number): Int32Array {
    return this.#row(place).subarray(0, this.#width);
  }

  /** From which moment by which move it was met first. */
  origin(place: number): { readonly from: number; readonly move: number } {
    const row = this.#row(place);
    return { from: row[this.#width] ?? 0, move: row[this.#width + 1] ?? 0 };
  }

  /** True when it was not met before. */
  add(row: Int32Array, from: number, move: number): boolean {
    const mask = this.#table.length - 1;
    let slot = hashOf(row) & mask;
    for (let place = this.#table[slot] ?? 0; place > 0; place = this.#table[slot] ?? 0) {
      if (this.#is(place - 1, row)) return false;
      slot = (slot + 1) & mask;
    }
    if (this.#count % blockRows === 0) this.#blocks.push(new Int32Array(blockRows * (this.#width + 2)));
    this.#count += 1;
    const own = this.#row(this.#count - 1);
    own.set(row);
    own[this.#width] = from;
    own[this.#width + 1] = move;
    this.#table[slot] = this.#count;
    if (this.#count * 2 > this.#table.length) this.#grow();
    return true;
  }

  #is(place: number, row: Int32Array): boolean {
    const block = this.#blocks[Math.floor(place / blockRows)];
    const begin = (place % blockRows) * (this.#width + 2);
    for (let at = 0; at < this.#width; at += 1) if (block?.[begin + at] !== row[at]) return false;
    return true;
  }

  #grow(): void {
    this.#table = new Int32Array(2 * this.#table.length);
    const mask = this.#table.length - 1;
    for (let place = 0; place < this.#count; place += 1) {
      let slot = hashOf(this.row(place)) & mask;
      while (this.#table[slot] !== 0) slot = (slot + 1) & mask;
      this.#table[slot] = place + 1;
    }
  }
}

function hashOf(row: Int32Array): number {
  let hash = 0x811c9dc5;
  for (const number of row) {
    hash = Math.imul(hash ^ number, 0x01000193);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
