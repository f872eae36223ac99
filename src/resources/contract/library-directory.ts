/** Where PostgreSQL of a host looks for its libraries. Pure text; needs PGBIN and `peek` of `preamble.ts`. */
import { quote } from '../../base/shell.ts';
import { wordList } from './field.ts';

/** Shell: sets `lib`. */
export const libraryDirectory = `lib=$(peek "$PGBIN/pg_config" --pkglibdir 2>/dev/null || echo "\${PGBIN%/bin}/lib")`;

/** Shell: sets `lib`, and is true where the library is there. No program is started where it stands beside the programs. */
export const hasLibrary = (name: string): string =>
  `{ lib=\${PGBIN%/bin}/lib; [ -e "$lib"/${quote(`${name}.so`)} ]; } || { ${libraryDirectory}; [ -e "$lib"/${quote(`${name}.so`)} ]; }`;

/** Of kinds that try a configuration before packages are installed. */
export const broughtField = wordList(
  'libraries that a package brings before: as long as they are not there, they are not tried',
  'name',
);
