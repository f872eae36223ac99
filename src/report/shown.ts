/**
 * The one way of text to an eye or a program: without secrets of others, and, where a terminal may show it, without characters
 * that move the cursor, change colours or turn the reading direction. Every reporter takes what it shows from here. Pure.
 */
import { withoutSecrets } from '../postgres/withheld.ts';

// C0 and C1 controls, the line separators of Unicode, and what turns the reading direction around.
const unsafe = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** Text that is safe to print: a tab becomes one space, so that columns stay columns; others their code. */
export function escapeControls(text: string): string {
  return text.replace(unsafe, (char) => {
    if (char === '\t') return ' ';
    const code = char.charCodeAt(0).toString(16);
    return code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `\\u${code.padStart(4, '0')}`;
  });
}

/** One line as a person may see it, whatever a host has put into it. */
export const shown = (text: string): string => escapeControls(withoutSecrets(text));

/** The same line by line, of a text that has lines of its own. */
export const shownLines = (text: string): readonly string[] =>
  withoutSecrets(text).split('\n').map(escapeControls);

/** A document for programs; the keys are ours. What a terminal would act on is written as JSON writes it, so the data is the same. */
export const jsonText = (document: object, indent?: number): string =>
  JSON.stringify(openValue(document), null, indent).replace(unsafe, (char) =>
    char === '\n' ? char : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

function openValue(value: unknown): unknown {
  if (typeof value === 'string') return withoutSecrets(value);
  if (Array.isArray(value)) return value.map(openValue);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, openValue(item)]));
}

/** The last thing before a stream: line breaks and colours are ours, everything else that a terminal acts on is not. */
export const harmless = (text: string): string =>
  text
    .split(/(\n|\u001b\[\d{1,2}m)/)
    .map((part, index) => (index % 2 === 0 ? escapeControls(part) : part))
    .join('');
