/**
 * The one home of the `ssh-config` library: what ~/.ssh/config and /etc/ssh/ssh_config say about a host.
 * In: the files, and a host as it was typed. Out: keywords with their values; `ssh-target.ts` gives them meaning.
 * Must never: pass over a file that is there but cannot be read; that is CON008.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, join, sep } from 'node:path';
import SSHConfig, { type Directive, glob, type Line, type Match, type Section } from 'ssh-config';
import type { DiagnosticError } from '../base/diagnostic.ts';
import { refusal } from './refusal.ts';

/** Who runs pgduet, as far as ssh asks. */
export interface SshEnvironment {
  readonly home: string;
  readonly user: string;
  readonly sshAuthSock?: string;
  /** Of the process that runs pgduet, for `${NAME}` in a configuration. */
  variable?(name: string): string | undefined;
}

/** What ssh puts in place of `${NAME}`; it ignores a setting that names what is not set, and here that is said. */
export function variableOf(env: SshEnvironment, keyword: string, name: string): string {
  const value = env.variable?.(name) ?? (name === 'HOME' ? env.home : undefined);
  if (value !== undefined) return value;
  throw refusal({
    code: 'CON008',
    what: `${keyword} in the ssh configuration names \${${name}}, which is not set`,
    why: 'ssh ignores such a setting, and another key, file or agent would be used than the one that is meant',
    fix: `Set ${name} in the environment of pgduet, or write the path into the configuration.`,
  });
}

/** The files of one user, parsed, with what they include in its place. In the order in which they count. */
export type SshConfigFiles = readonly (readonly Line[])[];

const includeDepth = 16;
const isDirective = (line: Line): line is Directive | Section => 'param' in line;
const isSection = (line: Line): line is Section => 'config' in line;

function valuesOf(line: Directive): string[] {
  return typeof line.value === 'string' ? [line.value] : line.value.map(({ val }) => val);
}

/** Files that a pattern of Include means; * and ? may stand in any part of the path. */
function expandGlob(path: string): string[] {
  let found = [path.startsWith(sep) ? sep : '.'];
  for (const part of path.split(sep).filter((piece) => piece !== '')) {
    found = found.flatMap((base) => {
      if (!/[*?]/.test(part)) return [join(base, part)];
      try {
        return readdirSync(base)
          .filter((name) => glob(part, name))
          .sort()
          .map((name) => join(base, name));
      } catch {
        return []; // A directory that cannot be listed has nothing to include.
      }
    });
  }
  return found;
}

function unusable(file: string, problem: string): DiagnosticError {
  return refusal({
    code: 'CON008',
    what: `the ssh configuration '${file}' cannot be read: ${problem}`,
    why: 'it may say where a host is and who logs in, so nothing is contacted without it',
    fix: 'Correct the file, or name another one as ssh.config_file in the inventory.',
  });
}

function readConfig(file: string, base: string, env: SshEnvironment, required: boolean, depth = 0): Line[] {
  if (depth > includeDepth) throw unusable(file, 'it includes itself');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const absent =
      error instanceof Error && 'code' in error && /^(ENOENT|ENOTDIR|EISDIR)$/.test(String(error.code));
    if (absent && !required) return [];
    throw unusable(file, error instanceof Error ? error.message : String(error));
  }
  const include = (lines: readonly Line[]): Line[] =>
    lines.flatMap((line): Line[] => {
      if (isSection(line)) line.config = SSHConfig.from(include(line.config)) as SSHConfig;
      if (!isDirective(line) || line.param.toLowerCase() !== 'include') return [line];
      return valuesOf(line)
        .map((path) => path.replace(/^~(?=\/)/, env.home))
        .map((path) =>
          path.replaceAll(/\$\{([^}]*)\}/g, (_, name: string) => variableOf(env, 'Include', name)),
        )
        .flatMap((path) => expandGlob(isAbsolute(path) ? path : join(base, path)))
        .flatMap((path) => readConfig(path, base, env, false, depth + 1));
    });
  try {
    return include(SSHConfig.parse(text));
  } catch (error) {
    if (error instanceof Error && 'diagnostics' in error) throw error;
    throw unusable(file, error instanceof Error ? error.message : String(error));
  }
}

/** Reads the user's file and the system's; a file named in the inventory stands for both, as with ssh -F. */
export function readSshConfig(env: SshEnvironment, configFile?: string): SshConfigFiles {
  const own = join(env.home, '.ssh', 'config');
  if (configFile !== undefined) {
    const path = expandHome(configFile, env);
    return [readConfig(path, dirname(own), env, true)];
  }
  const system = '/etc/ssh/ssh_config';
  return [readConfig(own, dirname(own), env, false), readConfig(system, dirname(system), env, false)];
}

/** Keywords in small letters, with their values. */
export type Found = ReadonlyMap<string, readonly string[]>;

/** Lets the library decide whether a Host or Match section is meant, by a file of that section alone. */
function sectionMatches(section: Section, host: string, found: Found, user: string): boolean {
  const only = (param: string, value: string): Directive => ({
    ...section,
    param,
    value,
    separator: ' ',
    type: SSHConfig.DIRECTIVE,
  });
  const criteria = 'criteria' in section ? Object.entries((section as Match).criteria) : [];
  const [programs, asked] = [criteria.filter(isProgram), criteria.filter((one) => !isProgram(one))];
  const marked = {
    ...section,
    ...(criteria.length > 0 ? { criteria: Object.fromEntries(asked) } : {}),
    config: SSHConfig.from([only('Pgduet', 'yes')]),
  };
  const address = found.get('hostname')?.[0] ?? host;
  const probe = SSHConfig.from([only('HostName', address), marked]) as SSHConfig;
  const matches = 'Pgduet' in probe.compute({ Host: host, User: found.get('user')?.[0] ?? user });
  if (matches && programs.length > 0) throw programAsked(host);
  return matches;
}

/** The library would run it, in a shell; the file may be one that an inventory names. */
const isProgram = ([keyword]: readonly [string, unknown]): boolean => /^!?exec$/i.test(keyword);

const programAsked = (host: string): DiagnosticError =>
  refusal({
    code: 'CON008',
    what: `the ssh configuration has a program decide about '${host}' (Match exec)`,
    why: 'pgduet starts no program for a connection, and without its answer nobody knows how the host is reached',
    fix: `Say it by Host or by Match host, or name a file without 'Match exec' as ssh.config_file in the inventory.`,
  });

function collect(lines: readonly Line[], host: string, user: string, found: Map<string, string[]>): void {
  for (const line of lines) {
    if (!isDirective(line)) continue;
    if (isSection(line)) {
      if (sectionMatches(line, host, found, user)) collect(line.config, host, user, found);
      continue;
    }
    const key = line.param.toLowerCase();
    if (key === 'identityfile') found.set(key, [...(found.get(key) ?? []), ...valuesOf(line)]);
    else if (!found.has(key)) found.set(key, valuesOf(line));
  }
}

/**
 * What the files say about a host. The first value of a keyword counts; of IdentityFile all do. `user` is the login
 * user where one is given already, for Match.
 */
export function lookUp(files: SshConfigFiles, host: string, localUser: string, user?: string): Found {
  const found = new Map<string, string[]>();
  if (user !== undefined) found.set('user', [user]);
  for (const file of files) collect(file, host, localUser, found);
  return found;
}

/** A path with ~ for the home directory. */
export function expandHome(path: string, env: SshEnvironment): string {
  return path === '~' || path.startsWith('~/') ? join(env.home, path.slice(1)) : path;
}
