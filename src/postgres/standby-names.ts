/**
 * synchronous_standby_names as the server reads it ("Replication", "Primary Server"). In: its value, or names. Out: names, or how they are written. Pure.
 */

export interface Names {
  /** So many of `ids` must have a commit before it is acknowledged; 0 when there are none. */
  readonly needed: number;
  readonly ids: readonly string[];
}

/** A quoted name, a bracket or a comma, or anything else that ends at a space or at one of these. */
const token = /"((?:[^"]|"")*)"|[(),]|[^\s(),"]+/g;

/** In every form that the server takes (its syncrep_scanner.l and syncrep_gram.y). Names keep their case; "*" is a name. */
export function parseNames(text: string): Names {
  const words = [...text.matchAll(token)].map(([word, quoted]) => ({
    name: quoted?.replaceAll('""', '"') ?? word,
    isMark: ['(', ')', ','].includes(word),
  }));
  const open = words.findIndex(({ name, isMark }) => isMark && name === '(');
  const list = words.slice(open + 1).filter(({ isMark }) => !isMark);
  const ids = list.map(({ name }) => name);
  return { needed: ids.length === 0 ? 0 : Number(words[open - 1]?.name ?? 1), ids };
}

/** A name as it has to stand there: in quotes unless it is a plain word, and none of those that say how many are waited for. */
export const nameInList = (name: string): string =>
  /^[a-z_][a-z0-9_]*$/.test(name) && !['any', 'first'].includes(name)
    ? name
    : `"${name.replaceAll('"', '""')}"`;

/** Whether any of the names will do; without a word the first ones do. */
export const isAny = (text: string): boolean => /^\s*ANY\b[^,(]*\(/i.test(text);

/** The server compares the name of a standby with the names in force without regard to case. */
export const sameName = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();
