/**
 * Faults of networks, disks and memory; the plain ones are in catalogue.ts. In: a scene. Out: data.
 * It must never touch anything but the hosts of its pair.
 */
import type { Host } from '../../harness/lab.ts';
import { type Server, sql } from '../../support/instance.ts';
import type { Fault, Scene } from './fault.ts';
import { sleep } from './pair.ts';
import { signalPostmaster } from './processes.ts';
import { adminNet, logNet } from './variants.ts';

type Side = 'primary' | 'standby';
const sides: readonly Side[] = ['primary', 'standby'];
const nothing = ['none'] as const;

/** No packet of that network arrives, wherever it comes from. */
async function cutNetwork({ pair }: Scene, network: (host: Host) => string, lost: boolean): Promise<void> {
  const { hosts } = pair.cluster;
  const rules = (from: Host) =>
    hosts
      .filter((to) => to !== from)
      .map((to) =>
        lost
          ? `ip neigh replace ${network(to)} lladdr 02:00:00:00:00:01 nud permanent dev host0`
          : `ip neigh del ${network(to)} dev host0`,
      );
  await Promise.all(hosts.map((host) => host.sh(rules(host).join('\n'), { check: true })));
}

async function flap(scene: Scene, side: Side): Promise<void> {
  for (let turn = 0; turn < 8; turn += 1) {
    await scene[side].host.cut();
    await sleep(1000);
    await scene[side].host.heal();
    await sleep(1000);
  }
}

export const flapping = (side: Side): Fault => ({
  name: 'cable out and in every second, 8 times',
  on: side,
  action: ['none', 'disconnection'],
  inject: (scene) => flap(scene, side),
  lastsMs: 16_000,
  afterMs: 8000,
});

const otherHost = ({ primary, standby }: Scene, side: Side): Host =>
  side === 'primary' ? standby.host : primary.host;

/** In one direction; who answers for that depends on who decides on a silence. */
export const packetsLost = (side: Side): Omit<Fault, 'action'> => ({
  name: `packets from the ${side} to the other lost`,
  on: side,
  inject: (scene) => scene[side].host.cutFrom(otherHost(scene, side)),
  lastsMs: 12_000,
  heal: (scene) => scene[side].host.healTo(otherHost(scene, side)),
  afterMs: 5000,
});

/** For a cluster whose servers have networks of their own. */
export const oneNetwork = (
  name: string,
  network: (host: Host) => string,
  action: Fault['action'],
): Fault => ({
  name: `${name} network cut alone`,
  on: 'both',
  action,
  inject: (scene) => cutNetwork(scene, network, true),
  lastsMs: 12_000,
  heal: (scene) => cutNetwork(scene, network, false),
  afterMs: 10_000,
});

export const networks: readonly Fault[] = [
  {
    name: 'cable cut, with a reference address',
    on: 'primary',
    variant: 'reference',
    action: ['switch'],
    inject: ({ primary }) => primary.host.cut(),
    lastsMs: 14_000,
    heal: ({ primary }) => primary.host.heal(),
    afterMs: 6000,
  },
  {
    name: 'cable cut, with a reference address',
    on: 'standby',
    variant: 'reference',
    action: ['disconnection'],
    inject: ({ standby }) => standby.host.cut(),
    lastsMs: 14_000,
    heal: ({ standby }) => standby.host.heal(),
    afterMs: 10_000,
  },
  ...sides.map((side): Fault => ({ ...packetsLost(side), action: ['switch'], splits: true })),
  ...sides.map(flapping),
  { ...oneNetwork('admin', adminNet, nothing), variant: 'networks' },
  { ...oneNetwork('log transfer', logNet, ['disconnection']), variant: 'networks' },
];

/** What ext4 offers to make a disk fail: it answers every access with an error from then on (EXT4_IOC_SHUTDOWN). */
const ioErrors = (mountpoint: string) =>
  `python3 -c "import fcntl,os,struct; fcntl.ioctl(os.open('${mountpoint}', os.O_RDONLY), 0x8004587D, struct.pack('I', 2))"`;
/** ext4 takes itself out of service for writing, as after an error of its journal. */
const readOnly = (mountpoint: string) => `mount -o remount,abort '${mountpoint}'`;

const broken = (side: Side, what: string, mountpoint: string, script: (at: string) => string): Fault => ({
  name: what,
  on: side,
  variant: 'disks',
  action: [side === 'primary' ? 'switch' : 'disconnection'],
  inject: (scene) => scene[side].host.sh(script(mountpoint), { check: true }),
  lastsMs: 8000,
  spoils: true,
});

