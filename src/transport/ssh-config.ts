/**
 * The one home of the `ssh-config` library: what ~/.ssh/config and /etc/ssh/ssh_config say about a host.
 * In: the files, and a host as it was typed. Out: a Target: everything that a connection needs to know, with the
 * precedence of ssh: the inventory wins over the files, the files over the defaults; the first value found counts.
 * Must never: guess at a keyword that changes who is reached; such a one is refused with CON008.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, join, sep } from 'node:path';
import SSHConfig, { type Directive, glob, type Line, type Section } from 'ssh-config';
import type { DiagnosticError } from '../base/diagnostic.ts';
import type { SshSettings } from '../inventory/cluster.ts';
import { refusal } from './refusal.ts';

/** Who runs pgduet, as far as ssh asks. */
export interface SshEnvironment {
  readonly home: string;
  readonly user: string;
  readonly sshAuthSock?: string;
}

export interface IdentityFile {
  readonly path: string;
  readonly origin: 'inventory' | 'config' | 'default';
}

export interface Hop {
  readonly host: string;
  readonly user?: string;
  readonly port?: number;
}

export interface Target {
  /** As typed: the name under which the configuration was looked up, and the one in messages. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly identityFiles: readonly IdentityFile[];
  readonly identitiesOnly: boolean;
  readonly agentSocket?: string;
  readonly jumps: readonly Hop[];
  /** The first of them is where an accepted key is added. */
  readonly userKnownHosts: readonly string[];
  readonly globalKnownHosts: readonly string[];
  readonly hashKnownHosts: boolean;
  /** The name in known_hosts when it is not the address; such a one carries no port. */
  readonly hostKeyAlias?: string;
  readonly connectTimeoutMs: number;
  readonly keepalive: { readonly intervalMs: number; readonly count: number };
  readonly family?: 4 | 6;
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

function readConfig(file: string, base: string, home: string, required: boolean, depth = 0): Line[] {
  if (depth > includeDepth) throw unusable(file, 'it includes itself');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (!required) return [];
    throw unusable(file, error instanceof Error ? error.message : String(error));
  }
  const include = (lines: readonly Line[]): Line[] =>
    lines.flatMap((line): Line[] => {
      if (isSection(line)) line.config = SSHConfig.from(include(line.config)) as SSHConfig;
      if (!isDirective(line) || line.param.toLowerCase() !== 'include') return [line];
      return valuesOf(line)
        .map((path) => path.replace(/^~(?=\/)/, home))
        .flatMap((path) => expandGlob(isAbsolute(path) ? path : join(base, path)))
        .flatMap((path) => readConfig(path, base, home, false, depth + 1));
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
    return [readConfig(path, dirname(own), env.home, true)];
  }
  const system = '/etc/ssh/ssh_config';
  return [
    readConfig(own, dirname(own), env.home, false),
    readConfig(system, dirname(system), env.home, false),
  ];
}

type Found = Map<string, string[]>;

/** Lets the library decide whether a Host or Match section is meant, by a file of that section alone. */
function sectionMatches(section: Section, host: string, found: Found, user: string): boolean {
  const only = (param: string, value: string): Directive => ({
    ...section,
    param,
    value,
    separator: ' ',
    type: SSHConfig.DIRECTIVE,
  });
  const marked = { ...section, config: SSHConfig.from([only('Pgduet', 'yes')]) };
  const address = found.get('hostname')?.[0] ?? host;
  const probe = SSHConfig.from([only('HostName', address), marked]) as SSHConfig;
  return 'Pgduet' in probe.compute({ Host: host, User: found.get('user')?.[0] ?? user });
}

/** The first value of a keyword counts; of IdentityFile all do. */
function collect(lines: readonly Line[], host: string, user: string, found: Found): void {
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

function expandHome(path: string, env: SshEnvironment): string {
  return path === '~' || path.startsWith('~/') ? join(env.home, path.slice(1)) : path;
}

/** %h address, %n name as typed, %p port, %r remote user, %u local user, %d home, %% percent. */
function expandTokens(text: string, tokens: Readonly<Record<string, string>>): string {
  return text.replaceAll(/%(.)/g, (whole, letter: string) => tokens[letter] ?? whole);
}

const defaultIdentities = ['id_rsa', 'id_ecdsa', 'id_ed25519'];

export function parseHops(text: string): Hop[] {
  return text.split(',').map((part) => {
    const uri = part.trim().replace(/^ssh:\/\//, '');
    const [, user, bracketed, bare, port] = /^(?:(.*)@)?(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(uri) ?? [];
    return {
      host: bracketed ?? bare ?? uri,
      ...(user === undefined ? {} : { user }),
      ...(port === undefined ? {} : { port: Number(port) }),
    };
  });
}

const seconds = (text: string | undefined): number | undefined => {
  const value = Number(text);
  return text !== undefined && Number.isFinite(value) && value > 0 ? value : undefined;
};

function rejectUnsupported(found: Found, name: string): void {
  const command = found.get('proxycommand')?.join(' ') ?? 'none';
  const jump = found.get('proxyjump')?.[0];
  if (jump !== undefined || command.toLowerCase() === 'none') return;
  throw refusal({
    code: 'CON008',
    what: `the ssh configuration gives '${name}' a ProxyCommand`,
    why: 'pgduet speaks ssh itself and starts no program for the connection, so the host would not be reached',
    fix: `Write ProxyJump for '${name}' instead, in that file or in one named as ssh.config_file in the inventory.`,
  });
}

/** What the inventory says about a connection; a jump host has only what ProxyJump says. */
export type Wishes = Partial<
  Pick<SshSettings, 'user' | 'port' | 'identityFile' | 'knownHosts' | 'connectTimeoutMs'>
>;

const defaultTimeoutMs = 10_000;

function agentOf(found: Found, env: SshEnvironment, expand: (path: string) => string): string | undefined {
  const agent = found.get('identityagent')?.[0] ?? 'SSH_AUTH_SOCK';
  if (agent.toLowerCase() === 'none') return undefined;
  return agent === 'SSH_AUTH_SOCK' || agent === '$SSH_AUTH_SOCK' ? env.sshAuthSock : expand(agent);
}

function identitiesOf(
  found: Found,
  wishes: Wishes,
  env: SshEnvironment,
  expand: (path: string) => string,
): IdentityFile[] {
  if (wishes.identityFile !== undefined)
    return [{ path: expandHome(wishes.identityFile, env), origin: 'inventory' }];
  const configured = found.get('identityfile')?.filter((path) => path.toLowerCase() !== 'none');
  if (configured) return configured.map((path) => ({ path: expand(path), origin: 'config' }));
  return defaultIdentities.map((name) => ({ path: join(env.home, '.ssh', name), origin: 'default' }));
}

/** Everything that is known about the connection to a host. */
export function resolveTarget(
  files: SshConfigFiles,
  name: string,
  wishes: Wishes,
  env: SshEnvironment,
): Target {
  const found: Found = new Map();
  if (wishes.user !== undefined) found.set('user', [wishes.user]);
  for (const file of files) collect(file, name, env.user, found);
  rejectUnsupported(found, name);
  const first = (key: string) => found.get(key)?.[0];
  const address = expandTokens(first('hostname') ?? name, { h: name, '%': '%' });
  const port = wishes.port ?? Number(first('port') ?? 22);
  const user = wishes.user ?? first('user') ?? env.user;
  const tokens = { h: address, n: name, p: String(port), r: user, u: env.user, d: env.home, '%': '%' };
  const expand = (path: string) => expandHome(expandTokens(path, tokens), env);
  const configured = (found.get('userknownhostsfile') ?? ['~/.ssh/known_hosts', '~/.ssh/known_hosts2'])
    .filter((path) => path.toLowerCase() !== 'none')
    .map(expand);
  const fixedTimeout = wishes.connectTimeoutMs === defaultTimeoutMs ? undefined : wishes.connectTimeoutMs;
  const ownTimeout = seconds(first('connecttimeout'));
  const agentSocket = agentOf(found, env, expand);
  const hostKeyAlias = first('hostkeyalias');
  const family = { inet: 4, inet6: 6 }[first('addressfamily')?.toLowerCase() ?? ''] as 4 | 6 | undefined;
  const jump = first('proxyjump') ?? 'none';
  return {
    name,
    address,
    port,
    user,
    identityFiles: identitiesOf(found, wishes, env, expand),
    identitiesOnly: first('identitiesonly')?.toLowerCase() === 'yes',
    jumps: jump.toLowerCase() === 'none' ? [] : parseHops(expandTokens(jump, tokens)),
    userKnownHosts: wishes.knownHosts === undefined ? configured : [expandHome(wishes.knownHosts, env)],
    globalKnownHosts: (
      found.get('globalknownhostsfile') ?? ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2']
    ).map(expand),
    hashKnownHosts: first('hashknownhosts')?.toLowerCase() === 'yes',
    connectTimeoutMs: fixedTimeout ?? (ownTimeout === undefined ? defaultTimeoutMs : ownTimeout * 1000),
    keepalive: {
      intervalMs: (seconds(first('serveraliveinterval')) ?? 5) * 1000,
      count: seconds(first('serveralivecountmax')) ?? 2,
    },
    ...(agentSocket === undefined ? {} : { agentSocket }),
    ...(hostKeyAlias === undefined ? {} : { hostKeyAlias }),
    ...(family === undefined ? {} : { family }),
  };
}
