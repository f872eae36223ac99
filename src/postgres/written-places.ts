/**
 * Where the settings of a server make it write besides its data directory, as far as their texts tell: logs, sockets, and where
 * archive commands put what they are given. In: settings by name. Out: directories. Pure.
 */

export interface WrittenPlace {
  readonly setting: string;
  readonly path: string;
}

const directories = ['log_directory', 'stats_temp_directory'];
/** Of a restore_command the target is the data directory. */
const commands = ['archive_command', 'archive_cleanup_command', 'recovery_end_command'];

export function writtenPlaces(settings: Iterable<readonly [string, string]>): readonly WrittenPlace[] {
  return [...settings].flatMap(([name, value]) => {
    const setting = name.toLowerCase();
    const paths = pathsOf(setting, value).filter((path) => path.startsWith('/'));
    return [...new Set(paths)].map((path) => ({ setting, path }));
  });
}

function pathsOf(setting: string, value: string): readonly string[] {
  if (directories.includes(setting)) return [value];
  if (setting === 'external_pid_file') return [parent(value)];
  if (setting === 'unix_socket_directories')
    return value.split(',').map((one) => one.trim().replace(/^"(.*)"$/, '$1'));
  return commands.includes(setting) ? targetsOf(value) : [];
}

const parent = (path: string): string => path.replace(/\/+[^/]*$/, '');

/** Programs whose last word says where they write. */
const copies = /^(cp|mv|ln|install|rsync|tee|pg_archivecleanup)$/;

/** Each simple command by itself: what a redirection names, what a copy goes to, and any place that is given the file's name. */
const targetsOf = (command: string): readonly string[] =>
  command
    .replace(/["']/g, '')
    .split(/[;&|()]+/)
    .flatMap((simple) => {
      const redirected = [...simple.matchAll(/>+\s*(\/\S+)/g)].map(([, path = '']) => parent(path));
      const words = simple.split(/[\s<>]+/).filter((word) => word !== '');
      const program = words.find((word) => !word.includes('=')) ?? '';
      const named = words.filter((word) => word.startsWith('/') && word.includes('%f'));
      const given = program.replace(/^.*\//, '');
      const last =
        given === 'pg_archivecleanup'
          ? words.find((word) => word.startsWith('/') && word !== program)
          : words.at(-1);
      const copied =
        copies.test(given) && last?.startsWith('/') && !last.includes('%')
          ? [last.replace(/(.)\/$/, '$1')]
          : [];
      return [
        ...redirected,
        ...named.map((word) => parent(word.slice(0, word.indexOf('%f') + 2))),
        ...copied,
      ];
    });
