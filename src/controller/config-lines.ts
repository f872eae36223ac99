/** The lines of a file of the controller, and how a mistake in one of them is told. In: text. Out: lines and diagnostics. Pure. */
import type { Code } from '../base/codes.ts';
import type { Diagnostic } from '../base/diagnostic.ts';
import type { Position } from '../base/position.ts';

export interface Line {
  readonly number: number;
  readonly text: string;
  readonly file: string;
}

export const linesOf = (text: string, file: string): Line[] =>
  text.split(/\r?\n/).map((content, index) => ({ number: index + 1, text: content, file }));

/** Nothing but a comment. */
export const isEmpty = ({ text }: Line): boolean => /^\s*(#|$)/.test(text);

/** Stands for a file as a whole, where something is missing. */
export const wholeFile = (text: string, file: string): Line => ({
  number: 1,
  text: text.split('\n')[0] ?? '',
  file,
});

function place(line: Line, part: string): Position {
  const found = part === '' ? -1 : line.text.indexOf(part);
  const column = found < 0 ? 1 : found + 1;
  // The excerpt is shown to the user, so a password must not stand in it.
  const text = line.text.replace(/(db_instance_password\W*).*/, '$1(secret)');
  return { file: line.file, line: line.number, column, length: Math.max(1, part.length), text };
}

/** A mistake in this part of the line; an empty part is the line as a whole. */
export function problem(
  code: Code,
  line: Line,
  part: string,
  what: string,
  why: string,
  fix: string,
): Diagnostic {
  return { code, what, why, fix, at: place(line, part) };
}
