/**
 * One booted container: the systemd-nspawn process of a host from power-on to power-off.
 * In: the host's place, its root directory, its extra disks. Out: the process, its first process
 * inside, and how it ended. It must never outlive the process that started it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { SmallDisk } from './disk.ts';
import { environment } from './machine.ts';
import type { HostPlace } from './places.ts';
import { until } from './run.ts';

/** nspawn ends with this status when the system inside has asked for a reboot. */
const REBOOT_STATUS = 133;

export interface ContainerSpec {
  place: HostPlace;
  name: string;
  root: string;
  cgroup: string;
  disks: readonly SmallDisk[];
}

export interface Container {
  process: ChildProcess;
  /** Resolves when the container has ended: `true` when it wants to come back. */
  ended: Promise<boolean>;
}

/**
 * The shell enters the host's cgroup before nspawn starts, so that everything is in it. Without
 * a cgroup per host, two hosts would share one tree of units and stop each other's services.
 */
export function startContainer(spec: ContainerSpec): Container {
  const console = openSync(join(spec.place.dir, 'console'), 'a');
  const enter = 'echo $$ > "$1/cgroup.procs"; shift; exec "$@"';
  const args = ['--pdeathsig', 'KILL', 'sh', '-c', enter, 'sh', spec.cgroup, 'systemd-nspawn'];
  const child = spawn('setpriv', [...args, ...nspawnArguments(spec)], {
    stdio: ['ignore', console, console],
    detached: true,
    // The parameters of the network belong to the namespace of the host, which may set them.
    env: {
      ...environment(),
      SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1',
      SYSTEMD_NSPAWN_API_VFS_WRITABLE: 'network',
    },
  });
  closeSync(console);
  const ended = once(child, 'exit').then(([status]) => status === REBOOT_STATUS);
  return { process: child, ended };
}

function nspawnArguments(spec: ContainerSpec): string[] {
  return [
    '--quiet',
    '--boot',
    '--register=no',
    '--keep-unit',
    `--directory=${spec.root}`,
    `--machine=${spec.place.id}`,
    `--hostname=${spec.name}`,
    `--network-namespace-path=/run/netns/${spec.place.id}`,
    // What root of a real server may do, but not set the clock: it is this machine's own.
    '--capability=CAP_NET_ADMIN,CAP_IPC_LOCK,CAP_SYS_RESOURCE',
    '--rlimit=RLIMIT_NOFILE=1024:524288',
    '--resolv-conf=off',
    '--timezone=off',
    '--link-journal=no',
    '--kill-signal=SIGRTMIN+3',
    ...spec.disks.map((disk) => `--bind=${disk.outside}:${disk.mountpoint}`),
  ];
}

/** The number, on this machine, of the process that is number 1 inside. */
export function leaderOf(container: Container): number | undefined {
  const { pid, exitCode, signalCode } = container.process;
  if (pid === undefined || exitCode !== null || signalCode !== null) return undefined;
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    return children.filter(Boolean).map(Number).find(isFirstInside);
  } catch {
    return undefined;
  }
}

function isFirstInside(pid: number): boolean {
  return /^NSpid:.*\t1$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

/** Waits until sshd greets and lets ordinary users in; on failure quotes the host's console. */
export async function waitForSsh(spec: ContainerSpec, withinMs: number): Promise<void> {
  const consoleText = () => readFileSync(join(spec.place.dir, 'console'), 'utf8').slice(-2000);
  await until(
    () => `host ${spec.name} did not come up within ${withinMs} ms:\n${consoleText()}`,
    withinMs,
    async () => ((await greets(spec.place.address)) ? true : undefined),
    20,
  );
}

function greets(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: 22 });
    const finish = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(300, () => finish(false));
    socket.once('error', () => finish(false));
    socket.once('data', (data) => finish(data.toString().startsWith('SSH-')));
  });
}
