/**
 * All servers are down, and several were primary: which one holds everything that was acknowledged, as far as their files say it. A server is right if no
 * other one holds a commit beyond it that may have been acknowledged; a later timeline alone is no proof of that. In: cluster and hosts. Out: the right one with
 * what has to be so of each former primary, or a refusal. Pure. docs/adr/0026-all-servers-down.md has the reasons.
 */
import type { Diagnostic } from '../base/diagnostic.ts';
import type { Cluster, Server } from '../inventory/cluster.ts';
import { type ControlData, walNumber } from '../postgres/controldata.ts';
import { forkOf, isSameLineage, type Lineage, tookOverDirectly } from '../postgres/lineage.ts';
import { byPerson } from '../resources/data/alone.ts';
import { isFinished, leads } from '../resources/data/data-directory.ts';
import type { Former, LastPrimary } from './former.ts';
import type { ControllerRecord } from './record.ts';
import { type HostView, maintainedOf } from './survey.ts';
import { evidence } from './who-leads.ts';

type Hosts = ReadonlyMap<string, HostView>;
type Found = { readonly last: LastPrimary } | { readonly refused: Diagnostic };

/** A leader with what the decision needs of it. */
interface Leader {
  readonly name: string;
  readonly lineage: Lineage;
  readonly view: HostView;
}

/** Several lead, and none runs. */
export function lastPrimary(cluster: Cluster, hosts: Hosts): Found {
  const blind = unreadOf(cluster, hosts);
  if (blind.length > 0) return { refused: notDecided(cluster, hosts, blind) };
  const leaders = leadersOf(cluster, hosts);
  const right = leaders.find((one) => leaders.every((other) => other === one || follows(one, other)));
  if (!right) return { refused: noneProven(cluster, hosts, leaders) };
  const others = leaders.filter((other) => other !== right);
  const against = [...againstRight(right, others, hosts), ...strayStandbys(cluster, hosts, right)];
  if (against.length > 0) return { refused: notDecided(cluster, hosts, against) };
  return { last: lastOf(cluster, hosts, right, leaders) };
}

/** One runs as primary: nothing is decided any more, and what the others hold is told. */
export function besidePrimary(cluster: Cluster, hosts: Hosts, primary: string): LastPrimary {
  const view = hosts.get(primary);
  const lineage = view?.origin?.lineage;
  const formers = cluster.servers.filter(
    ({ name }) =>
      name !== primary && leads(hosts.get(name)?.data) && hosts.get(name)?.data?.running === false,
  );
  return {
    primary,
    ...(lineage ? { lineage } : {}),
    formers: formers.map(({ name }) => {
      const own = hosts.get(name)?.origin?.lineage;
      const fork = lineage && own && forkOf(lineage, own);
      return { name, ...(fork ? { fork } : {}), promise: promiseWords(hosts.get(name)?.record) };
    }),
  };
}

function lastOf(cluster: Cluster, hosts: Hosts, right: Leader, leaders: readonly Leader[]): LastPrimary {
  const behind = (one: Leader) => leaders.filter((other) => other !== one && follows(other, one));
  const companions = cluster.servers
    .map(({ name }) => name)
    .filter((name) => isStandby(hosts.get(name)) && isOn(hosts.get(name), right.lineage));
  const formers = leaders
    .filter((one) => one !== right)
    .map((one): Former => {
      const fork = forkOf(right.lineage, one.lineage);
      const restless = restlessness(one, [...behind(one).map(({ name }) => name), ...companions], right);
      const successor = leaders.find((other) => tookOverDirectly(other.lineage, one.lineage));
      const unproven = doubt(one, successor);
      return {
        name: one.name,
        ...(fork ? { fork } : {}),
        ...(restless ? { restless } : {}),
        ...(successor ? { successor: successor.name } : {}),
        ...(unproven ? { unproven } : {}),
        promise: promiseWords(one.view.record),
      };
    });
  return { primary: right.name, lineage: right.lineage, formers };
}

/** Its data is known to be there, or beyond. */
export const reaches = ({ reached }: ControlData, position: string): boolean =>
  walNumber(reached.position) >= walNumber(position);

