/**
 * Where PostgreSQL's programs stand, by distribution: a table, no looking. In: major version and PATH. Out: candidate
 * directories, best first. Distribution packages come before PATH, which may hold another version. Pure.
 */
import { platforms } from '../base/platform.ts';

const templates: readonly string[] = [
  ...platforms.map(({ binDir }) => binDir),
  '/usr/pgsql-%v/bin', // PGDG packages on RHEL and its relatives
  '/usr/lib/postgresql%v/bin', // SUSE
  '/opt/homebrew/opt/postgresql@%v/bin',
  '/usr/local/pgsql/bin', // built from source
  '/usr/bin', // RHEL's own module
];

/** Directories in which the programs of this major version may be. The caller checks the version that it finds. */
export function binDirCandidates(majorVersion: number, path = ''): string[] {
  const known = templates.map((template) => template.replace('%v', String(majorVersion)));
  return [...new Set([...known, ...path.split(':').filter((dir) => dir.startsWith('/'))])];
}

/**
 * Who made a build, from what it says of its version: without the numbers, which differ with every correction.
 * "postgres (PostgreSQL) 15.4 (Debian 15.4-1)" → "postgres (PostgreSQL) (Debian)". Of server_version, "(Debian)".
 */
export const makerOf = (version: string): string =>
  version
    .replace(/\(([A-Za-z]*)[^)]*\)/g, '($1)')
    .replace(/\b\d\S*/g, '')
    .replace(/\s+/g, ' ')
    .trim();

/** The text of PG_VERSION, or of `postgres --version`, → major version; undefined when it is neither. */
export function majorVersion(text: string): number | undefined {
  const match = /(?:^|\s)(\d+)(?:\.\d+|devel|beta\d+|rc\d+)*(?=\s|$)/.exec(text.trim());
  return match?.[1] === undefined ? undefined : Number(match[1]);
}
