/**
 * Paths on a host that root does not touch by the word of somebody else: directories of the system, and what lies below the
 * trees where a new directory may be read as configuration. Text only. Pure.
 */

const systemDirectories = new Set(
  [
    '',
    'bin',
    'boot',
    'dev',
    'etc',
    'home',
    'lib',
    'lib64',
    'media',
    'mnt',
    'opt',
    'proc',
    'root',
    'run',
    'sbin',
    'srv',
    'sys',
    'tmp',
    'usr',
    'usr/local',
    'var',
    'var/lib',
    'var/lib/postgresql',
    'var/lib/pgsql',
    'var/log',
    'var/run',
    'var/tmp',
  ].map((name) => `/${name}`),
);

export const isSystemDirectory = (path: string): boolean => systemDirectories.has(plain(path));

const systemTrees =
  /^\/(bin|boot|dev|etc|home|lib[0-9a-z]*|lost\+found|opt|proc|root|run|sbin|sys|tmp|usr|var)(\/|$)/;

/** Whether a path is in a tree of the system, where programs look for what they do. */
export const isOfSystem = (path: string): boolean => systemTrees.test(plain(path));

/**
 * Whether systemd keeps a path read-only for the unit of a controller (ProtectSystem=full), unless the unit names it. What an
 * administrator builds is below /usr/local, which the unit leaves as it is.
 */
export const isReadOnlyForUnit = (path: string): boolean =>
  /^\/(usr|boot|efi|etc|bin|sbin|lib[0-9a-z]*)(\/|$)/.test(plain(path)) &&
  !/^\/usr\/local(\/|$)/.test(plain(path));

/** Why a path cannot be used by whoever is told it, in a few words; undefined when it can. */
export function misfit(path: string): string | undefined {
  if (!path.startsWith('/')) return 'it is not absolute';
  if (path.split('/').includes('..')) return "it goes up with '..'";
  if (/[\u0000-\u001f\u007f]/.test(path)) return 'it holds control characters';
  return isSystemDirectory(path) ? 'it is a directory of the system' : undefined;
}

/** Without doubled slashes, single dots and a slash at the end. */
const plain = (path: string): string =>
  `/${path
    .split('/')
    .filter((name) => name !== '' && name !== '.')
    .join('/')}`;
