/**
 * All servers are down, and several were primary: which one holds everything that was acknowledged, as far as their files say it. A server is right if no
 * other one holds a commit beyond it that may have been acknowledged; a later timeline alone is no proof of that. In: cluster and hosts. Out: the right one with
 * what has to be so of each former primary, or a refusal. Pure. docs/adr/0026-all-servers-down.md has the reasons.
 */
import type { Diagnostic } from '../base/diagnostic.ts';
import type { Cluster } from '../inventory/cluster.ts';
import { type ControlData, walNumber } from '../postgres/controldata.ts';
import { forkOf, isSameLineage, type Lineage, tookOverDirectly } from '../postgres/lineage.ts';
import { byPerson } from '../resources/data/alone.ts';
import { isFinished, leads } from '../resources/data/data-directory.ts';
import type { Former, LastPrimary } from './former.ts';
import { heirsOf, type Known, ownPromise } from './on-its-way.ts';
import type { ControllerRecord } from './record.ts';
import { serviceCommand } from './service.ts';
import { type HostView, maintainedOf } from './survey.ts';
import { evidence } from './who-leads.ts';

type Hosts = ReadonlyMap<string, HostView>;
type Found = { readonly last: LastPrimary } | { readonly refused: Diagnostic };

/** Several lead, and none runs. */
export function lastPrimary(cluster: Cluster, hosts: Hosts): Found {
  const blind = unreadOf(cluster, hosts);
  if (blind.length > 0) return { refused: notDecided(cluster, hosts, blind) };
  const leaders = leadersOf(cluster, hosts);
  const right = leaders.find((one) => leaders.every((other) => other === one || follows(one, other)));
  if (!right) {
    const open = leaders.flatMap(({ name, view }) => unended(name, view));
    return {
      refused: open.length > 0 ? notDecided(cluster, hosts, open) : noneProven(cluster, hosts, leaders),
    };
  }
  const others = leaders.filter((other) => other !== right);
  const way = heirsOf(right, standbysOf(cluster, hosts));
  const against = [
    ...againstRight(right, others, hosts),
    ...others.flatMap((other) => givenAside(other, leaders)),
    ...strayStandbys(cluster, hosts, right),
    ...('why' in way ? [way.why] : []),
  ];
  const waited = behindOf(cluster, hosts, right, leaders);
  const beside = right.view.record?.whole
    ? []
    : others.flatMap((one) => startsBeside(one, waited(one), right));
  if (beside.length > 0)
    return { refused: noneProven(cluster, hosts, leaders, [...against, ...beside].join('; ')) };
  if (against.length > 0 || 'why' in way) return { refused: notDecided(cluster, hosts, against) };
  return { last: lastOf(cluster, hosts, right, leaders, way.heirs) };
}

/** One leads, and none runs: nothing is compared, but its role may be on its way. */
export function solePrimary(cluster: Cluster, hosts: Hosts, primary: string): Found {
  const [leader] = leadersOf(cluster, hosts).filter(({ name }) => name === primary);
  const last = besidePrimary(cluster, hosts, primary);
  const isOnItsWay = cluster.servers.some(({ name }) => {
    const { record, data } = hosts.get(name) ?? {};
    return name === primary ? record?.handover : data?.standbySignal && record?.takeover;
  });
  if (!isOnItsWay) return { last };
  const way = leader ? heirsOf(leader, standbysOf(cluster, hosts)) : undefined;
  const blind = unreadOf(cluster, hosts);
  if (way && 'heirs' in way && blind.length === 0) return { last: { ...last, heirs: way.heirs } };
  return { refused: notDecided(cluster, hosts, [...blind, ...(way && 'why' in way ? [way.why] : [])]) };
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
    heirs: [],
    formers: formers.map(({ name }) => {
      const former = hosts.get(name);
      const own = former?.origin?.lineage;
      const fork = lineage && own && forkOf(lineage, own);
      const hasGiven =
        view && lineage && former && own
          ? gaveAll({ name, lineage: own, view: former }, { name: primary, lineage, view })
          : false;
      return {
        name,
        ...(fork ? { fork } : {}),
        ...(hasGiven ? { joins: true as const } : {}),
        promise: promiseWords(former?.record),
      };
    }),
  };
}

/** Of a former primary: who comes behind it, leaders and the standbys of the right one. */
function behindOf(cluster: Cluster, hosts: Hosts, right: Known, leaders: readonly Known[]) {
  const companions = cluster.servers
    .map(({ name }) => name)
    .filter((name) => isStandby(hosts.get(name)) && isOn(hosts.get(name), right.lineage));
  return (one: Known): readonly string[] => [
    ...leaders.filter((other) => other !== one && follows(other, one)).map(({ name }) => name),
    ...companions,
  ];
}

