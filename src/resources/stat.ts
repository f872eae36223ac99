/** What `stat` says of a path, shared by every kind that looks at one. Pure. */
import { quote } from '../base/shell.ts';

export interface Stat {
  readonly type: 'file' | 'directory' | 'link' | 'other';
  /** Four octal digits. */
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
}

/** Prints for each path "type|mode|owner|group|path", or "absent|path"; nothing for one that could not be looked at. */
export const statProbe = (paths: readonly string[]): string => `set --
for p in ${paths.map(quote).join(' ')}; do
if [ -e "$p" ] || [ -L "$p" ]; then set -- "$@" "$p"; continue; fi
# Behind a directory that may not be searched everything looks absent.
q=\${p%/*}; while [ -n "$q" ] && [ ! -e "$q" ]; do q=\${q%/*}; done
if [ -z "$q" ] || [ -x "$q" ]; then echo "absent|$p"; else echo "$p: permission denied in $q" >&2; fi
done
if [ $# -gt 0 ]; then stat -c '%F|%a|%U|%G|%n' -- "$@"; fi`;

/** From the output of `statProbe`: the line of each path, as `readStat` takes it. */
export function statLines(output: string): ReadonlyMap<string, string> {
  return new Map(
    output.split('\n').map((text): [string, string] => {
      const fields = text.split('|');
      const own = fields[0] === 'absent' ? 1 : 4;
      return [fields.slice(own).join('|'), fields.slice(0, own).join('|')];
    }),
  );
}

/** Prints the SHA-256 of each path that is a file. */
export const sumProbe = (paths: readonly string[]): string => `set --
for p in ${paths.map(quote).join(' ')}; do if [ -f "$p" ]; then set -- "$@" "$p"; fi; done
if [ $# -gt 0 ]; then sha256sum -- "$@"; fi`;

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

/** Undefined when the line is not what `stat` prints: then it could not look. */
export function readStat(line: string): Stat | 'absent' | undefined {
  if (line === 'absent') return 'absent';
  const [type, mode, owner, group] = line.split('|');
  if (!type || !mode || !owner || !group) return undefined;
  const known = type.includes('regular')
    ? 'file'
    : type === 'directory'
      ? 'directory'
      : type === 'symbolic link'
        ? 'link'
        : 'other';
  return { type: known, mode: mode.padStart(4, '0'), owner, group };
}

/** How the owner, group and mode differ, as words; undefined when they do not. */
export function ownershipDifference(wanted: Ownership, seen: Stat): string | undefined {
  const before = words({ ...seen, group: wanted.group === undefined ? undefined : seen.group });
  const after = words(wanted);
  return before === after ? undefined : `${before} → ${after}`;
}

/** What is wanted of a path. Without a group it is the owner's login group, whatever that is called. */
export interface Ownership {
  readonly owner: string;
  readonly group?: string | undefined;
  /** Four octal digits. */
  readonly mode: string;
}

/** "postgres:postgres 0700", or "postgres 0700" where the group does not matter. */
export const words = (wanted: Ownership): string =>
  `${wanted.owner}${wanted.group === undefined ? '' : `:${wanted.group}`} ${wanted.mode}`;

/** As chown takes it: "owner:" stands for the owner's login group. */
export const chownWord = (wanted: Ownership): string => `${wanted.owner}:${wanted.group ?? ''}`;