const full = (side: Side, what: string, mountpoint: string, action: Fault['action']): Fault => ({
  name: `disk full: ${what}`,
  on: side,
  variant: 'disks',
  action,
  inject: async (scene) => {
    await scene[side].host.fillDisk(mountpoint);
    // What is preallocated lasts for a while; this needs more.
    const rows = "CREATE TABLE filler AS SELECT generate_series(1, 400000), repeat('x', 200)";
    await sql(scene.primary, `SET statement_timeout = '8s'; ${rows}`, 'app').catch(String);
  },
  lastsMs: 15_000,
  heal: async (scene) => {
    await scene[side].host.freeDisk(mountpoint);
  },
  afterMs: 4000,
});

export const disks: readonly Fault[] = sides.flatMap((side) => {
  const away = side === 'primary' ? (['switch'] as const) : (['disconnection'] as const);
  return [
    full(side, 'data', '/database', ['none', ...away]),
    full(side, 'WAL', '/wal', ['none', ...away]),
    broken(side, 'disk of the data: I/O errors', '/database', ioErrors),
    broken(side, 'disk of the WAL: I/O errors', '/wal', ioErrors),
    broken(side, 'disk of the data: read-only', '/database', readOnly),
    broken(side, 'disk of the WAL: read-only', '/wal', readOnly),
  ];
});

/** So many sessions that nobody else gets in, superusers neither. */
const useUp = ({ host, port }: Server, seconds: number) =>
  host.sh(
    `for i in $(seq 45); do runuser -u postgres -- psql -h /var/run/postgresql -p ${port} -XqAt -c 'select pg_sleep(${seconds})' >/dev/null 2>&1 & done; sleep 0.5`,
  );

/** A query that keeps the standby from replaying what comes next. */
async function holdReplay({ primary, standby }: Omit<Scene, 'client'>): Promise<void> {
  await sql(primary, 'CREATE TABLE IF NOT EXISTS hold AS SELECT generate_series(1, 1000) AS id');
  const query = 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM hold; SELECT pg_sleep(60)';
  await standby.host.sh(
    `runuser -u postgres -- psql -h /var/run/postgresql -p ${standby.port} -XqAt -c "${query}" >/dev/null 2>&1 & sleep 0.3`,
  );
  // Without a limit: whoever waits for the server itself to end the query waits for ever.
  await sql(standby, "ALTER SYSTEM SET max_standby_streaming_delay = '-1'");
  await sql(standby, 'SELECT pg_reload_conf()');
  await sql(primary, 'DELETE FROM hold');
  await sql(primary, 'VACUUM hold');
  await sleep(1000);
}

async function limitReplayDelay(standby: Server): Promise<void> {
  await sql(standby, 'ALTER SYSTEM RESET max_standby_streaming_delay');
  await sql(standby, 'SELECT pg_reload_conf()');
}

export const others: readonly Fault[] = [
  ...sides.map(
    (side): Fault => ({
      name: 'no memory for the controller (prlimit)',
      on: side,
      action: nothing,
      inject: ({ ...scene }) =>
        scene[side].host.sh(
          `prlimit --pid $(systemctl show -p MainPID --value ${scene[side].unit}) --as=1000000`,
          { check: true, user: 'postgres' },
        ),
      lastsMs: 8000,
    }),
  ),
  ...sides.map(
    (side): Fault => ({
      name: 'max_connections used up for 10 s',
      on: side,
      action: nothing,
      inject: (scene) => useUp(scene[side], 10),
      lastsMs: 12_000,
    }),
  ),
  {
    name: 'ALTER SYSTEM takes the names away',
    on: 'primary',
    action: nothing,
    inject: async ({ primary }) => {
      await sql(primary, "ALTER SYSTEM SET synchronous_standby_names = ''");
      await sql(primary, 'SELECT pg_reload_conf()');
    },
    lastsMs: 5000,
    heal: async ({ primary }) => {
      await sql(primary, 'ALTER SYSTEM RESET synchronous_standby_names');
      await sql(primary, 'SELECT pg_reload_conf()');
    },
  },
  {
    name: 'a long query holds up replay; then the postmaster is killed',
    on: 'primary',
    action: ['switch'],
    arrange: holdReplay,
    inject: ({ primary }) => signalPostmaster(primary, 'KILL'),
    lastsMs: 3000,
    heal: ({ standby }) => limitReplayDelay(standby),
  },
  {
    name: 'a long query holds up replay',
    on: 'standby',
    action: nothing,
    inject: holdReplay,
    lastsMs: 8000,
    heal: ({ standby }) => limitReplayDelay(standby),
  },
  ...sides.map(
    (side): Fault => ({
      name: 'reboot',
      on: side,
      action: side === 'primary' ? nothing : ['disconnection'],
      inject: (scene) => scene[side].host.reboot(),
      lastsMs: 1000,
      afterMs: 8000,
    }),
  ),
];