/**
 * It gave its role to the one that is primary, which left its timeline for the next one behind the checkpoint of its shutdown: that is the end of its WAL, so
 * that all of it is part of what the primary has.
 */
function gaveAll(giver: Known, to: Known): boolean {
  const { record, data } = giver.view;
  const { control } = data ?? {};
  const fork = forkOf(to.lineage, giver.lineage);
  const promise = ownPromise(giver);
  if (!control || fork === undefined || unreadData(giver.view) !== undefined) return false;
  return (
    promise !== undefined &&
    promise.takeover === undefined &&
    isGivenTo(record, to.name) &&
    tookOverDirectly(to.lineage, giver.lineage) &&
    control.systemIdentifier === to.view.data?.control?.systemIdentifier &&
    control.state === 'shut down' &&
    walNumber(control.reached.position) < walNumber(fork)
  );
}

/** In a switch, which is behind a clean shutdown. */
const isGivenTo = (record: ControllerRecord | undefined, name: string): boolean =>
  record?.handover?.to === name && record.handover.kind === 'switch';

function lastOf(
  cluster: Cluster,
  hosts: Hosts,
  right: Known,
  leaders: readonly Known[],
  heirs: readonly string[],
): LastPrimary {
  const waited = behindOf(cluster, hosts, right, leaders);
  const formers = leaders
    .filter((one) => one !== right)
    .map((one): Former => {
      const fork = forkOf(right.lineage, one.lineage);
      const restless = restlessness(one, waited(one), right);
      const successor = leaders.find((other) => tookOverDirectly(other.lineage, one.lineage));
      const unproven = doubt(one, successor);
      return {
        name: one.name,
        ...(fork ? { fork } : {}),
        ...(restless ? { restless } : {}),
        ...(successor ? { successor: successor.name } : {}),
        ...(unproven ? { unproven } : {}),
        ...(isGivenTo(one.view.record, right.name) ? { joins: true as const } : {}),
        promise: promiseWords(one.view.record),
      };
    });
  return { primary: right.name, lineage: right.lineage, formers, heirs };
}

/** Its data is known to be there, or beyond. */
export const reaches = ({ reached }: ControlData, position: string): boolean =>
  walNumber(reached.position) >= walNumber(position);

/** Its history goes on from that of the former one, and it has left that behind all that it held itself. */
export function goesOn({ data, origin }: HostView, former: Lineage, held: string): boolean {
  const fork = origin?.lineage && forkOf(origin.lineage, former);
  const { control } = data ?? {};
  return fork !== undefined && walNumber(fork) >= walNumber(held) && !!control && reaches(control, held);
}

const follows = (later: Known, earlier: Known): boolean =>
  forkOf(later.lineage, earlier.lineage) !== undefined;

const isStandby = (view: HostView | undefined): boolean =>
  isFinished(view?.data) && view?.data?.standbySignal === true;

const isOn = (view: HostView | undefined, lineage: Lineage): boolean =>
  view?.origin?.lineage !== undefined && isSameLineage(view.origin.lineage, lineage);

const knownOf =
  (is: (view: HostView) => boolean) =>
  ({ servers }: Cluster, hosts: Hosts): readonly Known[] =>
    servers.flatMap(({ name }) => {
      const view = hosts.get(name);
      const lineage = view?.origin?.lineage;
      return view && lineage && is(view) ? [{ name, lineage, view }] : [];
    });
const leadersOf = knownOf(({ data }) => leads(data));
const standbysOf = knownOf((view) => isStandby(view));

/**
 * Condition 1: it waits for one that comes behind it. Otherwise its controller starts its instance by itself as soon as nobody is heard,
 * whoever was started meanwhile. One that has given its role away waits for the word of its receiver, whatever it has promised.
 */
function restlessness({ name, view }: Known, waited: readonly string[], right: Known): string | undefined {
  const { record } = view;
  if (!record?.whole) return `the record of its controller is ${recordWords(view)}`;
  if (record.handover) return undefined;
  if (record.primary !== name)
    return record.primary !== null && waited.includes(record.primary)
      ? undefined
      : 'its record names nobody for whom it waits';
  if (!waited.some((one) => record.believers.includes(one)))
    return 'its own promise lets none of those take over that come after it';
  const term = ownPromise(right)?.term ?? 0;
  return record.bound && term <= record.term
    ? `its own promise is bound to a register, of term ${record.term}, and that of ${right.name} is of term ${term}`
    : undefined;
}

/** One whose record is lost holds nobody back: of the others each has to wait by its own record, or the controllers do not settle it. */
function startsBeside(one: Known, waited: readonly string[], right: Known): readonly string[] {
  const why = one.view.record?.whole ? restlessness(one, waited, right) : undefined;
  return why === undefined ? [] : [`${one.name}: ${why}, so that it may start before ${right.name}`];
}

