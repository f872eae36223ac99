/** What `stat` says of a path, shared by every kind that looks at one, and how owner and mode differ. Pure. */
import type { FindingCode } from '../../base/finding-codes.ts';
import { quote } from '../../base/shell.ts';
import { absent, type Difference, type Observed, present, refuse, unknown } from './kind.ts';

export interface Stat {
  readonly type: 'file' | 'directory' | 'link' | 'other';
  /** Four octal digits. */
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
  /** When its content, and when anything of it was changed last: seconds since 1970. */
  readonly modified: number;
  readonly changed: number;
}

/** Type, mode, owner, group, and the times of content and of anything: as the shell function `observation` prints it, too. */
export const statFormat = '%F|%a|%U|%G|%Y|%Z';

/** Prints for each path its line, or why it is not seen, with the path behind it. */
export const statProbe = (paths: readonly string[]): string => `set --
for p in ${paths.map(quote).join(' ')}; do
if [ -e "$p" ] || [ -L "$p" ]; then set -- "$@" "$p"; else unseen "$p"; echo "$unseen|$p"; fi
done
if [ $# -gt 0 ]; then stat -c ${quote(`${statFormat}|%n`)} -- "$@"; fi`;

/** From the output of `statProbe`: the line of each path, as `readStat` takes it. */
export function statLines(output: string): ReadonlyMap<string, string> {
  return new Map(
    output.split('\n').map((text): [string, string] => {
      const fields = text.split('|');
      const own = /^(absent$|closed )/.test(fields[0] ?? '') ? 1 : statFormat.split('|').length;
      return [fields.slice(own).join('|'), fields.slice(0, own).join('|')];
    }),
  );
}

/** Prints the SHA-256 of each path that is a file. One that has become a pipe meanwhile ends by itself. */
export const sumProbe = (paths: readonly string[]): string => `set --
for p in ${paths.map(quote).join(' ')}; do if [ -f "$p" ]; then set -- "$@" "$p"; fi; done
if [ $# -gt 0 ]; then timeout 60 sha256sum -- "$@"; fi`;

/** From the output of `sumProbe`: the line of each path, with the sum first. */
export function sumLines(output: string): ReadonlyMap<string, string> {
  return new Map(
    output.split('\n').map((text): [string, string] => {
      // A name with a backslash or a newline is escaped, and its line begins with a backslash.
      const escaped = text.startsWith('\\');
      const [sum = '', name = ''] = text.slice(escaped ? 1 : 0).split(/ [ *](.*)/s);
      return [escaped ? name.replaceAll('\\n', '\n').replaceAll('\\\\', '\\') : name, `${sum}  -`];
    }),
  );
}

/** Why a path is not seen, where `unseen` says that its directory is closed to this login. */
export const closed = (line: string): string | undefined =>
  line.startsWith('closed ') ? `no right to look into ${line.slice('closed '.length)}` : undefined;

/** Reads the line of `observation`. What hides behind a directory that is closed to this login is unknown, not absent. */
export function readStat(line: string, problem: string): Observed<Stat> {
  if (line === 'absent') return absent;
  const hidden = closed(line);
  if (hidden) return unknown(hidden);
  const [type, mode, owner, group, modified, changed] = line.split('|');
  if (!type || !mode || !owner || !group || !modified || !changed)
    return unknown(problem.trim() || 'stat gave no answer');
  const known = type.includes('regular')
    ? 'file'
    : type === 'directory'
      ? 'directory'
      : type === 'symbolic link'
        ? 'link'
        : 'other';
  return present({
    type: known,
    mode: mode.padStart(4, '0'),
    owner,
    group,
    modified: Number(modified),
    changed: Number(changed),
  });
}

/** What is wanted of a path. Without a group it is the owner's login group, whatever that is called. */
export interface Ownership {
  readonly owner: string;
  readonly group?: string | undefined;
  /** Four octal digits. */
  readonly mode: string;
}

const ownerWords = ({ owner, group }: Ownership): string =>
  `${owner}${group === undefined ? '' : `:${group}`}`;

/** "postgres:postgres 0700", or "postgres 0700" where the group does not matter. */
export const words = (wanted: Ownership): string => `${ownerWords(wanted)} ${wanted.mode}`;

/** As chown takes it: "owner:" stands for the owner's login group. */
export const chownWord = (wanted: Ownership): string => `${wanted.owner}:${wanted.group ?? ''}`;

/** What was seen, in the words of what is wanted: without a group where that does not matter. */
const comparable = (wanted: Ownership, seen: Stat): Ownership => ({
  ...seen,
  group: wanted.group === undefined ? undefined : seen.group,
});

/** How the owner, group and mode differ, as words; undefined when they do not. */
export function ownershipDifference(wanted: Ownership, seen: Stat): string | undefined {
  const before = words(comparable(wanted, seen));
  const after = words(wanted);
  return before === after ? undefined : `${before} → ${after}`;
}

/** What a difference of the owner or mode is called; `open` is a mode that lets others in where nobody should be. */
export interface OwnershipCodes {
  readonly owner: FindingCode;
  readonly mode: FindingCode;
  readonly open: FindingCode;
}

/** The same one by one. `secret` is what others must not see although its own mode might let them. */
export function ownershipDifferences(
  object: string,
  wanted: Ownership & { readonly secret?: boolean },
  seen: Stat,
  codes: OwnershipCodes,
): readonly Difference[] {
  const found = ownerWords(comparable(wanted, seen));
  const since = sinceOf(seen);
  return [
    ...(found === ownerWords(wanted)
      ? []
      : [{ code: codes.owner, object, declared: ownerWords(wanted), found, ...since }]),
    ...(seen.mode === wanted.mode
      ? []
      : [
          {
            code: isOpen(wanted, seen) ? codes.open : codes.mode,
            object,
            declared: wanted.mode,
            found: seen.mode,
            ...since,
          },
        ]),
  ];
}

const others = 0o077;

function isOpen(wanted: Ownership & { readonly secret?: boolean }, seen: Stat): boolean {
  const [declared, found] = [wanted.mode, seen.mode].map((mode) => Number.parseInt(mode, 8) & others);
  if (declared === undefined || found === undefined) return false;
  return (wanted.secret === true || declared === 0) && (found & ~declared) !== 0;
}

/** Every file that comes or goes changes a directory too: its time tells of owner and mode only where that was not it. */
const sinceOf = ({ type, modified, changed }: Stat): { readonly since?: number } =>
  type === 'directory' && changed === modified ? {} : { since: changed };

/** Something else stands where a file should be. */
export const notAFile = (path: string, { type }: Pick<Stat, 'type'>) =>
  refuse({
    code: 'SAF002',
    what: `'${path}' should be a file and is a ${type}`,
    why: 'replacing it could destroy what it stands for',
    fix: 'Move it away and run the same command again.',
  });
