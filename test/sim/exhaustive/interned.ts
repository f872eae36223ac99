/** Values by number: what says the same has the same number, so that a whole world is a few numbers. Number 0 stands for none. */
export class Interned<T> {
  readonly #values: T[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #wordsOf: (value: T) => string;

  constructor(wordsOf: (value: T) => string) {
    this.#wordsOf = wordsOf;
  }

  numberOf(value: T): number {
    const words = this.#wordsOf(value);
    const known = this.#numbers.get(words);
    if (known !== undefined) return known;
    const number = this.#values.push(value);
    this.#numbers.set(words, number);
    return number;
  }

  get(number: number): T {
    const value = this.#values[number - 1];
    if (value === undefined) throw new Error(`nothing has the number ${number}`);
    return value;
  }

  get size(): number {
    return this.#values.length;
  }
}
