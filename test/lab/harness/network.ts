/**
 * The private network of one lab: a bridge with addresses of its own, and for each host a
 * network namespace with a cable to the bridge. The namespace outlives a reboot of the host.
 * In: names and addresses from places.ts. It must never change an interface it did not make.
 */
import { existsSync, readdirSync } from 'node:fs';
import type { HostPlace, LabPlace } from './places.ts';
import { run } from './run.ts';

/** Whether this machine already reaches addresses of that lab in some other way. */
export async function subnetIsUsed(lab: LabPlace): Promise<boolean> {
  const { stdout } = await run('ip', ['-o', 'route', 'show', 'table', 'all', 'root', `${lab.subnet}.0/24`]);
  const { status } = await run('ip', ['link', 'show', lab.id]);
  return stdout.trim() !== '' || status === 0;
}

export async function createBridge(lab: LabPlace): Promise<void> {
  // Without snooping, the bridge passes the neighbour discovery of IPv6 on from the first packet.
  await batch([
    `link add ${lab.id} type bridge mcast_snooping 0`,
    `addr add ${lab.gateway}/24 dev ${lab.id}`,
    `addr add ${lab.gateway6}/64 dev ${lab.id} nodad`,
    `link set ${lab.id} up`,
  ]);
}

/** Makes the cables of several hosts at once and plugs them in. */
export async function createCables(lab: LabPlace, hosts: readonly HostPlace[]): Promise<void> {
  await batch(
    hosts.flatMap(({ id }) => [
      `netns add ${id}`,
      `link add ${id} type veth peer name host0 netns ${id}`,
      `link set ${id} master ${lab.id} up`,
    ]),
  );
  await Promise.all(hosts.map((host) => configure(lab, host)));
}

async function configure(lab: LabPlace, host: HostPlace): Promise<void> {
  await batch(
    [
      'link set lo up',
      `addr add ${host.address}/24 dev host0`,
      `addr add ${host.address6}/64 dev host0 nodad`,
      'link set host0 up',
      `route add default via ${lab.gateway}`,
    ],
    host.id,
  );
}

export async function setCable(host: HostPlace, plugged: boolean): Promise<void> {
  await batch([`link set ${host.id} ${plugged ? 'up' : 'down'}`]);
  if (!plugged) return;
  // A cable that was out costs the host its default route; a real one has it back with the carrier.
  await run('ip', [
    '-n',
    host.id,
    'route',
    'replace',
    'default',
    'via',
    `${host.address.replace(/\d+$/, '1')}`,
  ]);
}

/**
 * Lets packets from one host to another vanish, and only in that direction: the sender's
 * neighbour entry names a hardware address that nobody has.
 */
export async function setOneWayLoss(from: HostPlace, to: HostPlace, lost: boolean): Promise<void> {
  const verb = lost ? 'replace' : 'del';
  const end = lost ? 'lladdr 02:00:00:00:00:01 nud permanent' : '';
  await batch(
    [to.address, to.address6].map((address) => `neigh ${verb} ${address} dev host0 ${end}`.trim()),
    from.id,
  );
}

/**
 * Of the packets that come to a host this share is lost, at random: they are sent through a queue of no length. Between two such
 * hosts it is the same share in each direction. The kernel's netem would do the same, and is missing from small kernels.
 */
export async function setLoss({ id }: HostPlace, share: number): Promise<void> {
  await run('tc', ['qdisc', 'del', 'dev', id, 'root']);
  if (share === 0) return;
  // Loads a random number, and picks the packet when that is below the threshold.
  const random = '32 0 0 4294963256';
  const threshold = `53 1 0 ${Math.round(share * 2 ** 32)}`;
  const lines = [
    `qdisc add dev ${id} root handle 1: htb default 1`,
    `class add dev ${id} parent 1: classid 1:1 htb rate 10gbit quantum 60000`,
    `class add dev ${id} parent 1: classid 1:2 htb rate 10gbit quantum 60000`,
    `qdisc add dev ${id} parent 1:2 pfifo limit 0`,
    `filter add dev ${id} parent 1: protocol all bpf bytecode "4,${random},${threshold},6 0 0 4294967295,6 0 0 0" classid 1:2`,
  ];
  await run('tc', ['-batch', '-'], { check: true, input: `${lines.join('\n')}\n` });
}

/** How many packets to the host were lost so since then, and how many were not. */
export async function lossCounts({
  id,
}: HostPlace): Promise<{ readonly lost: number; readonly passed: number }> {
  const { stdout } = await run('tc', ['-s', '-j', 'qdisc', 'show', 'dev', id], { check: true });
  const queues = JSON.parse(stdout) as { kind: string; packets: number; drops: number }[];
  const root = queues.find(({ kind }) => kind === 'htb');
  return { lost: root?.drops ?? 0, passed: root?.packets ?? 0 };
}

/** The cable is in, and no packet is lost. */
export async function renewCable(host: HostPlace): Promise<void> {
  await setCable(host, true);
  await setLoss(host, 0);
  await batch(['neigh flush dev host0 nud permanent'], host.id);
}

/** Removes every cable, namespace and the bridge of a lab, as far as they exist. */
export async function removeNetwork(lab: LabPlace): Promise<void> {
  const names = existsSync('/run/netns') ? readdirSync('/run/netns') : [];
  const ours = names.filter((name) => name.startsWith(`${lab.id}-`));
  const { stdout } = await run('ip', ['-o', 'link', 'show']);
  const links = [...stdout.matchAll(/^\d+: ([^:@]+)/gm)].map((match) => match[1] ?? '');
  const cables = links.filter((name) => name === lab.id || name.startsWith(`${lab.id}-`));
  await batch(cables.map((name) => `link del ${name}`));
  await batch(ours.map((name) => `netns del ${name}`));
}

async function batch(lines: readonly string[], namespace?: string): Promise<void> {
  if (lines.length === 0) return;
  const where = namespace === undefined ? [] : ['-n', namespace];
  await run('ip', [...where, '-batch', '-'], { check: true, input: `${lines.join('\n')}\n` });
}
