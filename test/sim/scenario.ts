/**
 * One scenario from one seed: a pair or a trio gets in sync, one or two things go wrong, everything is healed, and the
 * checkers judge. In: seed. Out: a report with the violations; the same seed gives the same report.
 */
import type { ServerConf } from '../../src/controller/config.ts';
import { Random } from './random.ts';
import { giveUpMs, type Host, World } from './world.ts';

export interface Report {
  readonly seed: number;
  readonly policy: ServerConf['heartbeatErrorAction'];
  readonly servers: number;
  readonly faults: readonly string[];
  readonly promotions: number;
  readonly acknowledged: number;
  readonly violations: readonly string[];
  readonly lines: readonly string[];
}

const warmUpMs = 3000;
const healAfterMs = 6000;
const endAfterMs = 13_000;
/** Writable again after any single fault: seen within twice the time to give up, then stopped and promoted. */
export const boundMs = 2 * giveUpMs + 4000;

const kinds = [
  'instance killed',
  'controller killed',
  'controller crashes between actions',
  'host crashes',
  'host freezes',
  'short freeze',
  'short cut',
  'cut',
  'one-way cut',
  'admin network cut',
  'log network cut',
  'flapping cable',
  'isolated',
  'disk fails',
  'clock jumps',
  'slow network',
  'switch',
  'detach',
  'planned restart',
  'power fails during an action',
  'power fails during an action',
  'power fails on one after the other',
  'one-way cut, then the power fails',
] as const;

type Kind = (typeof kinds)[number];

interface Fault {
  readonly kind: Kind;
  readonly host: Host;
  readonly other: Host;
  readonly at: number;
  readonly lastsMs: number;
}

const cuts: readonly Kind[] = [
  'cut',
  'one-way cut',
  'admin network cut',
  'log network cut',
  'flapping cable',
  'isolated',
  'short cut',
  'slow network',
  'power fails during an action',
  'one-way cut, then the power fails',
];

export function runScenario(seed: number, trace = false): Report {
  const random = new Random(seed);
  const policy = random.pick(['fallback', 'fallback', 'message', 'command'] as const);
  const servers = random.chance(0.75) ? 2 : 3;
  const references = policy === 'fallback' && random.chance(0.4);
  const world = new World({ seed, servers, policy, references, trace });
  world.begin();
  for (let at = warmUpMs; at <= 3 * warmUpMs && !isWhole(world); at += 250) world.clock.runUntil(at);
  const begin = world.clock.now;
  const faults = plan(world, random);
  const networkFails = faults.some((it) => cuts.includes(it.kind));
  world.checkers.splitAllowed = policy === 'fallback' && networkFails;
  world.tell(`policy ${policy}, references ${references}; ${faults.map(describe).join('; ')}`);
  checkWarm(world);
  for (const fault of faults)
    world.clock.after(fault.at - world.clock.now, () => strike(world, random, fault));
  world.clock.runUntil(begin + healAfterMs);
  heal(world);
  world.clock.runUntil(begin + endAfterMs);
  judge(world, faults);
  return {
    seed,
    policy,
    servers,
    faults: faults.map(describe),
    promotions: world.checkers.promotions.length,
    acknowledged: world.checkers.acks.length,
    violations: world.checkers.violations,
    lines: world.lines,
  };
}

const describe = (fault: Fault): string =>
  `${fault.kind} (${fault.host.id}, at ${(fault.at / 1000).toFixed(1)} s, for ${(fault.lastsMs / 1000).toFixed(1)} s)`;

function plan(world: World, random: Random): Fault[] {
  const count = random.chance(0.6) ? 1 : 2;
  const faults: Fault[] = [];
  for (let i = 0; i < count; i += 1) {
    const kind = random.pick(kinds);
    const host = random.pick(world.hosts);
    const other = random.pick(world.hosts.filter((it) => it !== host));
    const short = kind === 'short freeze' || kind === 'short cut';
    const lastsMs = short ? random.between(50, giveUpMs / 3) : random.between(300, 5000);
    faults.push({
      kind,
      host,
      other,
      at: world.clock.now + random.between(10, 1500) + i * random.between(0, 3500),
      lastsMs,
    });
  }
  return faults;
}

const isWhole = (world: World): boolean => world.host('server1').state?.mirroring.status === 'switchable';

