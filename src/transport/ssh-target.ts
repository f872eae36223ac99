/**
 * Everything that a connection needs to know about a host, with the precedence of ssh: the inventory wins over the
 * configuration files, the files over the defaults. In: the files, a host as it was typed, the inventory's settings.
 * Out: a Target. Must never: pass over a keyword that changes who is reached; such a one is refused with CON008.
 */
import { join } from 'node:path';
import type { SshSettings } from '../inventory/cluster.ts';
import { refusal } from './refusal.ts';
import {
  expandHome,
  type Found,
  lookUp,
  type SshConfigFiles,
  type SshEnvironment,
  variableOf,
} from './ssh-config.ts';

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

/** %h address, %n name as typed, %p port, %r remote user, %u local user, %d home, %% percent. */
function expandTokens(text: string, tokens: Readonly<Record<string, string>>): string {
  return text.replaceAll(/%(.)/g, (whole, letter: string) => tokens[letter] ?? whole);
}

/** Of the keywords that are heeded here, those in which ssh takes variables ("ENVIRONMENT VARIABLES" of ssh_config), besides Include. */
const withVariables = {
  identityfile: 'IdentityFile',
  identityagent: 'IdentityAgent',
  userknownhostsfile: 'UserKnownHostsFile',
} as const;

/** Those in which it takes none, or only some versions do. */
const withoutVariables = {
  hostname: 'HostName',
  user: 'User',
  port: 'Port',
  proxyjump: 'ProxyJump',
  hostkeyalias: 'HostKeyAlias',
  globalknownhostsfile: 'GlobalKnownHostsFile',
} as const;

function rejectVariables(found: Found, name: string): void {
  for (const [key, keyword] of Object.entries(withoutVariables))
    if (found.get(key)?.some((value) => value.includes('${')))
      throw refusal({
        code: 'CON008',
        what: `${keyword} of '${name}' in the ssh configuration holds a variable`,
        why: `ssh takes \${NAME} in ${Object.values(withVariables).join(', ')} and Include; elsewhere only some versions do`,
        fix: `Write the value of ${keyword} itself, or in the inventory.`,
      });
}

type Expand = (keyword: keyof typeof withVariables, text: string) => string;

/** In one pass, so that what a variable holds is taken as it is. */
const expandAll =
  (tokens: Readonly<Record<string, string>>, env: SshEnvironment): Expand =>
  (keyword, text) =>
    expandHome(text, env).replaceAll(
      /%(.)|\$\{([^}]*)\}/g,
      (whole, letter: string | undefined, name: string | undefined) =>
        name === undefined ? (tokens[letter ?? ''] ?? whole) : variableOf(env, withVariables[keyword], name),
    );

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
export type GivenSettings = Partial<
  Pick<SshSettings, 'user' | 'port' | 'identityFile' | 'knownHosts' | 'connectTimeoutMs'>
>;

const defaultTimeoutMs = 10_000;

function agentOf(found: Found, env: SshEnvironment, expand: Expand): string | undefined {
  const agent = found.get('identityagent')?.[0] ?? 'SSH_AUTH_SOCK';
  if (agent.toLowerCase() === 'none') return undefined;
  if (agent === 'SSH_AUTH_SOCK' || agent === '$SSH_AUTH_SOCK') return env.sshAuthSock;
  // `$NAME` as a whole is the name of a variable with the path, beside `${NAME}` within one.
  const [, variable] = /^\$([A-Za-z_]\w*)$/.exec(agent) ?? [];
  return variable === undefined
    ? expand('identityagent', agent)
    : variableOf(env, withVariables.identityagent, variable);
}

function identitiesOf(
  found: Found,
  given: GivenSettings,
  env: SshEnvironment,
  expand: Expand,
): IdentityFile[] {
  if (given.identityFile !== undefined)
    return [{ path: expandHome(given.identityFile, env), origin: 'inventory' }];
  const configured = found.get('identityfile')?.filter((path) => path.toLowerCase() !== 'none');
  if (configured) return configured.map((path) => ({ path: expand('identityfile', path), origin: 'config' }));
  return defaultIdentities.map((name) => ({ path: join(env.home, '.ssh', name), origin: 'default' }));
}

/** Everything that is known about the connection to a host. */
export function resolveTarget(
  files: SshConfigFiles,
  name: string,
  given: GivenSettings,
  env: SshEnvironment,
): Target {
  const found = lookUp(files, name, env.user, given.user);
  rejectUnsupported(found, name);
  rejectVariables(found, name);
  const first = (key: string) => found.get(key)?.[0];
  const address = expandTokens(first('hostname') ?? name, { h: name, '%': '%' });
  const port = given.port ?? Number(first('port') ?? 22);
  const user = given.user ?? first('user') ?? env.user;
  const tokens = { h: address, n: name, p: String(port), r: user, u: env.user, d: env.home, '%': '%' };
  const expand = expandAll(tokens, env);
  const configured = (found.get('userknownhostsfile') ?? ['~/.ssh/known_hosts', '~/.ssh/known_hosts2'])
    .filter((path) => path.toLowerCase() !== 'none')
    .map((path) => expand('userknownhostsfile', path));
  const fixedTimeout = given.connectTimeoutMs === defaultTimeoutMs ? undefined : given.connectTimeoutMs;
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
    identityFiles: identitiesOf(found, given, env, expand),
    identitiesOnly: first('identitiesonly')?.toLowerCase() === 'yes',
    jumps: jump.toLowerCase() === 'none' ? [] : parseHops(expandTokens(jump, tokens)),
    userKnownHosts: given.knownHosts === undefined ? configured : [expandHome(given.knownHosts, env)],
    globalKnownHosts: (
      found.get('globalknownhostsfile') ?? ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2']
    ).map((path) => expandHome(expandTokens(path, tokens), env)),
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
