/**
 * What a controller is told by its management directory. In: the directory and the server. Out: the configuration; throws
 * DiagnosticError with every mistake of all files at once.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type Diagnostic, DiagnosticError } from '../../base/diagnostic.ts';
import { exitCode } from '../../base/exit-codes.ts';
import type { Renewal } from '../../base/renewal.ts';
import type { Secret } from '../../base/secret.ts';
import { type ArbiterLine, canArbitrate, etcdLines, type ServerConf, type ServerLine } from '../config.ts';
import { parseNetworkConf, parseServerConf } from '../config-parse.ts';
import type { KeyRow } from '../core/status.ts';
import { readEtcd } from './etcd-files.ts';
import type { EtcdRegister } from './etcd-link.ts';
import { checkDirectory, diagnostic, errorText, parsed, parseKey } from './files.ts';
import { type Identities, readIdentities } from './identity-files.ts';
import { keyMarks, readRenewal } from './renewal-file.ts';
import { userName } from './user-name.ts';

export interface Configuration {
  readonly dir: string;
  readonly self: ServerLine;
  readonly servers: readonly ServerLine[];
  readonly arbiters: readonly ArbiterLine[];
  readonly conf: ServerConf;
  /** The key of the admin link: 32 bytes as hex. */
  readonly key: Secret;
  /** As long as the secrets are renewed: what is accepted besides. */
  readonly renewal: Renewal | null;
  /** By which keys this server and its peers prove who they are. */
  readonly identities: Identities;
  /** The etcd that is the register. */
  readonly etcd: EtcdRegister | null;
  /** Whoever may answer a vote besides the servers: to the core an etcd is an arbiter. */
  readonly places: readonly ArbiterLine[];
}

/** Everything that a controller must know before it starts; all mistakes of all files at once. */
export function loadConfiguration(dir: string, id: string): Configuration {
  const network = parsed(join(dir, 'network.conf'), parseNetworkConf);
  // Of a network.conf with mistakes nobody knows yet whom it names.
  const arbitrated = !network.ok || canArbitrate(network.value);
  const server = parsed(join(dir, `${id}.conf`), (text, file) => parseServerConf(text, file, arbitrated));
  const key = parsed(join(dir, 'cluster.key'), parseKey);
  const renewal = readRenewal(dir);
  const identities = readIdentities(dir, id);
  const problems = [
    ...checkDirectory(dir),
    ...[network, server, key, renewal, identities].flatMap((it) => (it.ok ? [] : it.diagnostics)),
  ];
  const self = network.ok ? network.value.servers.find((line) => line.id === id) : undefined;
  if (network.ok && !self) {
    const known = network.value.servers.map((line) => line.id).join(', ');
    const fix = `Add a line for ${id}, or rename ${id}.conf.`;
    problems.push(diagnostic('MCF010', `network.conf does not name '${id}'`, `it names ${known}`, fix));
  }
  if (server.ok) problems.push(...checkDataDirectory(server.value.dbInstance));
  const etcd =
    network.ok && server.ok && key.ok ? readEtcd(dir, network.value, server.value, key.value) : undefined;
  if (etcd && !etcd.ok) problems.push(...etcd.diagnostics);
  const secrets = key.ok &&
    renewal.ok &&
    identities.ok && { key: key.value, renewal: renewal.value, identities: identities.value };
  if (network.ok && server.ok && secrets && self && etcd?.ok && problems.length === 0) {
    const places = [...network.value.arbiters, ...etcdLines(server.value)];
    return { dir, self, ...network.value, conf: server.value, ...secrets, etcd: etcd.value, places };
  }
  throw new DiagnosticError(problems, exitCode.inputWrong);
}

/** What the report of a controller says of its process, and of the keys that it speaks and hears. */
export const processFacts = ({ key, renewal }: Configuration): ProcessFacts => ({
  pid: process.pid,
  node: process.versions.node,
  keys: keyMarks(key, renewal),
});

export interface ProcessFacts {
  readonly pid: number;
  readonly node: string;
  readonly keys: KeyRow;
}

/** Throws where a file names what a controller that runs cannot take over. */
export function checkKept(before: Configuration, { conf }: Configuration): void {
  if (conf.dbInstance !== before.conf.dbInstance)
    throw new Error('db_instance has changed, which needs a restart of the controller');
}

function checkDataDirectory(dataDir: string): Diagnostic[] {
  let uid: number | undefined;
  try {
    uid = statSync(dataDir, { throwIfNoEntry: false })?.uid;
  } catch (error) {
    const fix = 'Repair its disk, or the rights on the directories above it.';
    return [diagnostic('MCF001', `${dataDir} cannot be looked at`, errorText(error), fix)];
  }
  // Its absence is not a mistake here: a standby may be made after its controller's files.
  if (uid === undefined || uid === process.getuid?.()) return [];
  const why = 'the controller starts and stops the instance as its own user';
  const fix = `Run mc_ctl as ${userName(uid)}, who must own the management directory, too.`;
  return [diagnostic('MCF011', `${dataDir} belongs to ${userName(uid)}`, why, fix)];
}