const follows = (later: Leader, earlier: Leader): boolean =>
  forkOf(later.lineage, earlier.lineage) !== undefined;

const isStandby = (view: HostView | undefined): boolean =>
  isFinished(view?.data) && view?.data?.standbySignal === true;

const isOn = (view: HostView | undefined, lineage: Lineage): boolean =>
  view?.origin?.lineage !== undefined && isSameLineage(view.origin.lineage, lineage);

const leadersOf = ({ servers }: Cluster, hosts: Hosts): readonly Leader[] =>
  servers.flatMap(({ name }) => {
    const view = hosts.get(name);
    const lineage = view?.origin?.lineage;
    return view && lineage && leads(view.data) ? [{ name, lineage, view }] : [];
  });

/**
 * Condition 1: it waits for one that comes behind it. Otherwise its controller starts its instance by itself as soon as nobody is heard,
 * whoever was started meanwhile.
 */
function restlessness({ name, view }: Leader, waited: readonly string[], right: Leader): string | undefined {
  const { record } = view;
  if (!record?.whole) return `the record of its controller is ${recordWords(view)}`;
  if (record.primary !== name)
    return record.primary !== null && waited.includes(record.primary)
      ? undefined
      : 'its record names nobody for whom it waits';
  if (!waited.some((one) => record.believers.includes(one)))
    return 'its own promise lets none of those take over that come after it';
  const term = right.view.record?.term ?? 0;
  return record.bound && term <= record.term
    ? `its own promise is bound to a register, of term ${record.term}, and that of ${right.name} is of term ${term}`
    : undefined;
}

/** Condition 2, as far as its own promise says it: nobody else could have let it acknowledge a commit. */
function doubt({ name, lineage, view }: Leader, successor: Leader | undefined): string | undefined {
  const { record } = view;
  if (!successor) return 'the server that took over from it directly is not among those that were primary';
  if (!record?.whole) return `the record of its controller is ${recordWords(view)}`;
  if (record.primary !== name || record.timeline !== lineage.timeline)
    return 'its record is not its own promise of its timeline';
  const { eligible, voters, needed } = record;
  if (!eligible.includes(successor.name) || !voters.includes(successor.name))
    return `its own promise does not count on ${successor.name}, which took over from it`;
  const others = voters.filter((one) => one !== successor.name).length;
  return needed > others ? undefined : `commits were acknowledged without ${successor.name}, too`;
}

const recordWords = ({ record, origin }: HostView): string =>
  record || origin?.torn ? 'torn' : 'missing, or not understood';

/** What forbids that the right one is started, although no other one comes behind it. */
function againstRight({ name, lineage, view }: Leader, others: readonly Leader[], hosts: Hosts) {
  const { record, data } = view;
  const say = (why: string) => [`${name}: ${why}`];
  if (maintainedOf(hosts).maintained?.has(name)) return say('a person has it in maintenance');
  if (!record?.whole) return say(`the record of its controller is ${recordWords(view)}`);
  if (record.primary !== name || record.timeline !== lineage.timeline)
    return say('its record is not its own promise of its timeline: a takeover was not finished');
  const feared = others.filter((other) => record.believers.includes(other.name));
  if (feared.length > 0)
    return say(`its own promise lets ${feared.map((one) => one.name).join(', ')} take over`);
  const state = data?.control?.state ?? '';
  return ['in archive recovery', 'shut down in recovery'].includes(state)
    ? say(`its control file says '${state}': it was never primary there`)
    : [];
}

/** A standby comes from the right one, or from one before it. */
const strayStandbys = (cluster: Cluster, hosts: Hosts, right: Leader): readonly string[] =>
  cluster.servers.flatMap(({ name }) => {
    const view = hosts.get(name);
    const own = view?.origin?.lineage;
    if (!isStandby(view) || !own || isSameLineage(own, right.lineage)) return [];
    if (forkOf(right.lineage, own) !== undefined) return [];
    return [`${name}: its timeline ${own.timeline} is no part of the history of ${right.name}`];
  });

