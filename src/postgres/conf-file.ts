/**
 * postgresql.conf as text ("Setting Parameters / Parameter Interaction via the Configuration File"): which value counts, and how to
 * change single lines while every other byte stays. The last line for a name wins. Pure.
 */
import { quoteSetting } from './quote.ts';

export interface ConfLine {
  readonly name: string;
  /** The value without its quotes. */
  readonly value: string;
  /** Index into the lines of the text. */
  readonly index: number;
}

const assignment = /^\s*([A-Za-z_][A-Za-z0-9_.]*)\s*(?:=\s*|\s+)('(?:[^'\\]|''|\\.)*'|[^\s#'=]+)\s*(?:#.*)?$/;

function unquote(text: string): string {
  if (!text.startsWith("'")) return text;
  return text.slice(1, -1).replaceAll("''", "'").replace(/\\(.)/g, '$1');
}

/** Every assignment that is not commented out, in order. Include directives are not followed. */
export function parseConf(text: string): readonly ConfLine[] {
  return text.split('\n').flatMap((line, index) => {
    const match = assignment.exec(line);
    const name = match?.[1]?.toLowerCase();
    if (!match || name === undefined || name.startsWith('include')) return [];
    return [{ name, value: unquote(match[2] ?? ''), index }];
  });
}

/** The value that counts for each name. */
export function effectiveConf(text: string): ReadonlyMap<string, ConfLine> {
  return new Map(parseConf(text).map((line) => [line.name, line]));
}

/** One settings line as we write it. */
export const confLine = (name: string, value: string): string => `${name} = ${quoteSetting(value)}`;

/**
 * The text with these values in force. A line that counts today is replaced where it stands, an earlier duplicate of
 * it is commented out, and what is new goes to the end under one heading. Undefined as a value comments the setting out.
 */
export function editConf(
  text: string,
  values: Readonly<Record<string, string | undefined>>,
  heading: string,
): string {
  const lines = text.split('\n');
  const standing = parseConf(text);
  const added: string[] = [];
  for (const [name, value] of Object.entries(values)) {
    const mine = standing.filter((line) => line.name === name.toLowerCase());
    const last = mine.at(-1);
    for (const line of mine) lines[line.index] = `#${lines[line.index] ?? ''}`;
    if (value === undefined) continue;
    if (last) lines[last.index] = confLine(name, value);
    else added.push(confLine(name, value));
  }
  return added.length === 0 ? lines.join('\n') : appendUnder(lines, heading, added);
}

function appendUnder(lines: readonly string[], heading: string, added: readonly string[]): string {
  const body = lines.at(-1) === '' ? lines.slice(0, -1) : [...lines];
  const start = body.indexOf(heading);
  if (start < 0) return [...body, '', heading, ...added, ''].join('\n');
  let end = start + 1;
  while (end < body.length && body[end]?.trim() !== '') end += 1;
  return [...body.slice(0, end), ...added, ...body.slice(end), ''].join('\n');
}