function checkWarm(world: World): void {
  const status = world.host('server1').state?.mirroring;
  if (!isWhole(world)) world.checkers.fail(`L0: not switchable after the start: ${status?.reason}`);
}

function cut(world: World, networks: readonly ('admin' | 'log')[], pairs: readonly string[]): void {
  for (const network of networks) for (const pair of pairs) world.cuts[network].add(pair);
}

function mend(world: World, networks: readonly ('admin' | 'log')[], pairs: readonly string[]): void {
  for (const network of networks) for (const pair of pairs) world.cuts[network].delete(pair);
}

function strike(world: World, random: Random, fault: Fault): void {
  const { host, other, kind, lastsMs } = fault;
  const { clock } = world;
  const both = [`${host.id}>${other.id}`, `${other.id}>${host.id}`];
  const forAWhile = (networks: readonly ('admin' | 'log')[], pairs: readonly string[]): void => {
    cut(world, networks, pairs);
    clock.after(lastsMs, () => mend(world, networks, pairs));
  };
  world.tell(`FAULT ${describe(fault)}`);
  switch (kind) {
    case 'instance killed':
      if (!host.up || host.frozen) return;
      host.busy += 1;
      haltInstance(host);
      world.check(host);
      return;
    case 'controller killed':
      if (!host.up) return;
      world.killController(host);
      world.startController(host, random.between(300, 3000));
      return;
    case 'power fails during an action': {
      const action = random.pick([
        'set-names',
        'set-names',
        'promote',
        'cut-receiver',
        'stop-instance',
        'follow',
      ] as const);
      const doom = { action, times: random.between(1, 2), afterMs: random.between(0, 250), backMs: lastsMs };
      for (const it of world.hosts) it.doom = { ...doom };
      provoke(world, random);
      return;
    }
    case 'one-way cut, then the power fails':
      cut(world, ['admin', 'log'], [`server1>${world.hosts[1]?.id}`]);
      clock.after(
        random.between(2300, 3300),
        () => world.host('server1').up && world.crashHost(world.host('server1')),
      );
      return;
    case 'power fails on one after the other': {
      const [first, second] = random.chance(0.5) ? [host, other] : [other, host];
      if (first.up) world.crashHost(first);
      clock.after(random.between(2500, 4000), () => {
        if (second.up) world.crashHost(second);
        clock.after(random.between(10, 300), () => first.up || world.bootHost(first));
      });
      return;
    }
    case 'controller crashes between actions':
      host.crashAfter = random.between(0, 12);
      // Something has to go on for actions to be done.
      if (random.chance(0.5)) ask(world, random.pick(world.hosts), 'switch');
      else if (host.up && !host.frozen) {
        const victim = random.pick(world.hosts);
        if (!victim.up || victim.frozen) return;
        victim.busy += 1;
        haltInstance(victim);
        world.check(victim);
      }
      return;
    case 'host crashes':
      if (!host.up) return;
      world.crashHost(host);
      clock.after(lastsMs, () => host.up || world.bootHost(host));
      return;
    case 'host freezes':
    case 'short freeze':
      if (!host.up || host.frozen) return;
      world.tell(`${host.id} freezes`);
      host.frozen = true;
      clock.after(lastsMs, () => host.frozen && world.thaw(host));
      return;
    case 'cut':
    case 'short cut':
      forAWhile(['admin', 'log'], both);
      return;
    case 'one-way cut':
      forAWhile(['admin', 'log'], both.slice(0, 1));
      return;
    case 'admin network cut':
      forAWhile(['admin'], both);
      return;
    case 'log network cut':
      forAWhile(['log'], both);
      return;
    case 'flapping cable':
      for (let at = 0; at < lastsMs; at += 1000) {
        clock.after(at, () => cut(world, ['admin', 'log'], both));
        clock.after(at + 500, () => mend(world, ['admin', 'log'], both));
      }
      return;
    case 'isolated': {
      const pairs = world.hosts.flatMap((it) => [`${it.id}>${host.id}`, `${host.id}>${it.id}`]);
      world.noUplink.add(host.id);
      clock.after(lastsMs, () => world.noUplink.delete(host.id));
      forAWhile(['admin', 'log'], pairs);
      return;
    }
    case 'disk fails':
      host.instance.diskOk = false;
      for (const part of ['data', 'transaction_log'] as const)
        world.happen(host, { kind: 'disk-check', part, ok: false, error: 'EIO' });
      return;
    case 'clock jumps':
      host.wallOffset += random.pick([-3_600_000, 3_600_000]);
      return;
    case 'slow network':
      world.slowMs = random.between(50, 300);
      clock.after(lastsMs, () => {
        world.slowMs = 0;
      });
      return;
    case 'switch':
    case 'detach':
      ask(world, world.host('server1'), kind);
      return;
    case 'planned restart':
      if (!host.up || host.frozen) return;
      world.happen(host, { kind: 'terminate' });
      clock.after(1500 + lastsMs, () => host.up && world.startController(host, 10));
      return;
  }
}

