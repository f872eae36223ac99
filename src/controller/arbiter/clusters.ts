/**
 * The clusters that an arbiter serves, and how they follow its files. In: what the files say, and the time. Out: clusters, and what
 * has changed. A mistake in the files of one cluster leaves that one as it was, and touches no other.
 */
import { type Diagnostic, DiagnosticError, type Result } from '../../base/diagnostic.ts';
import { exitCode } from '../../base/exit-codes.ts';
import type { Secret } from '../../base/secret.ts';
import type { ArbiterConf } from '../config-arbiter.ts';
import { fingerprint } from '../config-arbiter-key.ts';
import type { ServerId } from '../core/view.ts';
import { type ArbiterFiles, type ClusterFiles, diagnosticsOf } from '../io/arbiter-files.ts';
import { readIdentity } from '../io/arbiter-identity.ts';
import type { Caller } from '../io/arbiter-port.ts';
import { readCell } from '../io/cell-file.ts';
import { diagnostic, errorText, shortly } from '../io/files.ts';
import { readPairIdentity } from '../io/pair-key.ts';
import type { Known, NotTaken } from '../io/psk-port.ts';
import { Cluster, type Log } from './cluster.ts';
import type { ArbiterStatus } from './status.ts';

export type Found = ReturnType<typeof readCell> & { readonly files: ClusterFiles };

/** What the disk holds of a cluster; a file that is torn is set aside. */
export function foundCell(files: ClusterFiles): Result<Found> {
  try {
    return { ok: true, value: { files, ...readCell(files.dir) } };
  } catch (error) {
    if (error instanceof DiagnosticError) return { ok: false, diagnostics: error.diagnostics };
    const fix = 'Repair its disk, or the rights on it. Do not delete the file.';
    const what = `the cell of cluster ${files.cluster} cannot be read`;
    return { ok: false, diagnostics: [diagnostic('MCF001', what, errorText(error), fix)] };
  }
}

export class Clusters {
  readonly #log: Log;
  readonly #served = new Map<string, Cluster>();
  /** Clusters whose files have mistakes, and which. */
  readonly #problems = new Map<string, string>();
  /** By cluster, the servers that have proven the key that came since its files were read. */
  readonly #proven = new Map<string, Set<ServerId>>();

  constructor(log: Log) {
    this.#log = log;
  }

  get size(): number {
    return this.#served.size;
  }

  /** At the start: what the disk holds of each cluster. */
  begin(found: ReadonlyMap<string, Result<Found>>, conf: ArbiterConf, at: number): void {
    for (const [name, it] of found) {
      if (it.ok) this.#add(it.value, conf, at);
      else this.#leave(name, it.diagnostics);
    }
  }

