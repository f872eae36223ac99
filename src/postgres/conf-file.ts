/**
 * postgresql.conf as text ("Setting Parameters / Parameter Interaction via the Configuration File"): which value counts, and how to
 * change single lines while every other byte stays, its line ends as well. The last line for a name wins. Pure.
 */
import { assignmentIn, commentedAssignment, lineEnd, plainLine } from './conf-lines.ts';
import { quoteSetting } from './quote.ts';

export interface ConfLine {
  readonly name: string;
  /** The value without its quotes. */
  readonly value: string;
  /** Index into the lines of the text. */
  readonly index: number;
}

/** Every assignment that is not commented out, in order. Include directives are not followed. */
export function parseConf(text: string): readonly ConfLine[] {
  return text.split('\n').flatMap((line, index) => {
    const found = assignmentIn(line);
    return found && !isInclude(found.name) ? [{ ...found, index }] : [];
  });
}

/** Every directive that leads to other files: its name, and the path as it stands there. */
export const includesIn = (text: string): readonly ConfLine[] =>
  text.split('\n').flatMap((line, index) => {
    const found = assignmentIn(line);
    return found && isInclude(found.name) ? [{ ...found, index }] : [];
  });

const isInclude = (name: string): boolean => /^include(?:_if_exists|_dir)?$/.test(name);

/** One file is asked about setting after setting, so that what was made of the last text is kept. */
let latest: { readonly text: string; readonly values: ReadonlyMap<string, ConfLine> } | undefined;

/** The value that counts for each name. */
export function effectiveConf(text: string): ReadonlyMap<string, ConfLine> {
  if (latest?.text !== text)
    latest = { text, values: new Map(parseConf(text).map((line) => [line.name, line])) };
  return latest.values;
}

/** Lines that were commented out as they stood; one with an empty value, as in the sample file, is none. */
export function commentedLines(text: string, name: string): readonly ConfLine[] {
  return text.split('\n').flatMap((line, index) => {
    const found = commentedAssignment(line);
    return found?.name === name && found.value !== '' ? [{ ...found, index }] : [];
  });
}

/** The value that counts, or that counted last before it was commented out: what is put back begins with that one. */
export const standingValue = (text: string, name: string): string | undefined =>
  effectiveConf(text).get(name)?.value ?? commentedLines(text, name).at(-1)?.value;

/** One settings line as we write it. */
export const confLine = (name: string, value: string): string => `${name} = ${quoteSetting(value)}`;

/** Above the lines that are ours. */
export const ourHeading = '# Written by pgduet. Edit the inventory instead: pgduet changes these lines back.';

/** Behind a line that the Mirroring Controller has added. */
export const controllerMark = '# by the Mirroring Controller';

/** In front of a line of others that one of ours replaces, so that it can be brought back. */
const replacedMark = '#pgduet: ';

/**
 * The text with these values in force, all in one block under our heading at the end. A line of others for the same
 * name is put behind a mark. Undefined as a value comments the setting out where it stands.
 */
export function editConf(
  text: string,
  values: Readonly<Record<string, string | undefined>>,
  heading: string,
): string {
  const lines = text.split('\n');
  const added: string[] = [];
  for (const [name, value] of Object.entries(values)) {
    const block = blockOf(lines, heading);
    const mine = parseConf(lines.join('\n')).filter((line) => line.name === name.toLowerCase());
    const place = mine.findLast((line) => inside(block, line.index));
    for (const { index } of mine) {
      const mark = value === undefined || inside(block, index) ? '#' : replacedMark;
      lines[index] = `${mark}${lines[index] ?? ''}`;
    }
    if (value === undefined) continue;
    if (place) lines[place.index] = confLine(name, value) + lineEnd(lines[place.index] ?? '');
    else added.push(confLine(name, value));
  }
  return added.length === 0 ? lines.join('\n') : appendUnder(lines, heading, added);
}

/** The text without our lines for these names; what they had replaced counts again. */
export function releaseConf(text: string, names: readonly string[], heading: string): string {
  const lines = text.split('\n');
  const block = blockOf(lines, heading);
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  return lines
    .flatMap((line, index) => {
      const original = line.startsWith(replacedMark) ? line.slice(replacedMark.length) : undefined;
      const [assigned] = parseConf(original ?? line);
      if (!assigned || !wanted.has(assigned.name)) return [line];
      if (original !== undefined) return [original];
      return inside(block, index) ? [] : [line];
    })
    .join('\n');
}

/** Around the content of an included file. */
const sectionBegin = '#pgduet begin ';
const sectionEnd = '#pgduet end';

/**
 * Where the directive of a file leads to: the texts of the files in the order in which they are read; undefined: leave
 * it. `from` is the path of the file that holds it.
 */
export type Included = (directive: string, path: string, from: string) => readonly ConfFile[] | undefined;

export interface ConfFile {
  readonly path: string;
  readonly text: string;
}

/**
 * The text with the content of every included file in the place of its directive, so that it stands alone. Each directive
 * stays behind a mark and each content between two, so that `withoutOurs` can take them out again.
 */
