/**
 * Faults of a pair with an arbiter or an etcd, and of three servers, whose majority decides: networks, hosts, links between two of the three,
 * and the register itself. In: a scene. Out: data. It must never touch anything but the hosts of its pair.
 */
import type { Host } from '../../harness/lab.ts';
import type { Fault, Scene } from './fault.ts';
import { flapping, oneNetwork, packetsLost } from './more.ts';
import { sleep } from './pair.ts';
import { adminNet, logNet, type ThirdParty } from './variants.ts';

type Side = 'primary' | 'standby';
type Party = Side | 'third';
const sides: readonly Side[] = ['primary', 'standby'];

/** Longer than it takes to give a silent server up, and to become primary. */
const cutMs = 10_000;

const hostOf = ({ pair, ...scene }: Scene, party: Party): Host =>
  party === 'third' ? thirdOf({ pair, ...scene }) : scene[party].host;

/** The first member of the etcd, the arbiter, or the server that is neither the primary nor its first standby. */
function thirdOf({ pair, primary, standby }: Pick<Scene, 'pair' | 'primary' | 'standby'>): Host {
  const other = pair.servers.find((server) => server !== primary && server !== standby);
  return pair.members[0] ?? other?.host ?? pair.arbiter;
}

/** What happens to whoever is shut out: a primary is replaced, a standby is taken out. */
const lost = (side: Side): Fault['action'] => [side === 'primary' ? 'switch' : 'disconnection'];

const cable = (side: Side): Fault => ({
  name: 'cable cut',
  on: side,
  action: lost(side),
  inject: (scene) => scene[side].host.cut(),
  lastsMs: cutMs,
  heal: (scene) => scene[side].host.heal(),
  afterMs: 5000,
});

const frozen = (side: Side): Fault => ({
  name: 'host frozen for 10 s',
  on: side,
  action: lost(side),
  inject: (scene) => scene[side].host.freeze(),
  lastsMs: cutMs,
  heal: (scene) => scene[side].host.thaw(),
  afterMs: 4000,
});

const powerOff = (side: Side): Fault => ({
  name: 'power off, and on again 10 s later',
  on: side,
  action: lost(side),
  inject: (scene) => scene[side].host.powerOff(),
  lastsMs: cutMs,
  heal: (scene) => scene[side].host.powerOn(),
  afterMs: 5000,
});

/** The register hears both, and prefers the primary; an etcd as long as its lease is renewed in time. */
const oneWay = (side: Side, party: ThirdParty): Fault => ({
  ...packetsLost(side),
  action: party === 'etcd' ? ['disconnection', 'switch'] : ['disconnection'],
});

type Link = readonly [Party, Party];

async function setLinks(scene: Scene, links: readonly Link[], cut: boolean): Promise<void> {
  for (const [a, b] of links) {
    const [one, two] = [hostOf(scene, a), hostOf(scene, b)];
    if (cut) await Promise.all([one.cutFrom(two), two.cutFrom(one)]);
    else await Promise.all([one.healTo(two), two.healTo(one)]);
  }
}

const links = (cut: readonly Link[], third: string, action: Fault['action']): Fault => {
  const named = cut.map((pair) => pair.map((it) => (it === 'third' ? third : it)).join('–'));
  return {
    name: `links cut: ${named.join(' and ')}`,
    on: 'both',
    action,
    inject: (scene) => setLinks(scene, cut, true),
    lastsMs: cutMs,
    heal: (scene) => setLinks(scene, cut, false),
    afterMs: 5000,
  };
};

const servers: Link = ['primary', 'standby'];
const toPrimary: Link = ['primary', 'third'];
const toStandby: Link = ['standby', 'third'];

/** A second standby that nobody hears is taken out, too; an arbiter is not. */
const linksOf = (party: ThirdParty): readonly Fault[] => {
  const third = party === 'arbiter' ? 'arbiter' : 'second standby';
  const away: Fault['action'] = party === 'arbiter' ? ['none'] : ['disconnection'];
  return [
    links([servers], third, ['disconnection']),
    links([toPrimary], third, away),
    links([toStandby], third, ['none']),
    links([servers, toPrimary], third, ['switch']),
    links([servers, toStandby], third, ['disconnection']),
    links([toPrimary, toStandby], third, away),
  ];
};

/** The register answers again only behind its start, and then waits for the primary as long as it would prefer it. */
const lateMs = 24_000;

/** In the middle of a failover: nobody has been given up yet. */
const midway = (name: string, happens: (third: Host) => Promise<unknown>): Fault => ({
  name: `cable cut, ${name}`,
  on: 'primary',
  action: ['switch'],
  inject: async (scene) => {
    await scene.primary.host.cut();
    await sleep(3000);
    await happens(thirdOf(scene));
  },
  lastsMs: lateMs,
  heal: ({ primary }) => primary.host.heal(),
  afterMs: 5000,
});

async function offFor(host: Host, seconds: number): Promise<void> {
  await host.powerOff();
  await sleep(seconds * 1000);
  await host.powerOn();
}

