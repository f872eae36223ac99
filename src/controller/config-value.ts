/**
 * The kinds of value that <serverIdentifier>.conf and arbitration.conf know, each as one thing that reads and writes it:
 * token of the file ⇄ typed value. Reading says what was expected when it fails; it never throws. Pure.
 */
import { isHttpsEndpoint } from '../base/endpoint.ts';
import { programLine } from '../base/program-line.ts';
import { Secret } from '../base/secret.ts';

/** A value as it stands in the file: the text without its quotes, and whether it had them. */
export interface Token {
  readonly text: string;
  readonly quoted: boolean;
}

export type Reading<T> =
  | { readonly kind: 'value'; readonly value: T }
  | { readonly kind: 'wrong-form'; readonly expected: string }
  | { readonly kind: 'out-of-range'; readonly expected: string };

export interface KeySpec<T> {
  readonly key: string;
  readonly required: boolean;
  readonly fallback: T | undefined;
  /** One phrase for documents and messages: "a whole number of ms from 1 to 2147483647". */
  readonly expected: string;
  read(token: Token): Reading<T>;
  /** The value in the form of the file; undefined when it must not or need not be written. */
  write(value: T): string | undefined;
}

/** Every key of a file, by the field that holds its value. */
export type KeyTable<T> = { readonly [Field in keyof T]-?: KeySpec<NonNullable<T[Field]>> };

/** What the fields have when the file does not name them; those that are required or have no default are missing. */
export function defaultsOf<T>(table: KeyTable<T>): Partial<T> {
  const entries = Object.entries<KeySpec<unknown>>(table).flatMap(([field, spec]) =>
    spec.fallback === undefined ? [] : [[field, spec.fallback] as const],
  );
  // The table's type ties each field to its value's type, which Object.entries cannot carry through.
  return Object.fromEntries(entries) as unknown as Partial<T>;
}

/** Every value in the form of the file, by its key; one that is not set or must not be written is missing. */
export function writtenValues<T>(table: KeyTable<T>, conf: T): Readonly<Record<string, string>> {
  const values: Record<string, string> = {};
  for (const [field, spec] of Object.entries(table) as [keyof T, KeySpec<unknown>][]) {
    const value = conf[field];
    const written = value === undefined ? undefined : spec.write(value);
    if (written !== undefined) values[spec.key] = written;
  }
  return values;
}

const largest = 2_147_483_647;
const value = <T>(it: T): Reading<T> => ({ kind: 'value', value: it });

