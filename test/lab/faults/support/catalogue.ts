/**
 * Every fault that the pair is tried with: how it is made and healed, and what the controllers should do about it.
 * In: a scene. Out: data. It must never touch anything but the hosts of its pair.
 */
import type { Server } from '../../support/instance.ts';
import { sql } from '../../support/instance.ts';
import { clocks } from './clocks.ts';
import type { Fault, Scene } from './fault.ts';
import { load } from './load.ts';
import { disks, networks, others } from './more.ts';
import { sleep } from './pair.ts';
import { signalInstance, signalPostmaster } from './processes.ts';
import { thirdParty } from './third-party.ts';

type Side = 'primary' | 'standby';
const at = (scene: Scene, side: Side): Server => scene[side];

/** A server process of that kind; the newest, where there are several. */
async function killBackend(server: Server, kind: string, more = ''): Promise<void> {
  const query = `SELECT pid FROM pg_stat_activity WHERE backend_type = '${kind}' ${more} ORDER BY backend_start DESC LIMIT 1`;
  const pid = await sql(server, query);
  await server.host.sh(`kill -9 ${pid}`, { check: true });
}

const daemon = (server: Server, signal: string) =>
  server.host.sh(`kill -${signal} $(systemctl show -p MainPID --value ${server.unit})`, { check: true });

const nothing = ['none'] as const;

/** A host that stands still for longer than the others wait for it. */
export const frozenOut = (side: Side, seconds: number): Fault => ({
  name: `host frozen for ${seconds} s`,
  on: side,
  action: [side === 'primary' ? 'switch' : 'disconnection'],
  inject: (scene) => at(scene, side).host.freeze(),
  lastsMs: seconds * 1000,
  heal: (scene) => at(scene, side).host.thaw(),
  afterMs: 4000,
});

export const headline: readonly Fault[] = [
  {
    name: 'postmaster killed',
    on: 'primary',
    action: ['switch'],
    inject: ({ primary }) => signalPostmaster(primary, 'KILL'),
    lastsMs: 1000,
  },
  {
    name: 'postmaster killed',
    on: 'standby',
    action: ['disconnection'],
    inject: ({ standby }) => signalPostmaster(standby, 'KILL'),
    lastsMs: 1000,
  },
  {
    name: 'switch on request',
    on: 'primary',
    action: ['switch'],
    inject: ({ pair, primary }) => pair.mcCtl(primary, 'switch'),
    lastsMs: 1000,
  },
  {
    name: 'cable cut',
    on: 'primary',
    action: ['switch'],
    inject: ({ primary }) => primary.host.cut(),
    lastsMs: 10_000,
    heal: ({ primary }) => primary.host.heal(),
    afterMs: 4000,
    splits: true,
  },
  {
    name: 'cable cut',
    on: 'standby',
    action: ['disconnection', 'switch'],
    inject: ({ standby }) => standby.host.cut(),
    lastsMs: 10_000,
    heal: ({ standby }) => standby.host.heal(),
    afterMs: 4000,
    splits: true,
  },
  frozenOut('primary', 30),
  frozenOut('standby', 30),
  {
    name: 'power off, and on again 10 s later',
    on: 'primary',
    action: ['switch'],
    inject: ({ primary }) => primary.host.powerOff(),
    lastsMs: 10_000,
    heal: ({ primary }) => primary.host.powerOn(),
    afterMs: 6000,
  },
  {
    name: 'power off, and on again 10 s later',
    on: 'standby',
    action: ['disconnection'],
    inject: ({ standby }) => standby.host.powerOff(),
    lastsMs: 10_000,
    heal: ({ standby }) => standby.host.powerOn(),
    afterMs: 6000,
  },
];

const killed = (side: Side, kind: string, more = ''): Fault => ({
  name: `${kind} killed`,
  on: side,
  // A crash of one process makes the postmaster start all of them anew; both ways of going on are right.
  action: ['none', 'disconnection', 'switch'],
  inject: (scene) => killBackend(at(scene, side), kind, more),
  lastsMs: 3000,
});

const frozen = (side: Side, seconds: number): Fault => ({
  name: `host frozen for ${seconds} s`,
  on: side,
  // As long as the time to give up is a matter of some hundred milliseconds, which a loaded machine has to spare.
  action: seconds > 2 ? ['none', 'disconnection', 'switch'] : nothing,
  inject: async (scene) => {
    await at(scene, side).host.freeze();
    await sleep(seconds * 1000);
    await at(scene, side).host.thaw();
  },
  lastsMs: seconds * 1000 + 1000,
});

const stopped = (side: Side, seconds: number): Fault => ({
  name: `postmaster stopped (SIGSTOP) for ${seconds} s`,
  on: side,
  action: nothing,
  inject: async (scene) => {
    await signalPostmaster(at(scene, side), 'STOP');
    await sleep(seconds * 1000);
    await signalPostmaster(at(scene, side), 'CONT');
  },
  lastsMs: seconds * 1000 + 1000,
});

/** Every process of the instance stands still, sessions and walsenders too, as they do on a disk that answers nobody. */
export const instanceStopped = (side: Side): Fault => ({
  name: 'instance stopped (SIGSTOP)',
  on: side,
  action: ['switch'],
  inject: (scene) => signalInstance(at(scene, side), 'STOP'),
  lastsMs: 12_000,
  heal: (scene) => signalInstance(at(scene, side), 'CONT'),
  afterMs: 4000,
});

export const instanceStoppedFor = (side: Side, seconds: number): Fault => ({
  name: `instance stopped (SIGSTOP) for ${seconds} s`,
  on: side,
  // A receiver that has given up meanwhile comes in beside its dead stream: it is out until that has ended.
  action: seconds > 5 ? ['none', 'disconnection'] : nothing,
  inject: async (scene) => {
    await signalInstance(at(scene, side), 'STOP');
    await sleep(seconds * 1000);
    await signalInstance(at(scene, side), 'CONT');
  },
  lastsMs: seconds * 1000 + 1000,
});

const daemonStopped = (side: Side, seconds: number): Fault => ({
  name: `controller stopped (SIGSTOP) for ${seconds} s`,
  on: side,
  // Also for longer than the others wait for a heartbeat: the stream shows that its instance goes on.
  action: nothing,
  inject: async (scene) => {
    await daemon(at(scene, side), 'STOP');
    await sleep(seconds * 1000);
    await daemon(at(scene, side), 'CONT');
  },
  lastsMs: seconds * 1000 + 1000,
});

const sides: readonly Side[] = ['primary', 'standby'];

export const processes: readonly Fault[] = [
  killed('primary', 'client backend', "AND application_name LIKE 'client run%'"),
  killed('primary', 'walsender'),
  killed('standby', 'walreceiver'),
  ...sides.map((side) => killed(side, 'checkpointer')),
  ...sides.flatMap((side) => [1, 5, 30].map((seconds) => stopped(side, seconds))),
  instanceStoppedFor('primary', 30),
  ...sides.map((side) => ({
    name: 'controller killed',
    on: side,
    action: nothing,
    inject: (scene: Scene) => daemon(at(scene, side), 'KILL'),
    lastsMs: 5000,
  })),
  ...sides.flatMap((side) => [1, 5, 30].map((seconds) => daemonStopped(side, seconds))),
  ...sides.flatMap((side) => [1, 5].map((seconds) => frozen(side, seconds))),
];

export const catalogue: readonly Fault[] = [
  ...headline,
  ...processes,
  ...networks,
  ...clocks,
  ...others,
  ...load,
  ...disks,
  ...thirdParty,
];
