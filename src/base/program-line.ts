/**
 * A command of the configuration as its words: a program by its absolute path, and arguments behind it. No shell reads it: blanks separate, a word
 * that begins with a double quote ends at the next one (\" and \\ stand for themselves in it), everything else is itself. In: the text.
 * Out: the words, or what is wrong. Pure.
 */
export type ProgramLine =
  | { readonly ok: true; readonly path: string; readonly args: readonly string[] }
  | { readonly ok: false; readonly why: string };

const word = /\s*(?:"((?:[^"\\]|\\.)*)"(?=\s|$)|([^\s"]\S*))/y;

export function programLine(text: string): ProgramLine {
  if (!/^[\x20-\x7e]*$/.test(text)) return wrong('it holds something else than printable ASCII');
  const words: string[] = [];
  const rest = text.trim();
  word.lastIndex = 0;
  while (word.lastIndex < rest.length) {
    const match = word.exec(rest);
    if (match === null)
      return wrong(`the double quote of word ${words.length + 1} has no end, or no blank behind it`);
    words.push(match[2] ?? (match[1] ?? '').replace(/\\(["\\])/g, '$1'));
  }
  const [path, ...args] = words;
  if (path === undefined) return wrong('it is empty');
  if (!path.startsWith('/')) return wrong(`its program '${path}' is no absolute path`);
  return { ok: true, path, args };
}

const wrong = (why: string): ProgramLine => ({ ok: false, why });
