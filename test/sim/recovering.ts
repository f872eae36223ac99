/**
 * The power of all servers is cut at a random event of a scenario, and their disks are given to the decision of `pgduet recover`. Its oracle knows each commit
 * that was acknowledged: the server that is named holds all of them, or the command refuses. What it would start is started then, and whoever leads is one of those that were
 * named. In: a seed. Out: what was decided, and what was wrong. Chance has dice of its own, so that no other scenario changes.
 */
import { recoverSurvey, recovers, settleRecover } from '../../src/intent/recover.ts';
import type { Cluster } from '../../src/inventory/cluster.ts';
import type { Former, LastPrimary } from '../../src/observe/former.ts';
import type { View } from '../../src/observe/survey.ts';
import { alone } from '../../src/resources/data/alone.ts';
import { clusterOf, pairInventory, threeInventory } from '../observe/cluster.ts';
import { onDisk } from './disks.ts';
import type { Host } from './host.ts';
import { byCopy, byStop, bySuccessor } from './passed-by.ts';
import { planOf } from './plan.ts';
import { kindOf, type Plan, type PlannedFault } from './planned.ts';
import { Random } from './random.ts';
import { isWhole, longerMs, namingMs, runUntil, strikeLater, warmUpMs } from './scenario.ts';
import { World } from './world.ts';

export interface Recovered {
  readonly seed: number;
  readonly plan: Plan;
  /** A code where it was refused. */
  readonly decided: 'one led' | 'several led' | 'on its way' | 'SAF090' | 'SAF091' | 'SAF003' | 'SAF004';
  /** Why it was refused; and else what came of the start. */
  readonly why: string;
  /** A former primary held more than the one that was named. */
  readonly beyond: boolean;
  readonly violations: readonly string[];
  readonly lines: readonly string[];
}

const four = `${threeInventory}  server4: { address: 192.0.2.130, role: standby }\n`;
const clusters: Readonly<Record<number, Cluster>> = {
  2: await clusterOf(pairInventory),
  3: await clusterOf(threeInventory),
  4: await clusterOf(four),
};

/** Half of the worlds are about the moments that matter here: a switch, a failover, and one behind the other. */
const moments = [
  'switch',
  'switch',
  'host crashes',
  'instance killed',
  'host crashes, switch',
  'switch, host crashes',
  'power fails during an action',
  'admin network cut, instance killed',
];
const plain = {
  policy: 'fallback',
  references: 'none',
  fencing: null,
  register: 'none',
} as const;

function planFor(seed: number, dice: Random): Plan | null {
  const plan = planOf(seed);
  // Whoever counts on a stranger's word, or on an older disk, is told of no loss.
  const blind = plan.faults.some(({ kind }) => kindOf(kind).stranger || kind.includes('older'));
  if (plan.unlike?.some(({ released }) => released) || blind) return null;
  if (dice.chance(0.1)) {
    const settings = { ...plan.settings, ...plain, servers: dice.pick([2, 3, 3]) };
    return { settings, faults: [], aftermath: 'nothing' };
  }
  if (dice.chance(0.5)) return plan;
  const faults = dice
    .pick(moments)
    .split(', ')
    .map(
      (kind, index): PlannedFault => ({
        kind,
        host: 0,
        other: 1,
        afterMs: dice.between(10, 800) + 4500 * index,
        lastsMs: dice.between(300, 6000),
      }),
    );
  return { ...plan, faults };
}

/** At a moment, or so many actions behind the first sign of a role that changes, or right behind a promotion. */
function cutLater(world: World, dice: Random, cut: () => void): void {
  const way = dice.pick(['at a moment', 'an action', 'an action', 'a promotion'] as const);
  world.clock.after(dice.between(way === 'at a moment' ? 50 : 7000, 9000), cut);
  if (way === 'an action') {
    let left = dice.between(0, 25);
    world.beforeDeed = () => {
      if (world.hosts.some(({ state }) => state?.giving || state?.takeover)) left -= 1;
      if (left < 0) cut();
    };
  }
  if (way !== 'a promotion') return;
  const promoted = world.checkers.promoted.bind(world.checkers);
  world.checkers.promoted = (host) => {
    promoted(host);
    cut();
  };
}

