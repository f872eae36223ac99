/**
 * One Diagnostic as text for people, and as data for `--json`. Shows; never decides.
 * In: a Diagnostic. Out: lines without a line break at the end. Whatever came from a file or from a host is
 * escaped first: a message must never move the cursor, change colours or reverse the reading direction.
 */
import type { Command } from '../base/command.ts';
import type { Diagnostic } from '../base/diagnostic.ts';
import type { Position } from '../base/position.ts';
import { redact } from '../inventory/redact.ts';
import { escapeControls, shown, shownLines } from './shown.ts';

export interface RenderOptions {
  readonly color: boolean;
  /** Columns to wrap at; absent: long lines stay long, as a log or a pipe wants them. */
  readonly width?: number;
}

type Paint = (text: string) => string;
interface Palette {
  readonly place: Paint;
  readonly code: Paint;
  readonly faint: Paint;
  readonly label: Paint;
}

const painted =
  (start: number, end: number): Paint =>
  (text) =>
    `\x1b[${start}m${text}\x1b[${end}m`;
const asIs: Paint = (text) => text;
const colors: Palette = {
  place: painted(1, 22),
  code: painted(31, 39),
  faint: painted(2, 22),
  label: painted(36, 39),
};
const noColors: Palette = { place: asIs, code: asIs, faint: asIs, label: asIs };

/** Narrower than this, wrapping makes a message harder to read and not easier. */
export const narrowest = 40;

/** The message as a person reads it: place, code and what; the line it is about; why; fix; host; evidence. */
export function renderDiagnostic(diagnostic: Diagnostic, options: RenderOptions): string {
  const palette = options.color ? colors : noColors;
  const width = options.width === undefined ? undefined : Math.max(options.width, narrowest);
  const { at, host, evidence = [] } = diagnostic;
  const line = (name: string, ...lines: string[]) => labelled(name, lines, width, palette);
  return [
    headline(diagnostic, palette),
    ...(at === undefined ? [] : excerpt(at, width, palette)),
    ...line('why', diagnostic.why),
    ...line('fix', ...diagnostic.fix.split('\n')),
    ...(host === undefined ? [] : line('host', host)),
    ...(evidence.length === 0 ? [] : [palette.label('seen:')]),
    ...evidence.flatMap((text) => shownLines(text.replaceAll('\r\n', '\n'))).map((text) => `  ${text}`),
  ].join('\n');
}

function headline({ at, code, what }: Diagnostic, palette: Palette): string {
  const place = at === undefined ? '' : `${palette.place(shown(`${at.file}:${at.line}:${at.column}`))}  `;
  return `${place}${palette.code(code)}  ${shown(what)}`;
}

/** Of an inventory this was done before; playbooks and templates may hold secrets, too. One line may have mistake after mistake. */
let latest = { text: '', open: '' };

/** The line of the file with carets under what is meant. */
function excerpt(given: Position, width: number | undefined, palette: Palette): string[] {
  if (latest.text !== given.text) latest = { text: given.text, open: redact(given.text) };
  const at = { ...given, text: latest.open };
  if (at.text.trim() === '') return [];
  const gutter = `  ${at.line} | `;
  const room = width === undefined ? Number.POSITIVE_INFINITY : width - gutter.length;
  const { text, start, length } = window(at, room);
  const before = displayWidth(escapeControls(text.slice(0, start)));
  const meant = displayWidth(escapeControls(text.slice(start, start + length)));
  return [
    `${palette.faint(gutter)}${escapeControls(text)}`,
    `${palette.faint(`${' '.repeat(gutter.length - 2)}| `)}${' '.repeat(before)}${palette.code('^'.repeat(Math.max(1, meant)))}`,
  ];
}

/** The part of a long line that is worth showing: some words before the place, and the place. */
function window(at: Position, room: number): { text: string; start: number; length: number } {
  const full = at.text.trimEnd();
  const start = Math.min(Math.max(at.column - 1, 0), full.length);
  const length = Math.max(1, Math.min(at.length, full.length - start));
  if (displayWidth(escapeControls(full)) <= room) return { text: full, start, length };
  const from = Math.max(0, Math.min(start - Math.floor(room / 3), full.length - room + 2));
  const lead = from > 0 ? '… ' : '';
  const body = full.slice(from, from + room - lead.length - 2);
  const tail = from + body.length < full.length ? ' …' : '';
  const shifted = start - from + lead.length;
  return {
    text: lead + body + tail,
    start: shifted,
    length: Math.min(length, lead.length + body.length - shifted),
  };
}

function labelled(
  name: string,
  texts: readonly string[],
  width: number | undefined,
  palette: Palette,
): string[] {
  const label = `${name}: `;
  const room = width === undefined ? undefined : width - label.length;
  const lines = texts.flatMap((text) => wrap(shown(text), room));
  return lines.map(
    (line, index) => (index === 0 ? `${palette.label(label.trimEnd())} ` : ' '.repeat(label.length)) + line,
  );
}

/** The text in lines of at most so many columns, broken between words; one line when no width is given. */
export function wrap(text: string, width: number | undefined): string[] {
  if (width === undefined) return [text];
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || displayWidth(last) + 1 + displayWidth(word) > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/** Columns that a terminal uses for a text: East Asian characters take two, combining marks none. */
function displayWidth(text: string): number {
  return [...text].reduce((sum, char) => sum + (/\p{Mark}/u.test(char) ? 0 : wide.test(char) ? 2 : 1), 0);
}

export interface CommandJson {
  readonly on: string | null;
  readonly as: string | null;
  readonly run: string;
  readonly only_if: string | null;
}

/** A command as data: all keys are always there. */
export const commandJson = ({ on, as, run, onlyIf }: Command): CommandJson => ({
  on,
  as: as ?? null,
  run,
  only_if: onlyIf ?? null,
});

export interface DiagnosticJson {
  readonly code: string;
  readonly what: string;
  readonly why: string;
  readonly fix: string;
  readonly commands?: readonly CommandJson[];
  readonly at?: {
    readonly file: string;
    readonly line: number;
    readonly column: number;
    readonly length: number;
  };
  readonly host?: string;
  readonly evidence?: readonly string[];
}

/** The message as data: always these keys in this order; the excerpt is left out, since the place says it. */
export function diagnosticJson({
  code,
  what,
  why,
  fix,
  commands = [],
  at,
  host,
  evidence,
}: Diagnostic): DiagnosticJson {
  return {
    code,
    what,
    why,
    fix,
    ...(commands.length === 0 ? {} : { commands: commands.map(commandJson) }),
    ...(at === undefined
      ? {}
      : { at: { file: at.file, line: at.line, column: at.column, length: at.length } }),
    ...(host === undefined ? {} : { host }),
    ...(evidence === undefined || evidence.length === 0 ? {} : { evidence }),
  };
}
