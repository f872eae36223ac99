/** What `stat` says of a path, shared by every kind that looks at one. Pure. */
import { quote } from '../base/shell.ts';

export interface Stat {
  readonly type: 'file' | 'directory' | 'link' | 'other';
  /** Four octal digits. */
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
}

/** Prints one line about the path, or "absent". */
export const statProbe = (path: string): string =>
  `if [ -e ${quote(path)} ] || [ -L ${quote(path)} ]; then stat -c '%F|%a|%U|%G' ${quote(path)}; else echo absent; fi`;

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
