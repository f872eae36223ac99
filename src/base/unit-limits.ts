/**
 * What a unit of pgduet takes away from everything that runs in it, and what the inventory can give back because a command needs it. The
 * unit holds the controller, the instance, and each program that these start. In: allowances. Out: lines of its section [Service]. Pure.
 */

/** What `multiplexing.unit_allows` may hold: the word, what it is for, and what it costs. */
export const allowances = {
  privileges:
    'sudo, su and other programs that gain privileges, and packets of their own (arping); takes in system_calls',
  devices: 'devices: tapes, TPM, GPU, watchdogs, and the clock of the hardware',
  system_calls:
    'debuggers and profilers, programs of another architecture, sandboxes and containers (namespaces)',
} as const;

export type Allowance = keyof typeof allowances;

export const allowanceNames = Object.keys(allowances) as [Allowance, ...Allowance[]];

interface Limit {
  readonly line: string;
  /** It goes with this one. */
  readonly until?: Allowance;
  /** What stands in its place then. */
  readonly instead?: string;
}

/**
 * Not here, since PostgreSQL, Node.js or usual commands would break: MemoryDenyWriteExecute (compilers of Node.js and of queries),
 * PrivateTmp (sockets, locks of backup programs), ProtectHome (data, archives), ProtectProc (processes that a command looks for),
 * ProcSubset (huge pages), PrivateUsers (peer), RemoveIPC (the instance outlives its unit), @privileged and @resources as a whole (chown of
 * sockets, what ping calls, ionice).
 */
const limits: readonly Limit[] = [
  { line: 'NoNewPrivileges=yes', until: 'privileges' },
  // Where a file system is not mounted without set-user-ID, ping would not even start without the one that its file names.
  { line: 'CapabilityBoundingSet=CAP_NET_RAW', until: 'privileges' },
  { line: 'RestrictSUIDSGID=yes' },
  { line: 'RestrictRealtime=yes' },
  {
    line: 'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK',
    until: 'privileges',
    instead: 'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK AF_PACKET',
  },
  { line: 'LockPersonality=yes' },
  { line: 'RestrictNamespaces=yes', until: 'system_calls' },
  { line: 'SystemCallArchitectures=native', until: 'system_calls' },
  // A list of what is denied: what is new in a kernel, and what an extension calls, goes on. A call is refused, and nobody is killed.
  {
    line: 'SystemCallFilter=~@clock @cpu-emulation @debug @module @mount @obsolete @raw-io @reboot @swap',
    until: 'system_calls',
  },
  { line: 'SystemCallErrorNumber=EPERM', until: 'system_calls' },
  { line: 'PrivateDevices=yes', until: 'devices' },
  { line: 'DevicePolicy=closed', until: 'devices' },
  // With it a list of devices would hold from then on.
  { line: 'ProtectClock=yes', until: 'devices' },
  { line: 'PrivateMounts=yes' },
  { line: 'ProtectHostname=yes' },
  { line: 'ProtectControlGroups=yes' },
  { line: 'ProtectKernelLogs=yes' },
  { line: 'ProtectKernelModules=yes' },
  { line: 'ProtectKernelTunables=yes' },
];

/** Root, whom a command becomes, is not held by a list of calls either. */
const implied: Readonly<Partial<Record<Allowance, Allowance>>> = { privileges: 'system_calls' };

export function limitLines(allowed: readonly Allowance[]): readonly string[] {
  const given = new Set<Allowance>(allowed.flatMap((one) => [one, implied[one] ?? one]));
  return limits.flatMap(({ line, until, instead }) => {
    if (until === undefined || !given.has(until)) return [line];
    return instead === undefined ? [] : [instead];
  });
}

const isLimit = (name: string): boolean =>
  limits.some(({ line }) => line.startsWith(`${name}=`)) || /^(Protect|Private)[A-Z]/.test(name);

const limitsIn = (text: string): ReadonlyMap<string, string> =>
  new Map(
    text.split('\n').flatMap((line): [string, string][] => {
      const [, name = '', value = ''] = /^([A-Za-z]+)=(.*)$/.exec(line) ?? [];
      return isLimit(name) ? [[name, value]] : [];
    }),
  );

/** Names of the limits of a unit that were not in its text before, or not in these words. */
export function newLimits(before: string, after: string): readonly string[] {
  const had = limitsIn(before);
  return [...limitsIn(after)].flatMap(([name, value]) => (had.get(name) === value ? [] : [name]));
}

/** Whether a unit of this text takes from a program that becomes somebody else what it needs for it. */
export const holdsPrivileges = (text: string): boolean => limitsIn(text).has('CapabilityBoundingSet');
