/**
 * Secret: a value that must not be shown. It has no useful toString and no JSON; who needs the clear text
 * says so with `reveal()`, which only `resources/*` steps, `transport/` and `controller/io` do.
 * Every secret that is made is remembered by a `Mask`, which the last sinks apply to all text.
 */
import { inspect } from 'node:util';

const shown = '(secret)';

export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The clear text. Never put it into argv, an environment, a log or a message. */
  reveal(): string {
    return this.#value;
  }

  equals(other: Secret): boolean {
    return this.#value === other.#value;
  }

  toString(): string {
    return shown;
  }

  toJSON(): string {
    return shown;
  }

  [inspect.custom](): string {
    return shown;
  }
}

/** Replaces every known secret in a text, also where it stands quoted for a shell or for SQL. */
export class Mask {
  readonly #secrets = new Set<string>();

  add(secret: Secret): void {
    const value = secret.reveal();
    // Shorter values would blank out ordinary words and say more about the secret than they hide.
    if (value.length >= 4) this.#secrets.add(value);
  }

  apply(text: string): string {
    let masked = text;
    for (const value of this.#secrets) {
      for (const form of new Set([
        value,
        value.replaceAll("'", "'\\''"),
        value.replaceAll("'", "''"),
        JSON.stringify(value).slice(1, -1),
      ])) {
        masked = masked.replaceAll(form, shown);
      }
    }
    return masked;
  }
}