const settleMs = 20_000;

/** What it would be called, and whom it would start. */
interface Decision {
  readonly decided: Recovered['decided'];
  readonly why: string;
  readonly beyond: boolean;
  readonly primary?: string;
  readonly heirs: readonly string[];
  readonly starts: readonly string[];
}

function decide(world: World, cluster: Cluster): Decision {
  const hosts = new Map(world.hosts.map((host) => [host.id, onDisk(host)]));
  const found = recoverSurvey({ kind: 'recover' }, cluster, hosts);
  const nobody = { beyond: false, heirs: [], starts: [] };
  if ('refused' in found) {
    const { code, why } = found.refused;
    return { ...nobody, decided: code as Recovered['decided'], why };
  }
  const { view } = found;
  const { primary, last } = view;
  const formers = last?.formers ?? [];
  const held = formers.map((former) => ({ former, verdict: verdictOf(world, primary, last, former) }));
  const refused = held.find(({ verdict }) => verdict.kind === 'refuse');
  const beyond = formers.some((former) => beyondOf(world, primary, former) > 0);
  if (refused?.verdict.kind === 'refuse')
    return { ...nobody, beyond, decided: 'SAF091', why: refused.verdict.diagnostic.why };
  const heirs = last?.heirs ?? [];
  const decided = heirs.length > 0 ? 'on its way' : formers.length > 0 ? 'several led' : 'one led';
  return { decided, why: '', beyond, primary, heirs, starts: startsOf(cluster, view) };
}

function startsOf(cluster: Cluster, view: View): readonly string[] {
  const intent = settleRecover({ kind: 'recover' }, cluster, view);
  if (intent.kind !== 'recover') return [];
  return cluster.servers
    .map(({ name }) => name)
    .filter((name) => recovers(intent, view, name) && !view.maintained?.has(name));
}

/** So many records of its WAL stand behind the place where the one that was named has left its timeline. */
function beyondOf(world: World, primary: string, { name }: Former): number {
  const { wal, timeline } = world.host(name).instance;
  const fork = world.host(primary).instance.history.find((left) => left.timeline === timeline);
  return wal.length - (fork?.position ?? 0);
}

function verdictOf(world: World, primary: string, last: LastPrimary | undefined, former: Former) {
  const count = beyondOf(world, primary, former);
  const desired = {
    ...former,
    id: former.name,
    primary,
    timeline: last?.lineage?.timeline ?? 0,
    decides: true,
    joins: former.joins === true,
    commands: '',
  };
  const seen = {
    beyond: count > 0 ? ({ kind: 'commits', count } as const) : ({ kind: 'none' } as const),
    names: world.host(former.name).instance.fileNames.join(', '),
    commit: 'on',
    options: false,
  };
  // Where the data is, and who its administrator is, decides nothing.
  return alone.diff(desired as unknown as Parameters<typeof alone.diff>[0], {
    state: 'present',
    value: seen,
  });
}

export function recovering(seed: number, trace = false): Recovered | null {
  const dice = new Random(47 * seed + 13);
  const plan = planFor(seed, dice);
  if (!plan) return null;
  const { duties, unlike } = plan;
  const world = new World({ ...plan.settings, duties, unlike, trace });
  world.begin();
  const withinMs = warmUpMs + (plan.settings.register === 'none' ? 0 : namingMs);
  runUntil(world, withinMs + longerMs(world), isWhole);
  const power = { isOn: true };
  const cut = (): void => {
    if (!power.isOn) return;
    power.isOn = false;
    for (const host of world.hosts) if (host.up) world.crashHost(host);
    world.clock.forget();
  };
  if (plan.faults.length === 0) {
    const way = plan.settings.servers === 2 ? byStop : dice.pick([bySuccessor, byCopy]);
    world.clock.after(way(world, dice), cut);
  } else {
    cutLater(world, dice, cut);
    strikeLater(world, plan);
    // Where nothing is written nobody holds more than another one.
    world.replication.quiet = dice.chance(0.2);
  }
  for (; power.isOn; ) world.clock.runUntil(world.clock.now + 10);
  return judged(world, plan, seed);
}

