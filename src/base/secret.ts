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

/** How a value may stand in a text: as it is, or with the marks of SQL, of a password file, of JSON. */
const escapes: readonly ((value: string) => string)[] = [
  (value) => value,
  (value) => value.replaceAll("'", "''"),
  (value) => value.replaceAll('\\', '\\\\').replaceAll("'", "''"),
  (value) => value.replaceAll('\\', '\\\\').replaceAll(':', '\\:'),
  (value) => JSON.stringify(value).slice(1, -1),
];

/** Each of them may stand within the quotes of a shell. */
const formsOf = (value: string): readonly string[] =>
  escapes.map((written) => written(value)).flatMap((form) => [form, form.replaceAll("'", "'\\''")]);

/** Replaces every known secret in a text, also where it stands quoted for a shell or for SQL. */
export class Mask {
  #forms: readonly string[] = [];

  add(secret: Secret): void {
    const value = secret.reveal();
    // Shorter values would blank out ordinary words and say more about the secret than they hide.
    if (value.length < 4) return;
    // Longer ones first: of two secrets one may be the beginning of the other.
    this.#forms = [...new Set([...this.#forms, ...formsOf(value)])].sort((a, b) => b.length - a.length);
  }

  apply(text: string): string {
    return this.#forms.reduce((masked, form) => masked.replaceAll(form, shown), text);
  }
}