const unit = 'mcarb_arbiter';
const signal = (host: Host, name: string) =>
  host.sh(`kill -${name} $(systemctl show -p MainPID --value ${unit})`, { check: true });

async function stoppedFor(host: Host, seconds: number): Promise<void> {
  await signal(host, 'STOP');
  await sleep(seconds * 1000);
  await signal(host, 'CONT');
}

async function fullFor(host: Host, seconds: number): Promise<void> {
  await host.fillDisk('/mcarb');
  await sleep(seconds * 1000);
  await host.freeDisk('/mcarb');
}

/** While the servers hear each other nobody asks the register. */
const alone = (name: string, happens: (arbiter: Host) => Promise<unknown>): Fault => ({
  name,
  on: 'arbiter',
  action: ['none'],
  inject: ({ pair }) => happens(pair.arbiter),
  lastsMs: 10_000,
});

const registers: readonly Fault[] = [
  alone('arbiter killed (SIGKILL)', (host) => signal(host, 'KILL')),
  alone('arbiter stopped (SIGSTOP) for 10 s', (host) => stoppedFor(host, 10)),
  alone('disk of the arbiter full for 10 s', (host) => fullFor(host, 10)),
  alone('arbiter: power off, and on again 10 s later', (host) => offFor(host, 10)),
  {
    name: 'standby rebuilt, and the arbiter rebooted meanwhile',
    on: 'standby',
    action: ['disconnection'],
    inject: ({ pair, primary, standby }) =>
      Promise.all([pair.rebuild(standby, primary), pair.arbiter.reboot()]),
    lastsMs: 10_000,
    afterMs: 5000,
  },
  {
    name: 'arbiter off, then the postmaster killed',
    on: 'primary',
    action: ['switch'],
    arrange: async ({ pair }) => {
      await pair.arbiter.powerOff();
      await sleep(10_000);
    },
    inject: ({ primary }) => primary.host.sh(`kill -KILL $(head -n 1 ${primary.dataDir}/postmaster.pid)`),
    lastsMs: 3000,
    heal: ({ pair }) => pair.arbiter.powerOn(),
  },
  midway('the arbiter killed (SIGKILL) 3 s later', (host) => signal(host, 'KILL')),
  midway('the arbiter stopped (SIGSTOP) 3 s later, for 10 s', (host) => stoppedFor(host, 10)),
  midway('the disk of the arbiter full 3 s later, for 10 s', (host) => fullFor(host, 10)),
  midway('the arbiter powered off 3 s later, on again 10 s after that', (host) => offFor(host, 10)),
];

/** A majority of its members answers on. */
const ofEtcd: readonly Fault[] = [
  {
    name: 'one of three members off for 10 s',
    on: 'third',
    action: ['none'],
    inject: ({ pair }) => pair.members[0]?.powerOff() ?? Promise.resolve(),
    lastsMs: 10_000,
    heal: ({ pair }) => pair.members[0]?.powerOn() ?? Promise.resolve(),
  },
  midway('one of three members powered off 3 s later, on again 10 s after that', (host) => offFor(host, 10)),
];

const ofThree: readonly Fault[] = [
  midway('the second standby powered off 3 s later, on again 10 s after that', (host) => offFor(host, 10)),
  {
    name: 'second standby: power off, and on again 10 s later',
    on: 'third',
    action: ['disconnection'],
    inject: (scene) => thirdOf(scene).powerOff(),
    lastsMs: cutMs,
    heal: (scene) => thirdOf(scene).powerOn(),
    afterMs: 5000,
  },
];

/** The faults of one kind of third party; each is called after it, so that the rows of both can stand beside each other. */
function faultsWith(party: ThirdParty): readonly Fault[] {
  const common = sides.flatMap((side) => [
    cable(side),
    oneWay(side, party),
    flapping(side),
    frozen(side),
    powerOff(side),
  ]);
  const own = { arbiter: registers, majority: ofThree, etcd: ofEtcd }[party];
  const near = [...common, ...(party === 'etcd' ? [] : linksOf(party)), ...own].map(
    (fault) => ({ ...fault, variant: party }) as const,
  );
  const far = [
    oneNetwork('admin', adminNet, ['none']),
    oneNetwork('log transfer', logNet, ['disconnection']),
  ].map((fault) => ({ ...fault, variant: `${party} networks` }) as const);
  const words = { arbiter: 'with an arbiter', majority: 'with three servers', etcd: 'with an etcd' }[party];
  return [...near, ...far].map((fault) => ({ ...fault, name: `${fault.name}, ${words}`, third: party }));
}

/** A lost host where it is asked to be given up soon. */
const soon = sides
  .flatMap((side) => [cable(side), powerOff(side)])
  .map((fault): Fault => {
    const name = `${fault.name}, with an arbiter and heartbeat: fast`;
    return { ...fault, name, variant: 'arbiter fast', third: 'arbiter' };
  });

export const thirdParty: readonly Fault[] = [
  ...faultsWith('arbiter'),
  ...soon,
  ...faultsWith('majority'),
  ...faultsWith('etcd'),
];
