/**
 * One line of postgresql.conf taken apart as PostgreSQL's own scanner does it (guc-file.l): blanks, tabs and carriage returns part
 * words, a comment begins anywhere outside of quotes, and whatever is left over makes the line an error. In: a line without its line
 * feed. Out: what it sets or includes. Pure.
 */

export interface Assignment {
  /** In lower case; "include", "include_dir" and "include_if_exists" lead to other files. */
  readonly name: string;
  /** Without its quotes. */
  readonly value: string;
}

const letter = 'A-Za-z_\\u0080-\\uffff';
const id = `[${letter}][${letter}0-9]*`;

/** In the order of the scanner: of two that match the same the first counts. */
const words = [
  { kind: 'id', pattern: new RegExp(id, 'y') },
  { kind: 'qualified', pattern: new RegExp(`${id}\\.${id}`, 'y') },
  { kind: 'value', pattern: /'(?:[^'\\\n]|\\.|'')*'/y },
  { kind: 'value', pattern: new RegExp(`[${letter}][${letter}0-9._:/-]*`, 'y') },
  { kind: 'value', pattern: /[-+]?(?:0x[\da-fA-F]+|\d+)[A-Za-z]*/y },
  { kind: 'value', pattern: /[-+]?\d*\.\d*(?:[Ee][-+]?\d+)?/y },
  { kind: 'equals', pattern: /=/y },
] as const;

interface Word {
  readonly kind: (typeof words)[number]['kind'];
  readonly text: string;
}

/** Undefined: the server cannot read the line. */
function split(line: string): readonly Word[] | undefined {
  const found: Word[] = [];
  let at = 0;
  for (;;) {
    while (' \t\r'.includes(line[at] ?? '#')) at += 1;
    if (at >= line.length || line[at] === '#') return found;
    const word = longest(line, at);
    if (!word) return undefined;
    found.push(word);
    at += word.text.length;
  }
}

function longest(line: string, at: number): Word | undefined {
  let best: Word | undefined;
  for (const { kind, pattern } of words) {
    pattern.lastIndex = at;
    const text = pattern.exec(line)?.[0] ?? '';
    if (text.length > (best?.text.length ?? 0)) best = { kind, text };
  }
  return best;
}

/** What a line sets; undefined for an empty one, a comment, and one that the server cannot read. */
export function assignmentIn(line: string): Assignment | undefined {
  if (/^[ \t\r]*(?:#|$)/.test(line)) return undefined;
  const found = split(line);
  const [name, ...rest] = found ?? [];
  const [value, ...more] = rest[0]?.kind === 'equals' ? rest.slice(1) : rest;
  if (name?.kind !== 'id' && name?.kind !== 'qualified') return undefined;
  if (!value || more.length > 0 || (value.kind !== 'id' && value.kind !== 'value')) return undefined;
  return { name: name.text.toLowerCase(), value: unquoted(value.text) };
}

/** A line that the server ends with an error at: neither a setting, nor empty, nor a comment. */
export const isUnreadable = (line: string): boolean =>
  assignmentIn(line) === undefined && split(line)?.length !== 0;

const escapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

function unquoted(text: string): string {
  if (!text.startsWith("'")) return text;
  const inner = text.slice(1, -1);
  if (!/\\[0-7]/.test(inner))
    return inner.replace(/''|\\(.)/g, (_, one?: string) => (one === undefined ? "'" : (escapes[one] ?? one)));
  // Octal numbers are bytes, and several of them may make one letter.
  const parts = [...inner.matchAll(/''|\\([0-7]{1,3})|\\(.)|[^\\]/gu)].map(([whole, octal, one]) => {
    if (octal !== undefined) return Buffer.from([Number.parseInt(octal, 8) & 255]);
    return Buffer.from(whole === "''" ? "'" : one === undefined ? whole : (escapes[one] ?? one));
  });
  return Buffer.concat(parts).toString('utf8');
}

/** What a commented-out line would set; undefined for any other line. Marks of pgduet ("#pgduet: ") are none. */
export function commentedAssignment(line: string): Assignment | undefined {
  // A dot is no carriage return.
  const inside = /^[ \t\r]*#+[ \t]*([\s\S]*)$/.exec(line)?.[1];
  return inside === undefined ? undefined : assignmentIn(inside);
}

/** The carriage return at the end of a line of an editor that writes both. */
export const lineEnd = (line: string): string => (line.endsWith('\r') ? '\r' : '');

/** A line as it reads, whatever ends it. */
export const plainLine = (line: string): string => line.replace(/[ \t\r]+$/, '');
