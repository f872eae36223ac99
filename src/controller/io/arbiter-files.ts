/**
 * The management directory of an arbiter: arbitration.conf, and for each cluster network.conf and arbiter.key. In: a directory.
 * Out: what the files say, and every mistake of each of them. Never reads a file that others can write or read.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Diagnostic, DiagnosticError, type Result } from '../../base/diagnostic.ts';
import { exitCode } from '../../base/exit-codes.ts';
import type { Secret } from '../../base/secret.ts';
import type { ArbiterLine, ServerLine } from '../config.ts';
import type { ArbiterConf } from '../config-arbiter.ts';
import { fingerprint } from '../config-arbiter-key.ts';
import { parseArbiterConf, parseNetworkConf } from '../config-parse.ts';
import {
  type Administrator,
  checkDirectory,
  diagnostic,
  errorText,
  parsed,
  parseKey,
  refuse,
} from './files.ts';
import { type Identities, readIdentities } from './identity-files.ts';
import { heardKeys, readRenewal } from './renewal-file.ts';

/** Names the lock and the control socket of an arbiter. */
export const arbiterName = 'arbiter';

export const arbiterAdministrator: Administrator = {
  command: 'mc_arb',
  title: 'user of the arbiter',
  controls: 'it',
  notRoot: 'an arbiter does not run as root',
};

export interface ClusterFiles {
  /** The name of its directory. */
  readonly cluster: string;
  readonly dir: string;
  readonly self: ArbiterLine;
  readonly servers: readonly ServerLine[];
  /** Those that are heard, by their fingerprints: two while they are renewed. */
  readonly keys: ReadonlyMap<string, Secret>;
  /** The fingerprint of the own key, where a renewal has brought it; else null. */
  readonly came: string | null;
  /** By which keys this arbiter and the servers prove who they are. */
  readonly identities: Identities;
}

export interface ArbiterFiles {
  readonly conf: Result<ArbiterConf>;
  readonly clusters: ReadonlyMap<string, Result<ClusterFiles>>;
}

/** Reads everything; mistakes are part of the answer. Throws when the directory itself cannot be read. */
export function readArbiterFiles(dir: string): ArbiterFiles {
  const conf = parsed(join(dir, 'arbitration.conf'), parseArbiterConf);
  const open = checkDirectory(dir);
  const clusters = new Map<string, Result<ClusterFiles>>();
  for (const cluster of clusterNames(dir)) clusters.set(cluster, readCluster(dir, cluster));
  for (const [cluster, problem] of sharedKeys(clusters)) clusters.set(cluster, problem);
  return {
    conf: open.length > 0 ? { ok: false, diagnostics: [...open, ...diagnosticsOf(conf)] } : conf,
    clusters,
  };
}

/** Every mistake of all files. */
export const mistakesOf = ({ conf, clusters }: ArbiterFiles): Diagnostic[] => [
  ...diagnosticsOf(conf),
  ...[...clusters.values()].flatMap(diagnosticsOf),
];

export const diagnosticsOf = (result: Result<unknown>): readonly Diagnostic[] =>
  result.ok ? [] : result.diagnostics;

/** Throws every mistake of all files at once. */
export function refuseMistakes(problems: readonly Diagnostic[]): void {
  if (problems.length > 0) throw new DiagnosticError(problems, exitCode.inputWrong);
}

/** No directory of clusters is an arbiter that serves none yet. */
function clusterNames(dir: string): string[] {
  try {
    const entries = readdirSync(join(dir, 'clusters'), { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .map((entry) => entry.name)
      .sort();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    const fix = 'Give the directory to the user of the arbiter.';
    throw refuse('MCF001', `${join(dir, 'clusters')} cannot be read`, errorText(error), fix);
  }
}

function readCluster(managementDir: string, cluster: string): Result<ClusterFiles> {
  const dir = join(managementDir, 'clusters', cluster);
  const network = parsed(join(dir, 'network.conf'), parseNetworkConf);
  const key = parsed(join(dir, 'arbiter.key'), parseKey);
  const renewal = readRenewal(dir);
  const identities = readIdentities(dir, arbiterName);
  const problems = [...checkDirectory(dir), ...[network, key, renewal, identities].flatMap(diagnosticsOf)];
  const [self] = network.ok ? network.value.arbiters : [];
  if (network.ok && !self) {
    const why = 'an arbiter does not know by which name the servers call it';
    const fix = 'Copy network.conf from a server of the cluster; its line is: identifier host port arbiter.';
    problems.push(diagnostic('MCF010', `${join(dir, 'network.conf')} names no arbiter`, why, fix));
  }
  if (!network.ok || !key.ok || !renewal.ok || !identities.ok || !self || problems.length > 0)
    return { ok: false, diagnostics: problems };
  const { servers } = network.value;
  const keys = heardKeys(key.value, renewal.value?.key).map((it) => [fingerprint(it), it] as const);
  const came = renewal.value?.key?.to.equals(key.value) ? fingerprint(key.value) : null;
  const value = { cluster, dir, self, servers, keys: new Map(keys), came, identities: identities.value };
  return { ok: true, value };
}

/** Who shows a key is of the cluster that has it, so that two of them must not have the same. */
function sharedKeys(clusters: ReadonlyMap<string, Result<ClusterFiles>>): [string, Result<ClusterFiles>][] {
  const owners = new Map<string, string>();
  return [...clusters.values()].flatMap((it): [string, Result<ClusterFiles>][] => {
    if (!it.ok) return [];
    const { cluster, dir, keys } = it.value;
    const marks = [...keys.keys()];
    const owner = marks.map((mark) => owners.get(mark)).find((name) => name !== undefined);
    if (owner === undefined) {
      for (const mark of marks) owners.set(mark, cluster);
      return [];
    }
    const what = `${join(dir, 'arbiter.key')} is the key of cluster ${owner}`;
    const why = 'one cluster could speak for the other';
    const fix = 'Give each cluster a key of its own: provision one of them again.';
    return [[cluster, { ok: false, diagnostics: [diagnostic('MCF012', what, why, fix)] }]];
  });
}
