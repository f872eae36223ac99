/**
 * Commands that a message advises, as data beside its text. In: words, already quoted for a shell where they are not ours, and texts
 * with commands in them. Out: both, made from one place. A command that is data may be done by a program as it stands: where
 * something has to be judged first, `onlyIf` says what, and nothing does it but somebody who knows that. Pure.
 */
import { quote } from './shell.ts';

export interface Command {
  /** The host to do it on; null: where pgduet is run. One of pgduet means the inventory of the run where it names none. */
  readonly on: string | null;
  /** The user to do it as; absent: root on a host, and whoever runs pgduet here. */
  readonly as?: string;
  /** A line for a shell. */
  readonly run: string;
  /** What has to be so; nobody but a person knows it. */
  readonly onlyIf?: string;
}

/** On the machine that runs pgduet. */
export const here = (parts: TemplateStringsArray, ...values: readonly string[]): Command => ({
  on: null,
  run: String.raw({ raw: parts.raw }, ...values.map(quote)),
});

/** On a host, as root. */
export const onHost =
  (host: string | undefined) =>
  (parts: TemplateStringsArray, ...values: readonly string[]): Command => ({
    ...here(parts, ...values),
    on: host ?? null,
  });

/** As it stands in a text. */
export const commandWords = ({ on, as, run, onlyIf }: Command): string =>
  [
    ...(onlyIf === undefined ? [] : [`if ${onlyIf}:`]),
    `\`${run}\``,
    ...(on === null ? [] : [`on ${on}`]),
    ...(as === undefined ? [] : [`as ${as}`]),
  ].join(' ');

export interface Advised {
  readonly fix: string;
  readonly commands: readonly Command[];
}

/** A fix with its commands, which are data and stand in the text. */
export function advised(texts: TemplateStringsArray, ...parts: readonly (string | Command)[]): Advised {
  const words = parts.map((part) => (typeof part === 'string' ? part : commandWords(part)));
  const fix = String.raw({ raw: texts }, ...words);
  return {
    fix: fix.charAt(0).toUpperCase() + fix.slice(1),
    commands: parts.flatMap((part) => (typeof part === 'string' ? [] : [part])),
  };
}

/** A fix with commands or without. */
export const fixOf = (fix: string | Advised): Pick<Advised, 'fix'> & Partial<Advised> =>
  typeof fix === 'string' ? { fix } : fix;

/** Commands between backquotes, and `on {host}` behind one. */
const marked = /`([^`]+)`(?: on (\{host\}))?/g;

/**
 * A text of ours that names host and object in braces, with both put in. Its commands are found before that: what a host says never
 * becomes one.
 */
export function filledIn(text: string, host: string | null, object: string): Advised {
  const filled = (part: string, word: (value: string) => string): string =>
    part.replaceAll(/\{(host|object)\}/g, (_, name) =>
      word(name === 'object' ? object : (host ?? 'the host')),
    );
  const commands = [...text.matchAll(marked)].map(([, run = '', place]) => ({
    on: place === undefined ? null : host,
    run: filled(run, quote),
  }));
  const parts = text.split(/(`[^`]+`)/);
  const fix = parts.map((part) => filled(part, part.startsWith('`') ? quote : (value) => value)).join('');
  return { fix, commands };
}
