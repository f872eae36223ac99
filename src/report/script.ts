/**
 * A script as --verbose shows it: every command, and of what is written the number of lines. Files of a host travel within
 * quotes, so a word in quotes that has line breaks is left out; in one without them a secret is withheld. Pure.
 */
import { shownLines } from './shown.ts';

/** Where reading has come to, and what is shown of it. */
interface Reading {
  readonly text: string;
  at: number;
  out: string;
}

/** One piece of a command: escaped, a comment behind a space, a word in single quotes with those that it holds, a brace. */
const piece = /\\[\s\S]|(?<=^|[\s;&|(])#[^\n]*|(?:'[^']*'|\\')+|\$\{|\$\(|[\s\S]/y;

/** Reads to the character that ends it; false where the text ends first, or within quotes. */
function read(reading: Reading, end: string | undefined): boolean {
  const quoted = end === '"';
  while (reading.at < reading.text.length) {
    piece.lastIndex = reading.at;
    let [found = ''] = piece.exec(reading.text) ?? [];
    // Within double quotes these are characters as any other.
    if (quoted && /^['#]/.test(found)) found = found.slice(0, 1);
    reading.at += found.length;
    if (found === end) {
      reading.out += found;
      return true;
    }
    if (!quoted && found === "'") return false;
    reading.out += found.length > 1 && found.startsWith("'") ? openWord(found) : found;
    const closing = closingOf(found, quoted);
    if (closing !== undefined && !read(reading, closing)) return false;
  }
  return end === undefined;
}

function closingOf(found: string, quoted: boolean): string | undefined {
  if (found === '${') return '}';
  if (found === '$(') return ')';
  return found === '"' && !quoted ? '"' : undefined;
}

function openWord(word: string): string {
  const lines = word.split('\n').length - 1;
  return lines === 0 ? word : `'(${lines === 1 ? 'one line' : `${lines} lines`}, not shown)'`;
}

/** A script that cannot be read to its end is not shown at all. */
export function shownScript(script: string): string {
  const reading: Reading = { text: script, at: 0, out: '' };
  if (!read(reading, undefined)) return `(a script of ${script.split('\n').length} lines, not shown)`;
  return shownLines(reading.out).join('\n');
}
