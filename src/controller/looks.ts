/**
 * Looks at something, one at a time. In: how it is looked at. Out: when there was a look that began after it was asked for.
 */
export class Looks {
  readonly #look: () => Promise<void>;
  #underWay: Promise<void> | null = null;
  #again = false;

  /** `look` looks once, and tells what it has seen before it ends. */
  constructor(look: () => Promise<void>) {
    this.#look = look;
  }

  /** Whoever asks during a look gets another one after it, because that one may have looked too early; only the first waits for it. */
  async again(): Promise<void> {
    this.#again = this.#underWay !== null;
    if (this.#underWay) return;
    do {
      this.#again = false;
      this.#underWay = this.#look();
      try {
        await this.#underWay;
      } finally {
        this.#underWay = null;
      }
    } while (this.#again);
  }

  /** What a look has seen that began before this is told by now. */
  async settled(): Promise<void> {
    await this.#underWay?.catch(() => undefined);
  }
}
