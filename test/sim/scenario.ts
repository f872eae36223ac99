/**
 * One scenario: a pair or a trio gets in sync, one or two things go wrong, everything is healed, and the checkers judge.
 * In: a plan, or the seed of one. Out: a report with the violations; the same plan gives the same report.
 */
import { isBound } from '../../src/controller/core/term.ts';
import { isFree } from './duties.ts';
import type { Fault } from './fault.ts';
import { repairDisk } from './faults.ts';
import type { Host } from './host.ts';
import { judge, writableWithinMs } from './judge.ts';
import { endMaintenance } from './maintenance.ts';
import { ask, rebuild } from './persons.ts';
import { describeFault, describePlan, planOf } from './plan.ts';
import { kindOf, type Plan, type PlannedFault } from './planned.ts';
import { Random } from './random.ts';
import { sendAway } from './strangers.ts';
import { giveUpMs } from './times.ts';
import { World } from './world.ts';

export interface Report {
  readonly plan: Plan;
  readonly promotions: number;
  readonly acknowledged: number;
  readonly violations: readonly string[];
  readonly lines: readonly string[];
}

/** Which controllers run: set before the hosts boot, and perhaps changed once the cluster is whole. */
export interface Versions {
  begin(world: World): void;
  goOn(world: World): void;
}

const oneVersion: Versions = { begin: () => undefined, goOn: () => undefined };

const stepMs = 250;
export const warmUpMs = 9000;
/** The register is named behind the first proof of a standby, and each is proven once more. */
export const namingMs = 4000;
/** Schedules have struck for the last time after this. */
const scheduleMs = 6000;
const settleMs = 9000;
const quietMs = 1000;
/** Standbys are proven one behind the other: a look of the standby each, and one of the primary. */
const provingMs = 2000;

/** Where a server waits longer than usual for the others. */
export const longerMs = (world: World): number => 2 * (world.giveUpMs - giveUpMs);

export const runScenario = (seed: number, trace = false): Report => runPlan(planOf(seed), trace);

/** Where the last release alone fails in the same way, nothing is learned of two versions. */
export function runPlan(plan: Plan, trace = false, versions: Versions = oneVersion): Report {
  const report = carryOut(plan, trace, versions);
  const released = plan.unlike?.find((it) => it.released)?.released;
  if (!released || report.violations.length === 0) return report;
  const settings = { ...plan.settings, policy: released, register: 'none' } as const;
  const unlike = Array.from({ length: settings.servers }, () => ({ released }));
  const { faults, aftermath } = plan;
  const alone = carryOut({ settings, unlike, faults, aftermath }, false, versions).violations;
  const violations = report.violations.filter((it) => !alone.some((its) => its[0] === it[0]));
  return { ...report, violations };
}

/** The seed of the settings is all that chance needs, so that a plan tells the same story when seeds mean other plans. */
function carryOut(plan: Plan, trace: boolean, versions: Versions): Report {
  const { duties, unlike } = plan;
  const world = new World({ ...plan.settings, duties, unlike, trace });
  world.tell(describePlan(plan));
  versions.begin(world);
  world.begin();
  const withinMs = plan.settings.register === 'none' ? warmUpMs : warmUpMs + namingMs;
  if (!runUntil(world, withinMs + longerMs(world), isWhole))
    world.checkers.fail(`L0: not switchable after the start: ${why(world)}`);
  versions.goOn(world);
  const faults = strikeLater(world, plan);
  world.checkers.splitAllowed = splitIsStated(plan);
  awaitEnd(world, faults);
  const healedAt = becomeCalm(world);
  runUntil(world, quietMs, () => false);
  world.checkers.requests.late(world.clock.now);
  judge(world, faults, healedAt);
  if (plan.aftermath !== 'nothing' && world.checkers.violations.length === 0) afterwards(world, plan);
  return {
    plan,
    promotions: world.checkers.promotions.length,
    acknowledged: world.checkers.acks.length,
    violations: world.checkers.violations,
    lines: world.lines,
  };
}

/** Runs until it is so, or until the time is up; says which. */
export function runUntil(world: World, withinMs: number, done: (world: World) => boolean): boolean {
  const { clock } = world;
  for (const end = clock.now + withinMs; clock.now < end; ) {
    clock.runUntil(Math.min(end, clock.now + stepMs));
    if (done(world)) return true;
  }
  return false;
}

