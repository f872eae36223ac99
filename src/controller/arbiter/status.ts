/** What `mc_arb status` shows. In: the clusters of an arbiter. Out: plain data and text. */
import { tableLines } from '../core/table.ts';
import type { IdentityState } from '../io/pairs.ts';

export interface ServerStatus {
  readonly server_id: string;
  readonly host: string;
  readonly status: 'online' | 'offline';
  readonly last_heard: string | null;
  /** By what it is heard: its own key (`proven`; `former`: one that goes), or the key of the cluster alone (`open`, `none`). */
  readonly identity: IdentityState;
}

export interface ClusterStatus {
  readonly cluster: string;
  /** As what the servers call this arbiter. */
  readonly arbiter_id: string;
  /** The last term that was given away; 0 when none was. */
  readonly term: number;
  /** To whom; null when it was given back, or none was. */
  readonly holder: string | null;
  readonly cell_id: string;
  /** Why the cell cannot be written, so that nobody is answered; else null. */
  readonly unwritten: string | null;
  /** Mistakes of files that were not taken over; else null. */
  readonly problem: string | null;
  /** Marks of the keys that are heard; two while the secrets are renewed. */
  readonly keys: readonly string[];
  readonly servers: readonly ServerStatus[];
}

/** The whole answer of `mc_arb status --json`. The names never change their meaning. */
export interface ArbiterStatus {
  readonly schema: 1;
  readonly arbiter_pid: number;
  readonly versions: { readonly arbiter: string; readonly node: string };
  readonly address: string;
  readonly port: number;
  readonly clusters: readonly ClusterStatus[];
  /** Clusters that are not answered, because their files have mistakes. */
  readonly left_out: readonly { readonly cluster: string; readonly why: string }[];
}

const head = ['cluster', 'server_id', 'host', 'status', 'term', 'holder'];

export function renderArbiterStatus({ clusters, left_out: leftOut }: ArbiterStatus): string {
  const rows = clusters.flatMap(({ cluster, term, holder, servers }) =>
    servers.map((it) => [cluster, it.server_id, it.host, it.status, String(term), holder ?? '-']),
  );
  const why = clusters.flatMap(({ cluster, unwritten, problem }) => [
    ...(unwritten === null
      ? []
      : [`why: the cell of ${cluster} cannot be written (${unwritten}), and nobody of it is answered`]),
    ...(problem === null ? [] : [`why: the files of ${cluster} were not taken over: ${problem}`]),
  ]);
  const absent = leftOut.map((it) => `why: cluster ${it.cluster} is not answered: ${it.why}`);
  return `${[...tableLines(head, rows), ...why, ...absent].join('\n')}\n`;
}