/** Of every server it has to be known what it is, before one of them is named. */
function unreadOf({ servers }: Cluster, hosts: Hosts): readonly string[] {
  const systems = new Set(servers.map(({ name }) => hosts.get(name)?.data?.control?.systemIdentifier));
  return servers.flatMap(({ name }) => {
    const view = hosts.get(name);
    const why = view ? (unreadData(view) ?? underWay(view) ?? unreadRecord(view)) : 'it was not reached';
    if (why !== undefined) return [`${name}: ${why}`];
    return systems.size > 1
      ? [`${name}: its system identifier is ${view?.data?.control?.systemIdentifier ?? 'unknown'}`]
      : [];
  });
}

function unreadData({ data, origin }: HostView): string | undefined {
  if (!isFinished(data) || !data) return data?.making ? 'its data is unfinished' : 'it has no data';
  if (!data.control) return 'its control file cannot be read';
  if (data.recorded !== data.control.systemIdentifier)
    return `its management directory does not say that the data is that of this cluster`;
  if ((data.lost ?? []).length > 0) return 'a part of its data is not there';
  if (!origin?.lineage)
    return `the history file of its timeline ${data.control.reached.timeline} is missing or odd`;
  return undefined;
}

function underWay({ data, origin, record }: HostView): string | undefined {
  if (record?.takeover) return 'its record names a takeover that was not finished';
  if (!leads(data)) return undefined;
  if (origin?.restoring)
    return `${origin.restoring} stands in its data: a person has begun to put back a backup`;
  return record?.handover === undefined ? undefined : `it has given its role to ${record.handover}`;
}

/** Of a former primary a record that is lost is a matter of the conditions. */
const unreadRecord = (view: HostView): string | undefined =>
  view.record?.whole || leads(view.data) ? undefined : `the record of its controller is ${recordWords(view)}`;

function promiseWords(record: ControllerRecord | undefined): string {
  if (!record) return 'no record';
  const { primary, timeline, eligible, voters, needed } = record;
  if (primary === null) return 'no promise';
  const named = (names: readonly string[]): string => names.join(', ') || 'nobody';
  return `promise of ${primary} on timeline ${timeline}: ${needed} of ${named(voters)} confirm, ${named(eligible)} may take over`;
}

/** As a person starts the controllers, each on its host. */
export const startCommands = ({ servers }: Cluster, hosts: Hosts): string =>
  servers.map((server) => `${startCommand(server, hosts)} on ${server.name}`).join('; ');

const startCommand = ({ name, unit, multiplexing }: Server, hosts: Hosts): string =>
  hosts.get(name)?.facts?.serviceManager === 'none'
    ? `mc_ctl start -M ${multiplexing.managementDir}`
    : `systemctl start ${unit}`;

const notDecided = (cluster: Cluster, hosts: Hosts, why: readonly string[]): Diagnostic => ({
  code: 'SAF090',
  what: 'it cannot be told which server was primary last',
  why: why.join('; '),
  fix: `Repair what is named, and run the same command again. Where a takeover, a role that was given away, or nothing but a lost record is named, the controllers settle it, once they run on all servers: ${startCommands(cluster, hosts)}.`,
  evidence: seen(cluster, hosts),
});

const noneProven = (cluster: Cluster, hosts: Hosts, leaders: readonly Leader[]): Diagnostic => ({
  code: 'SAF091',
  what: `${leaders.map(({ name }) => name).join(' and ')} were primary, and neither is proven to hold what the other one acknowledged`,
  why: 'the history of none of them goes through those of all others, each at the place where it was left',
  fix: byPerson(startCommands(cluster, hosts)),
  evidence: seen(cluster, hosts),
});

const seen = (cluster: Cluster, hosts: Hosts): readonly string[] => {
  const known = cluster.servers.filter(({ name }) => hosts.has(name));
  const lines = evidence(known, (name) => hosts.get(name)?.data);
  return known.map(({ name }, index) => `${lines[index]}; ${promiseWords(hosts.get(name)?.record)}`);
};