/** Makes the controllers do something: a switch, a standby that goes and comes back, a standby that receives nothing. */
function provoke(world: World, random: Random): void {
  const standby = random.pick(world.hosts.slice(1));
  switch (random.pick(['switch', 'restart', 'log network'] as const)) {
    case 'switch':
      ask(world, world.host('server1'), 'switch');
      return;
    case 'restart':
      if (!standby.up || standby.frozen) return;
      world.happen(standby, { kind: 'terminate' });
      world.clock.after(random.between(400, 1200), () => standby.up && world.startController(standby, 10));
      return;
    case 'log network': {
      const pairs = [`server1>${standby.id}`, `${standby.id}>server1`];
      cut(world, ['log'], pairs);
      world.clock.after(random.between(2500, 5000), () => mend(world, ['log'], pairs));
      return;
    }
  }
}

function haltInstance(host: Host): void {
  host.instance.running = false;
  host.instance.waiting = [];
  host.instance.confirmed.clear();
}

function ask(world: World, host: Host, kind: 'switch' | 'detach'): void {
  if (!host.up || host.frozen) return;
  const request =
    kind === 'switch'
      ? ({ kind: 'switch', force: false, noFencing: false } as const)
      : ({ kind: 'detach', noFencing: false } as const);
  world.happen(host, { kind: 'control', id: 1, request });
}

function heal(world: World): void {
  world.tell('everything is healed');
  world.cuts.admin.clear();
  world.cuts.log.clear();
  world.noUplink.clear();
  world.slowMs = 0;
  for (const host of world.hosts) {
    host.crashAfter = null;
    host.doom = null;
    if (!host.up) world.bootHost(host);
    else if (host.frozen) world.thaw(host);
    if (!host.state) world.startController(host, 10);
    if (!host.instance.diskOk) {
      host.instance.diskOk = true;
      for (const part of ['data', 'transaction_log'] as const)
        world.happen(host, { kind: 'disk-check', part, ok: true, error: '' });
    }
  }
}

function judge(world: World, faults: readonly Fault[]): void {
  const { checkers, settings } = world;
  checkers.atEnd();
  const [only, second] = faults;
  // Power that fails during the handling of something else is a second fault: safety holds, times do not.
  const twice: readonly Kind[] = [
    'power fails during an action',
    'power fails on one after the other',
    'one-way cut, then the power fails',
  ];
  if (!only || second || twice.includes(only.kind)) return;
  if (checkers.promotions.length > 1)
    checkers.fail(`L5: ${checkers.promotions.length} switches in one incident`);
  const never: readonly Kind[] = [
    'short freeze',
    'short cut',
    'clock jumps',
    'slow network',
    'detach',
    'admin network cut',
    'log network cut',
    'planned restart',
    'controller killed',
  ];
  if (never.includes(only.kind) && checkers.promotions.length > 0)
    checkers.fail(`L3: a switch for: ${only.kind}`);
  // With a person's or a truthful command's decision missing, writes may wait until the fault is over.
  const long: readonly Kind[] = [
    'host crashes',
    'host freezes',
    'cut',
    'one-way cut',
    'isolated',
    'flapping cable',
  ];
  const waits =
    only.kind === 'planned restart' || (settings.policy !== 'fallback' && long.includes(only.kind));
  const bound =
    boundMs + (waits ? only.lastsMs + 3000 : 0) + (only.kind === 'flapping cable' ? only.lastsMs : 0);
  const gap = checkers.longestGap(only.at, world.clock.now);
  if (gap > bound)
    checkers.fail(`L1: no commit was acknowledged for ${(gap / 1000).toFixed(1)} s (${settings.policy})`);
}
