/** What some rounds have met, in a few lines: how many, how long, which share ended in a refusal, how many traits and pairs. Pure. */
import type { Result } from './round.ts';

export class Summary {
  rounds = 0;
  failed = 0;
  #seconds = 0;
  #refused = 0;
  readonly #traits = new Set<string>();
  readonly #pairs = new Set<string>();

  add({ draw, wrong, refused, seconds }: Pick<Result, 'draw' | 'wrong' | 'refused' | 'seconds'>): void {
    this.rounds += 1;
    this.failed += wrong.length > 0 ? 1 : 0;
    this.#seconds += seconds;
    this.#refused += refused > 0 ? 1 : 0;
    const names = draw.traits.map(({ trait }) => trait.name).sort();
    for (const [at, one] of names.entries()) {
      this.#traits.add(one);
      for (const other of names.slice(at + 1)) this.#pairs.add(`${one} ${other}`);
    }
  }

  get refusedShare(): number {
    return this.rounds === 0 ? 0 : this.#refused / this.rounds;
  }

  lines(): string[] {
    const each = this.rounds === 0 ? 0 : this.#seconds / this.rounds;
    return [
      `${this.rounds} rounds, ${this.failed} of them wrong, ${each.toFixed(1)} s a round`,
      `${this.#traits.size} traits and ${this.#pairs.size} pairs of traits were met`,
      `${this.#refused} rounds had a refusal that was due (${(100 * this.refusedShare).toFixed(0)} %)`,
    ];
  }
}
