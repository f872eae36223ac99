/**
 * How the files of a server's own log are called: the parts of a time in log_filename, which PostgreSQL writes in English whatever the
 * locale, and what each becomes. A part that is not here makes no name of a log. Pure.
 */

const days = ['Sun', 'Mon', 'Tues', 'Wednes', 'Thurs', 'Fri', 'Satur'];
const months = [
  ...['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September'],
  ...['October', 'November', 'December'],
];
const short = (names: readonly string[]): string => `(${names.map((name) => name.slice(0, 3)).join('|')})`;
const two = '[0-9]{2}';
const four = '[0-9]{4}';
const date = `${four}-${two}-${two}`;

/** Extended regular expressions by the letter behind the '%'. */
const timeParts: Readonly<Record<string, string>> = {
  A: `(${days.join('|')})day`,
  a: short(days),
  B: `(${months.join('|')})`,
  b: short(months),
  h: short(months),
  ...Object.fromEntries([...'CdgHIMmSUVWy'].map((letter) => [letter, two])),
  ...Object.fromEntries([...'ekl'].map((letter) => [letter, '[ 0-9][0-9]'])),
  ...Object.fromEntries([...'uw'].map((letter) => [letter, '[0-9]'])),
  j: '[0-9]{3}',
  G: four,
  Y: four,
  F: date,
  R: `${two}:${two}`,
  T: `${two}:${two}:${two}`,
  p: '(AM|PM)',
};

const endings = '(log|csv|json)';

/** As it is called by default, and by pgduet. */
export const usualLog = `postgresql-(${date}(_[0-9]{6})?|${timeParts.a})\\.${endings}`;

/**
 * Regular expression of the names that a log_filename gives; undefined where that is not known. By the same rules as `logNames`, for a value that is
 * known here.
 */
export function namesOfLog(filename: string): string | undefined {
  const words = filename.replace(/%./g, '').replace(/\.log$/, '');
  if (/%%|[/\n]/.test(filename) || !/[A-Za-z0-9]/.test(words)) return undefined;
  const names = filename
    .replace(/[\][\\.*^$+?(){}|]/g, '\\$&')
    .replace(/%(.)/g, (part, letter: string) => timeParts[letter] ?? part);
  if (names.includes('%')) return undefined;
  return names.endsWith('\\.log') ? names.replace(/log$/, endings) : `${names}(\\.(csv|json))?`;
}

/**
 * Program for `sed`: one log_filename becomes the expression of the names that it gives, and nothing where that is not known. For other formats of the
 * log PostgreSQL puts another ending in the place of ".log", or behind the name.
 */
export const logNames = [
  '/%%|\\//d',
  // Times alone would fit files of anybody.
  'h;s/%.//g;s/\\.log$//;/[A-Za-z0-9]/!d;g',
  's/[][\\.*^$+?(){}|]/\\\\&/g',
  ...Object.entries(timeParts).map(([letter, pattern]) => `s/%${letter}/${pattern}/g`),
  '/%/d',
  `/\\\\\\.log$/!s/$/(\\\\.(csv|json))?/;s/\\\\\\.log$/\\\\.${endings}/`,
].join('\n');