/** 'text' with its quotes and backslashes escaped as the reader expects them. */
export const quoteValue = (plain: string): string =>
  `'${plain.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;

const factors = { ms: 1, s: 1000, MB: 1024 ** 2, '': 1 } as const;

/**
 * A whole number in the file's unit; times are kept in milliseconds and sizes in bytes, `fallback` too. `finer`: a number of
 * seconds that is not whole is written in milliseconds, with their unit.
 */
export function integer(
  key: string,
  rule: {
    readonly min: number;
    readonly max?: number;
    readonly unit: keyof typeof factors;
    readonly fallback: number;
    readonly finer?: true;
  },
): KeySpec<number> {
  const factor = factors[rule.unit];
  const { min, max = largest, finer = false } = rule;
  const whole = `a whole number${rule.unit ? ` of ${rule.unit}` : ''} from ${min} to ${max}`;
  const expected = finer ? `${whole}, or of ms with that unit, such as 400ms` : whole;
  return {
    key,
    required: false,
    fallback: rule.fallback,
    expected,
    read(token) {
      const [, digits, unit] = /^(\d+)(ms)?$/.exec(token.text) ?? [];
      if (digits === undefined || (unit && !finer)) return { kind: 'wrong-form', expected };
      const number = Number(digits);
      if (number < min || number > max) return { kind: 'out-of-range', expected };
      return value(unit ? number : number * factor);
    },
    write: (it) => (finer && it % factor !== 0 ? `${it}ms` : String(Math.ceil(it / factor))),
  };
}

/** One of a few words. The file may quote it or not; we write it the way the manual does. */
export function word<T extends string>(
  key: string,
  words: readonly T[],
  fallback: T,
  form: 'bare' | 'quoted',
): KeySpec<T> {
  const expected = `one of ${words.join(', ')}`;
  return {
    key,
    required: false,
    fallback,
    expected,
    read(token) {
      const found = words.find((candidate) => candidate.toLowerCase() === token.text.toLowerCase());
      return found === undefined ? { kind: 'wrong-form', expected } : value(found);
    },
    write: (it) => (form === 'quoted' ? quoteValue(it) : it),
  };
}

function quotedText<T>(
  key: string,
  rule: { readonly required: boolean; readonly fallback: T | undefined; readonly expected: string },
  convert: (plain: string) => T | undefined,
  write: (it: T) => string | undefined,
): KeySpec<T> {
  return {
    key,
    ...rule,
    read(token) {
      if (!token.quoted) return { kind: 'wrong-form', expected: rule.expected };
      const converted = convert(token.text);
      return converted === undefined ? { kind: 'wrong-form', expected: rule.expected } : value(converted);
    },
    write,
  };
}

/** ASCII text of limited length. */
export function text(key: string, fallback: string | undefined, longest: number): KeySpec<string> {
  const expected = `ASCII text in single quotes, at most ${longest} bytes`;
  const convert = (plain: string) =>
    /^[\x20-\x7e]+$/.test(plain) && plain.length <= longest ? plain : undefined;
  return quotedText(key, { required: false, fallback, expected }, convert, quoteValue);
}

/** An absolute path. The manual's rule for data directories holds for all of them: ASCII without spaces. */
export function path(key: string, need: 'required' | 'optional'): KeySpec<string> {
  const expected = 'an absolute path in single quotes, ASCII without spaces';
  const convert = (plain: string) => (/^\/[\x21-\x7e]*$/.test(plain) ? plain : undefined);
  return quotedText(
    key,
    { required: need === 'required', fallback: undefined, expected },
    convert,
    quoteValue,
  );
}

/** A program by its absolute path, and arguments behind it; `programLine` says how they are told apart. */
export function command(key: string): KeySpec<string> {
  const expected = 'an absolute path in single quotes, ASCII, and arguments behind it';
  const convert = (plain: string) => (programLine(plain).ok ? plain : undefined);
  return quotedText(key, { required: false, fallback: undefined, expected }, convert, quoteValue);
}

/** A password: read into a Secret, never written back. */
export function secret(key: string): KeySpec<Secret> {
  const rule = { required: false, fallback: undefined, expected: 'a password in single quotes' };
  return quotedText(
    key,
    rule,
    (plain) => (plain === '' ? undefined : new Secret(plain)),
    () => undefined,
  );
}

/** A name or an address of the own host. */
export function address(key: string): KeySpec<string> {
  const expected = 'an address of this host in single quotes';
  const convert = (plain: string) =>
    /^[A-Za-z0-9.:_-]+(%[A-Za-z0-9._-]+)?$/.test(plain) ? plain : undefined;
  return quotedText(key, { required: true, fallback: undefined, expected }, convert, quoteValue);
}

/** Addresses in one quoted string, separated by commas. */
export const list = (key: string): KeySpec<readonly string[]> =>
  listOf(
    key,
    "addresses in one pair of single quotes, separated by commas, such as '192.0.2.1, 192.0.2.2'",
    (item) => /^[A-Za-z0-9.:_-]+$/.test(item),
  );

/** An address for each of several servers in one quoted string, separated by commas. */
export function addressesByServer(key: string): KeySpec<Readonly<Record<string, string>>> {
  const expected =
    "server=address in one pair of single quotes, separated by commas, such as 'server2=192.0.2.110, server3=db3.example.com'";
  const convert = (plain: string) => {
    const pairs = plain
      .split(',')
      .map((item) => /^\s*([^\s,=]+)=([A-Za-z0-9.:_-]+)\s*$/.exec(item) ?? [])
      .map(([, server, host]) => [server, host] as const);
    const isTwice = new Set(pairs.map(([server]) => server)).size < pairs.length;
    if (isTwice || pairs.some(([server]) => server === undefined)) return undefined;
    return Object.fromEntries(pairs) as Record<string, string>;
  };
  return quotedText(key, { required: false, fallback: {}, expected }, convert, (it) => {
    const pairs = Object.entries(it);
    return pairs.length === 0
      ? undefined
      : quoteValue(pairs.map(([server, host]) => `${server}=${host}`).join(', '));
  });
}

/** Members of an etcd in one quoted string, separated by commas. */
export const httpsList = (key: string): KeySpec<readonly string[]> =>
  listOf(
    key,
    "https addresses with ports in one pair of single quotes, separated by commas, such as 'https://192.0.2.1:2379'",
    isHttpsEndpoint,
  );

function listOf(
  key: string,
  expected: string,
  isItem: (item: string) => boolean,
): KeySpec<readonly string[]> {
  const convert = (plain: string) => {
    const items = plain.split(',').map((item) => item.trim());
    if (items.length === 1 && items[0] === '') return [];
    return items.every(isItem) ? items : undefined;
  };
  return quotedText(key, { required: false, fallback: [], expected }, convert, (it) =>
    it.length === 0 ? undefined : quoteValue(it.join(', ')),
  );
}