export function strikeLater(world: World, plan: Plan): Fault[] {
  const { clock } = world;
  if (plan.settings.references === 'stops')
    clock.after(new Random(plan.settings.seed).between(10, 4000), () => {
      world.tell('the reference address answers nobody any more');
      world.network.gateway = false;
    });
  return plan.faults.map((planned, index) => {
    const host = world.hosts[planned.host] ?? world.host('server1');
    const other = world.hosts[planned.other] ?? world.host('server2');
    const { kind, lastsMs, afterMs } = planned;
    const dice = new Random(31 * plan.settings.seed + index);
    const fault: Fault = { kind, host, other, at: clock.now + afterMs, lastsMs, dice };
    clock.after(afterMs, () => {
      world.tell(`FAULT ${describeFault(planned)}`);
      kindOf(kind).strike(world, fault);
    });
    return fault;
  });
}

/**
 * With fallback each server judges for itself when the admin network is cut, and both go on. A reference address prevents it,
 * but for one that answers both sides, which takes a second fault besides the loss of the admin network alone: the stream.
 */
const splitIsStated = ({ settings, faults }: Plan): boolean =>
  (settings.policy === 'fallback' && faults.some((it) => cutIsStated(settings, faults, it))) ||
  // A person who detaches vouches for it, and nobody for the moment in which a stranger comes.
  (faults.length > 1 && faults.some((it) => kindOf(it.kind).detaches || kindOf(it.kind).stranger));

function cutIsStated(
  { references }: Plan['settings'],
  faults: Plan['faults'],
  { kind }: PlannedFault,
): boolean {
  const { cutsAdmin, bothReach } = kindOf(kind);
  if (!cutsAdmin) return false;
  return references === 'none' || (references === 'well' && bothReach === true && faults.length > 1);
}

/** The faults run their course; then somebody has to serve, or the time for it passes. */
function awaitEnd(world: World, faults: readonly Fault[]): void {
  const ends = faults.map(({ kind, at, lastsMs }) => {
    const { compound, untilMs = 0 } = kindOf(kind);
    return at + (compound ? Math.max(scheduleMs, untilMs) : Math.max(lastsMs, untilMs));
  });
  runUntil(world, Math.max(...ends) - world.clock.now, () => false);
  const last = Math.max(...faults.map((it) => it.at));
  const withinMs = writableWithinMs(world);
  const limit = Math.max(last + withinMs, world.clock.now + withinMs / 2);
  runUntil(
    world,
    limit - world.clock.now,
    (it) => it.checkers.longestGap(it.clock.now - quietMs, it.clock.now) < quietMs,
  );
}

/**
 * Everything is healed; says when. A fencing command that had begun before, and whose answer comes too late for anybody to take
 * over, may have shut a host off once more: then somebody switches it on once more.
 */
function becomeCalm(world: World): number {
  const { clock, hosts, settings } = world;
  const isShutOff = (): boolean => settings.fencing === 'late' && hosts.some((it) => !it.up);
  let healedAt = clock.now;
  heal(world);
  const withinMs = settleMs + longerMs(world);
  runUntil(world, withinMs, (it) => isCalm(it) || isShutOff());
  if (!isShutOff()) return healedAt;
  healedAt = clock.now;
  heal(world);
  runUntil(world, withinMs, isCalm);
  return healedAt;
}

function heal(world: World): void {
  world.tell('everything is healed');
  world.network.heal();
  world.arbiter?.thaw();
  world.arbiter?.start();
  for (const host of world.hosts) {
    host.crashAfter = null;
    host.doom = null;
    host.lagMs = 0;
    host.stopsMs = 0;
    host.full = false;
    host.instance.hung = 'no';
    host.instance.brokenStarts = 0;
    sendAway(world, host);
    if (!host.up) world.bootHost(host);
    else if (host.frozen) world.thaw(host);
    world.resume(host);
    if (!host.state) world.startController(host, 10);
    repairDisk(world, host);
  }
  endMaintenance(world);
  const off = world.hosts.find((it) => it.state?.failover.enabled === false);
  if (off) ask(world, off, { kind: 'set-failover', enabled: true });
}