/** Condition 2, as far as its own promise says it: nobody else could have let it acknowledge a commit. */
function doubt({ name, lineage, view }: Known, successor: Known | undefined): string | undefined {
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
function againstRight(right: Known, others: readonly Known[], hosts: Hosts) {
  const { name, lineage, view } = right;
  const { record, data } = view;
  const promise = ownPromise(right);
  const say = (why: string) => [`${name}: ${why}`];
  if (maintainedOf(hosts).maintained?.has(name)) return say('a person has it in maintenance');
  if (!record?.whole) return say(`the record of its controller is ${recordWords(view)}`);
  if (!promise) return say('its record is not its own promise of its timeline: a takeover was not finished');
  const from = others.find((other) => other.name === record.takeover?.from);
  if (record.takeover && !(from && tookOverDirectly(lineage, from.lineage)))
    return say(`its record names a takeover from ${record.takeover.from}, and its data comes from elsewhere`);
  const feared = others.filter((other) => promise.believers.includes(other.name));
  if (feared.length > 0)
    return say(`its own promise lets ${feared.map((one) => one.name).join(', ')} take over`);
  const state = data?.control?.state ?? '';
  return ['in archive recovery', 'shut down in recovery'].includes(state)
    ? [...say(`its control file says '${state}': it was never primary there`), ...unended(name, view)]
    : [];
}

/** What a former primary has still to end, but for a role that went to a leader behind it: that one does not say no. */
function givenAside(one: Known, leaders: readonly Known[]): readonly string[] {
  const to = one.view.record?.handover?.to;
  const went = leaders.some((other) => other.name === to && follows(other, one));
  return went && !one.view.record?.takeover ? [] : unended(one.name, one.view);
}

const unended = (name: string, { record }: HostView): readonly string[] => [
  ...(record?.takeover ? [`${name}: its record names a takeover that was not finished`] : []),
  ...(record?.handover ? [`${name}: it has given its role to ${record.handover.to}`] : []),
];

/** A standby comes from the right one, or from one before it. */
const strayStandbys = (cluster: Cluster, hosts: Hosts, right: Known): readonly string[] =>
  cluster.servers.flatMap(({ name }) => {
    const view = hosts.get(name);
    const own = view?.origin?.lineage;
    if (!isStandby(view) || !own || isSameLineage(own, right.lineage)) return [];
    if (forkOf(right.lineage, own) !== undefined) return [];
    return [`${name}: its timeline ${own.timeline} is no part of the history of ${right.name}`];
  });

/** Of every server it has to be known what it is, before one of them is named. */
function unreadOf({ servers }: Cluster, hosts: Hosts): readonly string[] {
  const systems = new Set(
    servers.flatMap(({ name }) => hosts.get(name)?.data?.control?.systemIdentifier ?? []),
  );
  return servers.flatMap(({ name }) => {
    const view = hosts.get(name);
    const why = view ? (unreadData(view) ?? unreadRecord(view)) : 'it was not reached';
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
  return leads(data) && origin.restoring
    ? `${origin.restoring} stands in its data: a person has begun to put back a backup`
    : undefined;
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
  servers
    .map((server) => serviceCommand(server, hosts, 'start'))
    .map(({ run, on, as }) => `${run} on ${on}${as === undefined ? '' : ` as ${as}`}`)
    .join('; ');

const notDecided = (cluster: Cluster, hosts: Hosts, why: readonly string[]): Diagnostic => ({
  code: 'SAF090',
  what: 'it cannot be told which server was primary last',
  why: why.join('; '),
  fix: `Repair what is named, and run the same command again. Where a takeover, a role that was given away, or nothing but a lost record is named, the controllers settle it, once they run on all servers: ${startCommands(cluster, hosts)}.`,
  evidence: seen(cluster, hosts),
});

const noneProven = (
  cluster: Cluster,
  hosts: Hosts,
  leaders: readonly Known[],
  why = 'the history of none of them goes through those of all others, each at the place where it was left',
): Diagnostic => ({
  code: 'SAF091',
  what: `${leaders.map(({ name }) => name).join(' and ')} were primary, and neither is proven to hold what the other one acknowledged`,
  why,
  fix: byPerson(startCommands(cluster, hosts)),
  evidence: seen(cluster, hosts),
});

const seen = (cluster: Cluster, hosts: Hosts): readonly string[] => {
  const known = cluster.servers.filter(({ name }) => hosts.has(name));
  const lines = evidence(known, (name) => hosts.get(name)?.data);
  return known.map(({ name }, index) => `${lines[index]}; ${promiseWords(hosts.get(name)?.record)}`);
};