function judged(world: World, plan: Plan, seed: number): Recovered {
  const cluster = clusters[plan.settings.servers];
  if (!cluster) throw new Error(`no cluster of ${plan.settings.servers} servers`);
  const decision = decide(world, cluster);
  const { decided, beyond, primary, heirs } = decision;
  world.tell(`recover: ${decided} ${primary ?? ''} ${heirs.join(' or ')} ${decision.why}`);
  const wrong: string[] = [];
  // Whoever may get the role is looked at once it leads.
  if (primary !== undefined && heirs.length === 0) wrong.push(...missing(world, world.host(primary)));
  const why = primary === undefined ? decision.why : started(world, decision, wrong);
  return { seed, plan, decided, why, beyond, violations: wrong, lines: world.lines };
}

function missing(world: World, { id, instance }: Host): readonly string[] {
  const held = new Set(instance.wal);
  const lost = world.checkers.acks.filter(({ commit }) => !held.has(commit));
  return lost.length > 0 ? [`${id} is named, and lacks ${lost.length} acknowledged commits`] : [];
}

/** The controllers that the command starts; all that was wrong with the world before is repaired, and the others stay as they are. */
function started(world: World, { starts, primary = '', heirs }: Decision, wrong: string[]): string {
  const { hosts, checkers, network } = world;
  const acks = checkers.acks.length;
  world.beforeDeed = () => undefined;
  network.heal();
  world.arbiter?.thaw();
  world.arbiter?.start();
  for (const host of hosts) {
    Object.assign(host, { crashAfter: null, doom: null, lagMs: 0, stopsMs: 0, full: false });
    Object.assign(host.instance, { hung: 'no', brokenStarts: 0, guests: [] });
    if (starts.includes(host.id)) world.bootHost(host);
    else host.up = true;
  }
  world.replication.quiet = false;
  world.replication.write();
  const leading = () => hosts.filter(({ instance }) => instance.running && instance.role === 'primary');
  runUntil(world, settleMs, () => {
    const [one, other] = leading();
    if (other) wrong.push(`${one?.id} and ${other.id} run as primary`);
    return other !== undefined || checkers.acks.length > acks + 3;
  });
  const [leads] = leading();
  if (!leads) return 'nobody leads';
  const named = heirs.length > 0 ? heirs : [primary];
  if (!named.includes(leads.id)) wrong.push(`${leads.id} leads, and ${named.join(' or ')} was named`);
  wrong.push(...missing(world, leads));
  formersReturn(world, starts, wrong);
  return checkers.acks.length > acks
    ? `${leads.id === primary ? 'the first' : 'another one'} leads`
    : 'nobody writes';
}

/** A former primary boots later, cut off from everybody: it waits. */
function formersReturn(world: World, starts: readonly string[], wrong: string[]): void {
  const formers = world.hosts.filter(
    ({ id, instance }) => !starts.includes(id) && instance.role === 'primary',
  );
  if (formers.length === 0) return;
  const names = [...world.hosts.map(({ id }) => id), 'arbiter'];
  const pairs = formers.flatMap(({ id }) =>
    names.filter((name) => name !== id).flatMap((name) => [`${id}>${name}`, `${name}>${id}`]),
  );
  world.network.cut(['admin', 'log'], pairs);
  for (const host of formers) world.bootHost(host);
  runUntil(world, settleMs / 2, () => formers.some(({ instance }) => instance.running));
  const early = formers.filter(({ instance }) => instance.running);
  if (early.length > 0) wrong.push(`${early[0]?.id} was primary before, and starts by itself`);
}
