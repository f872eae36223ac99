/**
 * The adapter for `connection: ssh`. In: a host. Out: a Session: one TCP connection, one channel, one shell; through
 * jump hosts where the ssh configuration says so. The files of ssh are read once per transport.
 */
import type { Duplex } from 'node:stream';
import { DiagnosticError } from '../base/diagnostic.ts';
import type { Host } from '../inventory/cluster.ts';
import { type HostKeys, hostKeys, type NamedKey } from './host-keys.ts';
import { type Credentials, type LoginPlan, planLogin } from './login.ts';
import type { Session, Transport } from './port.ts';
import { refusal } from './refusal.ts';
import { entryCommand } from './remote-shell.ts';
import { openSession, type ShellStreams } from './session.ts';
import { connectSsh, type SshConnection, type SshFailure } from './ssh.ts';
import { readSshConfig, type SshConfigFiles, type SshEnvironment } from './ssh-config.ts';
import { explain, jumpRefused, throughJump } from './ssh-errors.ts';
import { type Hop, resolveTarget, type Target } from './ssh-target.ts';
import { passSudo, sudoCommand, sudoWords } from './sudo.ts';

/** sudo may wait for a slow directory service; a person would not wait longer either. */
const sudoPatienceMs = 30_000;

async function connect(
  target: Target,
  keys: HostKeys,
  credentials: Credentials,
  through?: Duplex,
): Promise<SshConnection> {
  const planned = planLogin(target, credentials);
  let plan: LoginPlan = { attempts: [], skipped: [] };
  try {
    return await connectSsh({
      target,
      hostKeyAlgorithms: keys.algorithms(target),
      checkHostKey: (key) => keys.check(target, key),
      acceptedHostKey: (key) => keys.remember(target, key),
      attempts: planned.then((made) => {
        plan = made;
        return made.attempts;
      }),
      ...(through ? { through } : {}),
    });
  } catch (failure) {
    // A bare error is a defect of ours, such as an option that the library refuses.
    if (failure instanceof Error) throw failure;
    const cause = (failure as SshFailure).error;
    throw cause instanceof DiagnosticError ? cause : explain(target, failure as SshFailure, plan.skipped);
  }
}

interface Route {
  readonly connection: SshConnection;
  /** Closes the jump hosts, last first. */
  close(): Promise<void>;
  leave(): void;
}

/** Connects hop by hop. Every hop is looked up, checked and logged in to on its own. */
async function travel(
  target: Target,
  hops: readonly Target[],
  keys: HostKeys,
  credentials: Credentials,
): Promise<Route> {
  const opened: SshConnection[] = [];
  const close = async () => {
    for (const connection of opened.reverse()) await connection.close();
  };
  const leave = () => {
    for (const connection of opened.reverse()) connection.leave();
  };
  try {
    let through: Duplex | undefined;
    for (const [index, hop] of hops.entries()) {
      const connection = await connect(hop, keys, {}, through).catch((error) => {
        throw error instanceof DiagnosticError ? throughJump(target.name, hop.name, error) : error;
      });
      opened.push(connection);
      const next = hops[index + 1] ?? target;
      through = await connection.forward(next.address, next.port).catch((error: Error) => {
        throw jumpRefused(next, hop.name, error);
      });
    }
    return { connection: await connect(target, keys, credentials, through), close, leave };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The chain of jump hosts, nearest first. A jump host may itself be behind one, if only the first is. */
function hopsOf(files: SshConfigFiles, target: Target, host: Host, env: SshEnvironment, depth = 0): Target[] {
  if (depth > 8) throw circle(target);
  return target.jumps.flatMap((hop: Hop, index): Target[] => {
    const given = {
      connectTimeoutMs: host.ssh.connectTimeoutMs,
      ...(hop.user === undefined ? {} : { user: hop.user }),
      ...(hop.port === undefined ? {} : { port: hop.port }),
    };
    const found = resolveTarget(files, hop.host, given, env);
    // The inventory's known_hosts speaks for the jump hosts as well.
    const known = host.ssh.knownHosts === undefined ? [] : target.userKnownHosts;
    const hopTarget = { ...found, userKnownHosts: [...known, ...found.userKnownHosts] };
    return [...(index === 0 ? hopsOf(files, hopTarget, host, env, depth + 1) : []), hopTarget];
  });
}

function circle(target: Target): DiagnosticError {
  return refusal({
    code: 'CON008',
    what: `the ssh configuration sends '${target.name}' through jump hosts in a circle`,
    why: 'the way to the host never ends',
    fix: 'Correct ProxyJump in the ssh configuration; "ProxyJump none" stops it for the jump host itself.',
  });
}

async function start(host: Host, target: Target, connection: SshConnection): Promise<ShellStreams> {
  const words = host.ssh.become === 'sudo' && target.user !== 'root' ? sudoWords() : undefined;
  const command = words ? sudoCommand(words) : entryCommand;
  const streams = await connection.exec(`exec ${command}`).catch((error: Error) => {
    throw refusal({
      code: 'CON007',
      what: `'${host.name}' let '${target.user}' log in but starts no command: ${error.message}`,
      why: 'every step of a run is a script for a shell there',
      fix: 'Look at the limits of that account in sshd_config: ForceCommand, MaxSessions.',
      host: host.name,
    });
  });
  if (words) {
    const password = host.ssh.becomePassword ? { password: host.ssh.becomePassword } : {};
    await passSudo(streams, {
      host: host.name,
      user: target.user,
      words,
      timeoutMs: sudoPatienceMs,
      ...password,
    });
  }
  return streams;
}

export interface SshTransportOptions {
  /** Adds keys of hosts that are not known yet; a changed key is refused all the same. */
  readonly acceptNewHostKeys: boolean;
  /** The key of one host, as a person has named it. */
  readonly namedKey?: NamedKey;
  readonly env: SshEnvironment;
}

export function sshTransport({ acceptNewHostKeys, namedKey, env }: SshTransportOptions): Transport {
  const keys = hostKeys(acceptNewHostKeys, namedKey);
  const configs = new Map<string | undefined, SshConfigFiles>();
  const configOf = (file: string | undefined): SshConfigFiles => {
    const files = configs.get(file) ?? readSshConfig(env, file);
    configs.set(file, files);
    return files;
  };
  return {
    async open(host: Host): Promise<Session> {
      const files = configOf(host.ssh.configFile);
      const target = named(host.name, resolveTarget(files, host.address, host.ssh, env));
      const route = await travel(target, hopsOf(files, target, host, env), keys, host.ssh);
      try {
        const streams = await start(host, target, route.connection);
        return openSession(host.name, {
          ...streams,
          close: async () => {
            await streams.close();
            await route.close();
          },
          leave: () => {
            streams.leave();
            route.leave();
          },
        });
      } catch (error) {
        await route.connection.close();
        await route.close();
        throw error;
      }
    },
  };
}

/** Messages name a host as the inventory does. */
const named = (name: string, target: Target): Target => ({ ...target, name });