export function flattenConf(file: ConfFile, included: Included): string {
  return file.text
    .split('\n')
    .flatMap((line) => {
      const found = assignmentIn(line);
      const files = found && isInclude(found.name) && included(found.name, found.value, file.path);
      if (!files) return [line];
      const sections = files.flatMap(({ path, text }) => [
        `${sectionBegin}${path}`,
        ...flattenConf({ path, text: text.replace(/\n$/, '') }, included).split('\n'),
        sectionEnd,
      ]);
      return [`${replacedMark}${line}`, ...sections];
    })
    .join('\n');
}

/** The text with these settings out of force wherever they stand, behind a mark. */
export function disableConf(text: string, names: readonly string[]): string {
  const lines = text.split('\n');
  for (const { name, index } of parseConf(text))
    if (names.includes(name)) lines[index] = `${replacedMark}${lines[index] ?? ''}`;
  return lines.join('\n');
}

/** The text without the lines that set these. */
export function withoutLines(text: string, names: readonly string[]): string {
  const lower = names.map((name) => name.toLowerCase());
  const gone = new Set(parseConf(text).flatMap(({ name, index }) => (lower.includes(name) ? [index] : [])));
  return text
    .split('\n')
    .filter((_, index) => !gone.has(index))
    .join('\n');
}

/** The text as it would be without pgduet: no block of ours, no section that it brought in, and what it had replaced in force. */
export function withoutOurs(text: string, heading: string): string {
  return unreplaced(withoutBlock(text.split('\n'), heading), false);
}

/** The values of `withoutOurs`, with what included files say in the place of their directives. */
export function effectiveWithoutOurs(text: string, heading: string): string {
  return unreplaced(withoutBlock(text.split('\n'), heading), true);
}

function unreplaced(lines: readonly string[], withIncluded: boolean): string {
  let depth = 0;
  const kept = lines.flatMap((line) => {
    if (line.startsWith(sectionBegin)) depth += 1;
    const inSection = depth > 0;
    if (plainLine(line) === sectionEnd) depth -= 1;
    if (inSection && !withIncluded) return [];
    return [line.startsWith(replacedMark) ? line.slice(replacedMark.length) : line];
  });
  return kept.join('\n');
}

/** Where a line of ours belongs: behind the last one of our block, else behind the last line of the text. */
export function placeForOurs(lines: readonly string[], heading: string): number {
  const { start, end } = blockOf(lines, heading);
  if (start >= 0) return end;
  return lines.at(-1) === '' ? lines.length - 1 : lines.length;
}

/** An empty line before and behind belong to the block, as `editConf` wrote them; a line of the controller may stand anywhere. */
export function withoutBlock(all: readonly string[], heading: string): readonly string[] {
  const lines = all.filter((line) => !plainLine(line).endsWith(controllerMark));
  const { start, end } = blockOf(lines, heading);
  if (start < 0) return lines;
  const from = isEmpty(lines[start - 1]) ? start - 1 : start;
  const to = isEmpty(lines[end]) ? end + 1 : end;
  return [...lines.slice(0, from), ...lines.slice(to)];
}

/** Names that our block sets today. */
export function namesInBlock(text: string, heading: string): readonly string[] {
  const block = blockOf(text.split('\n'), heading);
  return parseConf(text).flatMap((line) => (inside(block, line.index) ? [line.name] : []));
}

/** The value that counts, where its line is none of our block. */
export function foreignValue(text: string, name: string, heading: string): string | undefined {
  const line = effectiveConf(text).get(name);
  return line && !inside(blockOf(text.split('\n'), heading), line.index) ? line.value : undefined;
}

interface Block {
  /** Index of the heading; -1 when there is no block. */
  readonly start: number;
  /** Index of the first line behind the block: an empty one or the end. */
  readonly end: number;
}

const inside = (block: Block, index: number): boolean =>
  block.start >= 0 && index > block.start && index < block.end;

const isEmpty = (line: string | undefined): boolean => line === '' || line === '\r';

function blockOf(lines: readonly string[], heading: string): Block {
  const start = lines.findIndex((line) => plainLine(line) === heading);
  let end = start + 1;
  while (start >= 0 && end < lines.length && lines[end]?.trim() !== '') end += 1;
  return { start, end };
}

function appendUnder(lines: readonly string[], heading: string, added: readonly string[]): string {
  const body = lines.at(-1) === '' ? lines.slice(0, -1) : [...lines];
  const { start, end } = blockOf(body, heading);
  const ours = (...texts: string[]): readonly string[] => texts.map((text) => text + usualEnd(body));
  // The empty line behind the block keeps what somebody appends to the file later out of it.
  if (start < 0) return [...body, ...ours('', heading, ...added, ''), ''].join('\n');
  return [...body.slice(0, end), ...ours(...added), ...body.slice(end), ''].join('\n');
}

/** How most lines end: an editor that writes both characters did so in all of them. */
const usualEnd = (lines: readonly string[]): string =>
  lines.filter((line) => lineEnd(line) !== '').length * 2 > lines.length ? '\r' : '';
