/**
 * synchronous_standby_names as the server reads it ("Replication", "Primary Server"). In: its value. Out: names. Pure.
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

/** The server compares the name of a standby with the names in force without regard to case. */
export const sameName = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();
