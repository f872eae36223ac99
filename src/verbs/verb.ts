/**
 * What a verb is, as data: its name, what it takes, and where its code is. The command line, the manual page, the README and
 * shell completions are made from it. In: nothing. Out: types, and the texts of options that all of them share. Pure.
 */
import type { OptionName } from './options.ts';
import type { World } from './world.ts';

/** What stands behind an option, or in the place of an argument. */
export type Takes =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'word'; readonly words: readonly string[] }
  | { readonly kind: 'file' | 'directory' | 'host' | 'cluster' | 'user' | 'duration' | 'code' | 'text' };

export interface OptionSpec {
  /** Without its dashes. */
  readonly name: OptionName;
  readonly short?: string;
  readonly takes: Takes;
  /** What help calls the value; without it the kind that is taken. */
  readonly value?: string;
  /** The value may be left out. */
  readonly optional?: true;
  /** It may be given several times. */
  readonly repeated?: true;
  /** What counts when it is not given. */
  readonly fallback?: string;
  /** It cannot be given together with these. */
  readonly excludes?: readonly string[];
  readonly summary: string;
}

export interface ArgumentSpec {
  readonly name: string;
  readonly takes: Takes;
  /** It may be left out. */
  readonly optional?: true;
  /** Any number of them, or none; only the last argument can be so. */
  readonly repeated?: true;
}

export interface Verb {
  readonly name: string;
  /** One line, without a full stop. */
  readonly summary: string;
  readonly arguments: readonly ArgumentSpec[];
  readonly options: readonly OptionSpec[];
  /** Its code: a command loads the verb that it runs, and no other one. */
  load(): Promise<RunVerb>;
}

/** Returns the exit status. */
export type RunVerb = (world: World, given: Given) => Promise<number> | number;

/** What the command line gave. */
export interface Given {
  /** A list: one that may be repeated. */
  readonly arguments: ReadonlyMap<string, string | readonly string[]>;
  /** True: an option without a value. */
  readonly options: ReadonlyMap<OptionName, true | string | readonly string[]>;
}

export const flag = ({ options }: Given, name: OptionName): boolean => options.has(name);

export function text({ options }: Given, name: OptionName): string | undefined {
  const value = options.get(name);
  return typeof value === 'object' ? value[0] : value === true ? undefined : value;
}

export function texts({ options }: Given, name: OptionName): readonly string[] {
  const value = options.get(name);
  return value === undefined || value === true ? [] : typeof value === 'string' ? [value] : value;
}

/** The value, which the command line has compared with `words`. */
export const word = <W extends string>(given: Given, name: OptionName, words: readonly W[]): W | undefined =>
  words.find((one) => one === text(given, name));

/** An argument of the verb; commander has seen to it that it is there. */
export function argument(given: Given, name: string): string {
  const value = given.arguments.get(name);
  if (typeof value !== 'string') throw new Error(`the argument '${name}' is not one of the verb`);
  return value;
}

/** The words of an argument that may be repeated, each once. */
export function repeatedArgument(given: Given, name: string): readonly string[] {
  const value = given.arguments.get(name) ?? [];
  return [...new Set(typeof value === 'string' ? [value] : value)];
}

/** The hosts that the command line names, and where: each has to be one of the inventory. */
export interface NamedHost {
  readonly by: string;
  readonly host: string;
}

export function namedHosts(verb: Verb, given: Given): readonly NamedHost[] {
  return [
    ...verb.arguments.flatMap(({ name, takes, repeated }) =>
      takes.kind === 'host'
        ? (repeated ? repeatedArgument(given, name) : [argument(given, name)]).map((host) => ({
            by: verb.name,
            host,
          }))
        : [],
    ),
    ...verb.options.flatMap(({ name, takes }) =>
      takes.kind === 'host' ? texts(given, name).map((host) => ({ by: `--${name}`, host })) : [],
    ),
  ];
}

/** "<host>", "[action]" or "[host...]", as help and the manual page show it. */
export const argumentText = ({ name, repeated, optional }: ArgumentSpec): string =>
  repeated ? `[${name}...]` : optional ? `[${name}]` : `<${name}>`;

/** "-i, --inventory <file>", as help and the manual page show it. */
export function flagsOf({ name, short, takes, value, optional }: OptionSpec): string {
  const dashed = `${short ? `-${short}, ` : ''}--${name}`;
  if (takes.kind === 'nothing') return dashed;
  const shown = value ?? takes.kind;
  return `${dashed} ${optional ? `[${shown}]` : `<${shown}>`}`;
}

/** What the option does, with what counts without it and what it may be. */
export function meaningOf({ summary, fallback, takes }: OptionSpec): string {
  const notes = [
    ...(fallback === undefined ? [] : [`default: ${fallback}`]),
    ...(takes.kind === 'word' ? [`one of: ${takes.words.join(', ')}`] : []),
  ];
  return notes.length === 0 ? summary : `${summary} (${notes.join('; ')})`;
}