const why = (world: World): string => world.host('server1').state?.mirroring.reason ?? 'no controller';

/** Everybody who may take over is in sync, as the primary sees it; the last release lets nobody out, and no register is named beside it. */
export function isWhole({ hosts, settings }: World): boolean {
  const canBind = settings.register !== 'none' && !hosts.some((it) => it.unlike.released);
  return hosts.some(
    (host) =>
      host.state?.mirroring.status === 'switchable' &&
      host.state.sync?.primary === host.id &&
      host.state.sync.eligible.length === hosts.filter((it) => it !== host && mayServe(host, it)).length &&
      (!canBind || isBound(host.state.sync)),
  );
}

/** As its primary sees it: the last release does not know that a duty could forbid it, and takes in whoever is named. */
const mayServe = ({ unlike }: Host, { duty }: Host): boolean =>
  unlike.released ? duty.replication !== 'asynchronous' : isFree(duty);

/** One serves, the others are in sync or will not come back by themselves, and nothing is under way. */
function isCalm(world: World): boolean {
  const { hosts, checkers, replication } = world;
  const serving = hosts.filter((it) => checkers.canAcknowledge(it));
  const [primary] = serving;
  if (!primary || serving.length > 1) return false;
  return hosts.every((host) => {
    const { state } = host;
    if (
      !state ||
      state.takeover ||
      state.giving ||
      state.change ||
      state.ending ||
      state.proving ||
      state.stop
    )
      return false;
    if (host === primary) return true;
    if (replication.streams(host, primary))
      return (
        primary.state?.sync?.eligible.includes(host.id) === mayServe(primary, host) ||
        primary.state?.parked[host.id] !== undefined
      );
    return ['held', 'stopped', 'down'].includes(state.own.phase);
  });
}

/** Where nobody may take over any more, or fewer than three are left that vote, somebody takes the duties back. */
function freeIfNobodyMay(world: World, primary: Host): void {
  const { hosts, settings } = world;
  const isStuck =
    !hosts.some((it) => it !== primary && isFree(it.duty)) ||
    (settings.register === 'servers' &&
      hosts.filter((it) => it.duty.replication !== 'asynchronous').length < 3);
  if (isStuck) for (const host of hosts) world.setDuty(host, {});
}

/** What is out is rebuilt, and the cluster is whole again by itself; then it may have to prove it. */
function afterwards(world: World, plan: Plan): void {
  const { hosts, checkers, replication, clock } = world;
  const serving = hosts.filter((it) => it.instance.running && it.instance.role === 'primary');
  const [primary] = serving;
  if (!primary || serving.length > 1 || !checkers.canAcknowledge(primary)) return;
  for (const host of hosts) {
    if (host === primary) continue;
    if (!replication.streams(host, primary)) {
      if (host.instance.running) world.killInstance(host);
      rebuild(world, host, primary);
    } else if (primary.state?.parked[host.id] !== undefined) {
      // Who was detached comes back when it is started again.
      world.killInstance(host);
      world.killController(host);
      world.startController(host, 50);
    }
  }
  checkers.beginAnew();
  freeIfNobodyMay(world, primary);
  if (primary.state?.failover.enabled === false) ask(world, primary, { kind: 'set-failover', enabled: true });
  const manyMs = provingMs * Math.max(0, hosts.length - 3);
  if (!runUntil(world, settleMs + manyMs + longerMs(world), isWhole)) {
    const { mirroring, sync } = primary.state ?? {};
    const reason = mirroring?.reason || `in sync are ${sync?.eligible.join(', ') || 'none'} alone`;
    checkers.fail(`L6: not switchable after the rebuild: ${reason}`);
    return;
  }
  checkers.requests.late(clock.now);
  if (plan.aftermath !== 'rebuild, then again') return;
  const at = clock.now;
  world.killInstance(primary);
  const withinMs = writableWithinMs(world);
  runUntil(world, withinMs, (it) => it.checkers.longestGap(at, it.clock.now) > 0 && isCalm(it));
  checkers.atEnd();
  const gap = checkers.longestGap(at, clock.now);
  if (gap > withinMs) checkers.fail(`L1: no commit for ${(gap / 1000).toFixed(1)} s after the second fault`);
}
