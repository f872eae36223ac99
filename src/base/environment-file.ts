/**
 * The environment that an instance is started with besides that of its controller, as a file of lines NAME="value". A POSIX shell
 * and systemd (EnvironmentFile=) read it to the same values, so that whoever starts the server later can use it as it is. Pure.
 */

export type Environment = Readonly<Record<string, string>>;

/** In the management directory of the server. */
export const environmentFile = ({ managementDir, id }: { managementDir: string; id: string }): string =>
  `${managementDir}/${id}.environment`;

const isName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** A name that no shell could set has no meaning to a program that is started by one; a NUL byte cannot stand in a value. */
export const canStand = (name: string, value: string): boolean => isName.test(name) && !value.includes('\0');

/** Of the ways to quote, the one that systemd reads as a shell does, a single quote within too. */
const quoted = (value: string): string => `"${value.replace(/["\\$`]/g, '\\$&')}"`;

export const environmentText = (environment: Environment): string =>
  Object.entries(environment)
    .filter(([name, value]) => canStand(name, value))
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `${name}=${quoted(value)}\n`)
    .join('');

/** A comment, an empty line, or a name with pieces of a value: quoted, escaped, or plain. Nothing that would have to be expanded. */
const line =
  /(?:[ \t]*(?:#[^\n]*)?|([A-Za-z_][A-Za-z0-9_]*)=((?:"(?:[^"\\$`]|\\[^\n])*"|'[^']*'|\\[^\n]|[\w@%+:,./=-])*))(?:\n|$)/y;

/** Undefined where a line is none of these: half of an environment is none. */
export function parseEnvironment(text: string): Environment | undefined {
  const found: Record<string, string> = {};
  line.lastIndex = 0;
  while (line.lastIndex < text.length) {
    const match = line.exec(text);
    if (!match) return undefined;
    const [, name, pieces = ''] = match;
    if (name !== undefined) found[name] = unquoted(pieces);
  }
  return found;
}

const unquoted = (pieces: string): string =>
  pieces.replace(
    /"((?:[^"\\]|\\.)*)"|'([^']*)'|\\([^\n])/g,
    (_, double: string | undefined, single: string | undefined, plain: string | undefined) =>
      double?.replace(/\\(["\\$`])/g, '$1') ?? single ?? plain ?? '',
  );
