/**
 * pg_hba.conf and pg_ident.conf taken apart as PostgreSQL does it (next_token and tokenize_auth_file in hba.c): quotes may stand anywhere
 * in a word and take the meaning from what they begin, commas make lists, a backslash at the end of a line continues it. In: the
 * text of a file. Out: its lines as fields of words, and the files that it names. Pure.
 */

export interface AuthWord {
  /** Without its quotes. */
  readonly text: string;
  /** It begins with a quote: no keyword, no group, no file. */
  readonly quoted: boolean;
}

export interface AuthLine {
  /** Where it begins, counted from 1. */
  readonly line: number;
  /** Each field is a list. */
  readonly fields: readonly (readonly AuthWord[])[];
}

const isBlank = (letter: string | undefined): boolean => letter === ' ' || letter === '\t' || letter === '\r';

interface Scanned {
  readonly word?: AuthWord;
  /** A comma ends it: the list goes on. */
  readonly comma: boolean;
  readonly next: number;
}

function nextWord(line: string, from: number): Scanned {
  let at = from;
  while (at < line.length && (isBlank(line[at]) || line[at] === ',')) at += 1;
  const begin = at;
  let [text, inQuote, wasQuote, saw] = ['', false, false, false];
  for (; at < line.length && (inQuote || !isBlank(line[at])); at += 1) {
    const letter = line[at] ?? '';
    if (letter === '#' && !inQuote) {
      at = line.length;
      break;
    }
    if (letter === ',' && !inQuote)
      return { word: { text, quoted: line[begin] === '"' }, comma: true, next: at + 1 };
    if (letter !== '"' || wasQuote) text += letter;
    // Two of them within quotes mean one.
    wasQuote = inQuote && letter === '"' ? !wasQuote : false;
    if (letter === '"') [inQuote, saw] = [!inQuote, true];
  }
  const isWord = saw || text !== '';
  return { ...(isWord ? { word: { text, quoted: line[begin] === '"' } } : {}), comma: false, next: at };
}

/** The words of one field, and where the next one begins. */
function nextField(
  line: string,
  from: number,
): { readonly words: readonly AuthWord[]; readonly next: number } {
  const words: AuthWord[] = [];
  let at = from;
  for (;;) {
    const { word, comma, next } = nextWord(line, at);
    if (word) words.push(word);
    at = next;
    if (!word || !comma) return { words, next: at };
  }
}

/** The fields of one line, with those behind its continuations. */
function fieldsOf(line: string): AuthLine['fields'] {
  const fields: (readonly AuthWord[])[] = [];
  let at = 0;
  while (at < line.length) {
    const { words, next } = nextField(line, at);
    if (words.length > 0) fields.push(words);
    at = next;
  }
  return fields;
}

/** A line that ends in a backslash goes on in the next one, a comment too; a backslash that two lines make together is none. */
export function authLines(text: string): readonly AuthLine[] {
  const found: AuthLine[] = [];
  const tell = (line: number, whole: string): void => {
    const fields = fieldsOf(whole);
    if (fields.length > 0) found.push({ line, fields });
  };
  let begun: { readonly line: number; readonly text: string } | undefined;
  for (const [index, raw] of text.split('\n').entries()) {
    const whole = (begun?.text ?? '') + raw.replace(/\r+$/, '');
    const line = begun?.line ?? index + 1;
    const goesOn = whole.length > (begun?.text.length ?? 0) && whole.endsWith('\\');
    begun = goesOn ? { line, text: whole.slice(0, -1) } : undefined;
    if (!goesOn) tell(line, whole);
  }
  if (begun) tell(begun.line, begun.text);
  return found;
}

const special = ' \\t\\r,#"';
const needsQuotes = new RegExp(`[${special}]`);
/** What may stay in front of a quote: the mark of a group or a file, the name of an option, or anything plain. */
const bareStart = new RegExp(`^(?:[+@]|[^=${special}]*=|[^${special}]+)`);

const inQuotes = (text: string): string => `"${text.replaceAll('"', '""')}"`;

function wordText({ text, quoted }: AuthWord): string {
  if (quoted) return inQuotes(text);
  if (!needsQuotes.test(text)) return text;
  const start = bareStart.exec(text)?.[0] ?? '';
  return start + inQuotes(text.slice(start.length));
}

/** A field as the file says it. */
export const fieldText = (words: readonly AuthWord[]): string => words.map(wordText).join(',');

/** A line without comment and spare blanks; two that mean the same have the same text. */
export const authText = ({ fields }: AuthLine): string => fields.map(fieldText).join(' ');

/** The authentication method of a rule; undefined where the line has none. */
export function methodOf({ fields: [type, , , address, ...rest] }: AuthLine): string | undefined {
  if (type?.[0]?.text === 'local') return address?.[0]?.text;
  const place = address?.[0];
  // An address without the length of its network has a mask behind it; a name, or a keyword, has none.
  const masked = place !== undefined && !place.text.includes('/') && /^[\d.]+$|:/.test(place.text);
  return rest[masked ? 1 : 0]?.[0]?.text;
}

export interface NamedFile {
  /** "@" for a list of names; the others exist from PostgreSQL 16 on. */
  readonly directive: '@' | 'include' | 'include_if_exists' | 'include_dir';
  /** As it stands there: a relative one counts from the directory of the file that names it. */
  readonly path: string;
  readonly line: number;
}

const directives = ['include', 'include_if_exists', 'include_dir'] as const;

/** The other files that a file of rules or of user names leads to. */
export const filesNamed = (text: string): readonly NamedFile[] =>
  authLines(text).flatMap(({ line, fields }) => {
    const lists = fields
      .flat()
      .filter(({ text: word, quoted }) => !quoted && word.startsWith('@') && word.length > 1)
      .map((word): NamedFile => ({ directive: '@', path: word.text.slice(1), line }));
    const directive = directives.find((name) => fields.length === 2 && name === fields[0]?.[0]?.text);
    const path = fields[1]?.[0]?.text;
    return directive && path !== undefined ? [{ directive, path, line }] : lists;
  });

/**
 * Names of databases or users as an inventory gives them, with commas between them. A name in quotes is only a name, also "all" and
 * "+staff"; without them one may have spaces all the same. Undefined: no such list.
 */
export function listedNames(list: string): readonly AuthWord[] | undefined {
  const item = /[ \t]*(?:"((?:[^"]|"")+)"|([^",]*))[ \t]*(,|$)/y;
  const found: AuthWord[] = [];
  for (;;) {
    const [whole, inside, bare = '', end] = item.exec(list) ?? [];
    const text = inside?.replaceAll('""', '"') ?? bare.trim();
    if (whole === undefined || text === '' || /[\u0000-\u001f\u007f]/.test(text)) return undefined;
    found.push({ text, quoted: inside !== undefined || (needsQuotes.test(text) && !/^[+@]/.test(text)) });
    if (end === '') return found;
  }
}
