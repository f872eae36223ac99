/**
 * The lines "word value" that a probe prints, taken apart: one fact to a line, the word says which. A value that may hold
 * any byte is printed in base64. In: what a probe printed. Out: values by their words. Pure.
 */

export interface ReplyLines {
  /** This line stands there as a whole. */
  has(line: string): boolean;
  /** What stands behind this word, for each line that begins with it. */
  all(word: string): readonly string[];
  /** The first of them. */
  first(word: string): string | undefined;
  readonly last: string | undefined;
}

export function replyLines(stdout: string): ReplyLines {
  const lines = stdout.replace(/\n+$/, '').split('\n');
  const all = (word: string): readonly string[] =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
  return {
    has: (line) => lines.includes(line),
    all,
    first: (word) => all(word)[0],
    last: lines.at(-1),
  };
}

export const fromBase64 = (text: string): string => Buffer.from(text, 'base64').toString('utf8');

/** What was printed in base64 behind this word. */
export const textsOf = (lines: ReplyLines, word: string): readonly string[] =>
  lines.all(word).map((text) => fromBase64(text.trim()));
