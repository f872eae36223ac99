/** What an audit is given in a test: a pair as an inventory names it, and what hosts show, as the engine would hand it over. */
import type { Audit, AuditContext } from '../../../src/check/audit.ts';
import type { Reported } from '../../../src/check/finding.ts';
import type { Cluster } from '../../../src/inventory/cluster.ts';
import type { HostView } from '../../../src/observe/survey.ts';
import type { ProbeReply } from '../../../src/resources/contract/kind.ts';
import { clusterOf, pairInventory, threeInventory } from '../../observe/cluster.ts';

export const pair = await clusterOf(pairInventory);
export const three = await clusterOf(threeInventory);

export interface Wish {
  readonly cluster?: Cluster;
  /** Null: nobody can say who it is. */
  readonly primary?: string | null;
  readonly declared?: Readonly<Record<string, string>>;
  /** Undefined: the host did not answer. */
  readonly views?: Readonly<Record<string, HostView | undefined>>;
}

const viewsOf = (views: Readonly<Record<string, HostView | undefined>>): ReadonlyMap<string, HostView> =>
  new Map(Object.entries(views).flatMap(([name, view]) => (view ? [[name, view] as const] : [])));

/** Every host has let the login look into its data directory. */
const looked = ({ hosts }: Cluster): Readonly<Record<string, HostView>> =>
  Object.fromEntries(
    hosts.map(({ name }) => [
      name,
      { data: { content: 'cluster', files: [], recorded: '77', standbySignal: false, running: true } },
    ]),
  );

export function contextOf({
  cluster = pair,
  primary = 'server1',
  declared = {},
  views = {},
}: Wish = {}): AuditContext {
  return {
    cluster,
    version: '0.1.0',
    primary: primary ?? undefined,
    view: { hosts: viewsOf({ ...looked(cluster), ...views }), primary: primary ?? '' },
    declaredSettings: () => new Map(Object.entries(declared)),
  };
}

export const reply = (sql: unknown, shell: Partial<ProbeReply> = {}): ProbeReply => ({
  status: 0,
  stdout: '',
  stderr: '',
  sql,
  ...shell,
});

/** Reads every reply as the engine does, and judges what could be looked at. */
export function tell<F>(
  audit: Audit<F>,
  replies: Readonly<Record<string, ProbeReply>>,
  wish: Wish = {},
): readonly Reported[] {
  const context = contextOf(wish);
  const seen = context.cluster.servers.flatMap((server) => {
    const answer = replies[server.name];
    const observed = answer && audit.read(answer, server);
    return observed?.state === 'present' ? [[server.name, observed.value] as const] : [];
  });
  return audit.judge(context, new Map(seen));
}

/** "SET012 server1 fsync", to compare at a glance. */
export const brief = (told: readonly Reported[]): readonly string[] =>
  told.map(({ code, host, object }) => `${code} ${host} ${object}`);