  #add({ files, ...found }: Found, conf: ArbiterConf, at: number): void {
    this.#served.set(files.cluster, new Cluster(files, conf, found, at, this.#log));
  }

  /** The cluster of this key, if it has such a server. */
  of({ fingerprint: mark, id }: Pick<Caller, 'fingerprint' | 'id'>): Cluster | undefined {
    return this.#with(id).find(({ files }) => this.#hears(files).has(mark));
  }

  #with(id: ServerId): readonly Cluster[] {
    return [...this.#served.values()].filter(({ files }) => files.servers.some((line) => line.id === id));
  }

  #hears(files: ClusterFiles): ReadonlyMap<string, Secret> {
    const { keys, came } = files;
    return this.#isUsed(files) ? new Map([...keys].filter(([mark]) => mark === came)) : keys;
  }

  /** Whom an identity stands for: a server by the key that it has with this arbiter, or by that of its cluster. */
  known(identity: string): Known<Caller> | NotTaken | undefined {
    const paired = readPairIdentity(identity);
    if (paired) return this.#paired(paired);
    const who = readIdentity(identity);
    const cluster = who && this.of(who);
    const key = cluster?.files.keys.get(who?.fingerprint ?? '');
    if (!who || !cluster || !key) return undefined;
    if (cluster.demands(who.id))
      return { why: `${nameIn(cluster, who.id)}, and does not prove the key of ${who.id}` };
    return { who, key };
  }

  /** The key of a pair is of one cluster alone: what it is made of is. */
  #paired({
    id,
    mark,
  }: {
    readonly id: ServerId;
    readonly mark: string;
  }): Known<Caller> | NotTaken | undefined {
    const clusters = this.#with(id);
    const pairs = clusters.flatMap((it) => it.marked(id, [...this.#hears(it.files).values()]));
    const pair = pairs.find((it) => it.mark === mark);
    if (pair) return { who: { fingerprint: fingerprint(pair.clusterKey), id, pair }, key: pair.key };
    return clusters.length === 0
      ? undefined
      : { why: `it calls itself ${id}, by a key that is not known of ${id} here` };
  }

  /** What was proven may not count any more. */
  isHeard(caller: Caller): boolean {
    const cluster = this.of(caller);
    if (!cluster) return false;
    const { id, pair } = caller;
    if (!pair) return !cluster.demands(id);
    return cluster.marked(id, [...this.#hears(cluster.files).values()]).some((it) => it.key.equals(pair.key));
  }

  /** A handshake was done. */
  identify({ id, pair, ...caller }: Caller): void {
    if (pair) this.of({ id, ...caller })?.identify(id, pair);
  }

  /** Every server uses the key that came, and none goes back from it: the other one is heard no more, whatever file is left here. */
  #isUsed({ cluster, servers, came }: ClusterFiles): boolean {
    const proven = this.#proven.get(cluster);
    return came !== null && servers.every(({ id }) => proven?.has(id));
  }

  /** A server has proven its key. Returns whether it was the last one that had not proven the key that came. */
  prove(caller: Caller): boolean {
    const files = this.of(caller)?.files;
    if (!files || files.came !== caller.fingerprint || this.#isUsed(files)) return false;
    const proven = this.#proven.get(files.cluster) ?? new Set();
    this.#proven.set(files.cluster, proven.add(caller.id));
    return this.#isUsed(files);
  }

  tick(at: number): void {
    for (const cluster of this.#served.values()) cluster.tick(at);
  }

  status(at: number): Pick<ArbiterStatus, 'clusters' | 'left_out'> {
    const absent = [...this.#problems].filter(([name]) => !this.#served.has(name));
    return {
      clusters: [...this.#served].map(([name, it]) => it.status(at, this.#problems.get(name) ?? null)),
      left_out: absent.map(([cluster, why]) => ({ cluster, why })),
    };
  }

  /** Returns what has changed and what was not taken over, in words. */
  takeOver(
    { clusters }: ArbiterFiles,
    conf: ArbiterConf,
    at: number,
  ): { changes: string[]; failures: string[] } {
    this.#problems.clear();
    this.#proven.clear();
    const removed = [...this.#served.keys()].filter((name) => !clusters.has(name));
    for (const name of removed) this.#served.delete(name);
    const changes = removed.map((name) => `${name} removed`);
    for (const [name, files] of clusters) {
      const change = files.ok ? this.#take(files.value, conf, at) : this.#leave(name, diagnosticsOf(files));
      if (change !== null) changes.push(`${name} ${change}`);
    }
    return { changes, failures: [...this.#problems].map(([name, why]) => `cluster ${name}: ${why}`) };
  }

  #take(files: ClusterFiles, conf: ArbiterConf, at: number): string | null {
    const cluster = this.#served.get(files.cluster);
    // With other keys it may be another cluster, so that its disk is believed and not what is remembered here.
    if (cluster && sharesKey(cluster.files, files)) {
      const before = shapeOf(cluster.files);
      cluster.configure(files, conf);
      return before === shapeOf(files) ? null : 'changed';
    }
    const found = foundCell(files);
    if (!found.ok) return this.#leave(files.cluster, found.diagnostics);
    this.#add(found.value, conf, at);
    return cluster ? 'has another key' : 'added';
  }

  #leave(cluster: string, diagnostics: readonly Diagnostic[]): null {
    const why = shortly(new DiagnosticError(diagnostics, exitCode.inputWrong));
    this.#problems.set(cluster, why);
    this.#log('MCR00004', { cluster, why });
    return null;
  }
}

const sharesKey = (one: ClusterFiles, other: ClusterFiles): boolean =>
  [...one.keys.keys()].some((mark) => other.keys.has(mark));

const shapeOf = ({ self, servers, keys, identities: { own, known } }: ClusterFiles): string =>
  JSON.stringify({ self, servers, keys: [...keys.keys()], own: own?.public, known });

const nameIn = ({ files }: Cluster, id: ServerId): string =>
  `it calls itself ${id} of cluster ${files.cluster}`;
