/** What is known of every host before anything is declared: system, clock, service manager. A probe like any other. Pure. */
import { askServiceManager, type ServiceManager, serviceManagerOf } from '../base/service-managers.ts';
import type { Probe, ProbeReply } from '../resources/contract/kind.ts';

export interface Facts {
  /** "Debian GNU/Linux 12 (bookworm)" */
  readonly system: string;
  /** ID and ID_LIKE of /etc/os-release: ["ubuntu", "debian"]. */
  readonly distributions: readonly string[];
  readonly architecture: string;
  readonly hostname: string;
  readonly user: string;
  readonly serviceManager: ServiceManager;
  /** Changes with every start of the operating system. */
  readonly bootId: string;
  /** Path of Node.js, if there is one. */
  readonly node?: string;
  /** needrestart is there, which restarts services whose libraries have changed. */
  readonly needrestart?: true;
  /** Milliseconds since 1970 by the host's own clock. */
  readonly clockMs: number;
}

export const factsProbe: Probe = {
  shell: `date +%s.%N
. /etc/os-release 2>/dev/null; echo "$PRETTY_NAME"; echo "$ID $ID_LIKE"
set -- $(uname -nm)
echo "$2"
echo "$1"
echo "$ME"
${askServiceManager}
read -r boot < /proc/sys/kernel/random/boot_id; echo "$boot"
command -v node || command -v nodejs || echo
if [ -d /etc/needrestart ]; then echo needrestart; fi`,
};

/** Undefined when the host did not answer as a Linux host does. */
export function readFacts(reply: ProbeReply): Facts | undefined {
  const [
    clock = '',
    system = '',
    ids = '',
    architecture = '',
    hostname = '',
    user = '',
    manager,
    bootId = '',
    node = '',
    needrestart = '',
  ] = reply.stdout.split('\n');
  if (!/^\d+(\.\d+)?/.test(clock) || architecture === '') return undefined;
  return {
    system,
    distributions: ids.split(' ').filter((id) => id !== ''),
    architecture,
    hostname,
    user,
    serviceManager: serviceManagerOf(manager),
    bootId,
    clockMs: Number(clock) * 1000,
    ...(node ? { node } : {}),
    ...(needrestart === 'needrestart' ? { needrestart: true as const } : {}),
  };
}
