/**
 * What a unit of pgduet takes away from everything that runs in it, and what the inventory can give back because a command needs it. The
 * unit holds the controller, the instance, and each program that these start. In: allowances. Out: lines of its section [Service]. Pure.
 */

/** What `multiplexing.unit_allows` may hold: the word, what it is for, and what it costs. */
export const allowances = {
  privileges:
    'sudo, su and other programs that gain privileges; nearly all that the unit takes away is given back with it',
  devices: 'devices: tapes, TPM, GPU, watchdogs, and the clock of the hardware',
  system_calls:
    'debuggers and profilers, programs of another architecture, sandboxes and containers (namespaces)',
} as const;

export type Allowance = keyof typeof allowances;

export const allowanceNames = Object.keys(allowances) as [Allowance, ...Allowance[]];

interface Limit {
  readonly line: string;
  /** It goes with any of these. */
  readonly until: readonly Allowance[];
}

/** An older systemd, such as 252, takes each of these, in a unit with a user, for NoNewPrivileges as well: they go together. */
const filtered = (line: string, ...until: readonly Allowance[]): Limit => ({
  line,
  until: ['privileges', ...until],
});
const always = (line: string): Limit => ({ line, until: [] });

/**
 * Not here, since PostgreSQL, Node.js or usual commands would break: MemoryDenyWriteExecute (compilers of Node.js and of queries),
 * PrivateTmp (sockets, locks of backup programs), ProtectHome (data, archives), ProtectProc (processes that a command looks for),
 * ProcSubset (huge pages), PrivateUsers (peer), RemoveIPC (the instance outlives its unit), @privileged and @resources as a whole (chown of
 * sockets, what ping calls, ionice).
 */
const limits: readonly Limit[] = [
  filtered('NoNewPrivileges=yes'),
  // A program whose file names one beyond these (ping, vault) would not even start where its file system is not mounted without set-user-ID.
  filtered('CapabilityBoundingSet=CAP_NET_RAW CAP_IPC_LOCK CAP_NET_BIND_SERVICE'),
  filtered('RestrictSUIDSGID=yes'),
  filtered('RestrictRealtime=yes'),
  filtered('RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK'),
  filtered('LockPersonality=yes'),
  filtered('RestrictNamespaces=yes', 'system_calls'),
  filtered('SystemCallArchitectures=native', 'system_calls'),
  // A list of what is denied: what is new in a kernel, and what an extension calls, goes on. A call is refused, and nobody is killed.
  filtered(
    'SystemCallFilter=~@clock @cpu-emulation @debug @module @mount @obsolete @raw-io @reboot @swap',
    'system_calls',
  ),
  filtered('SystemCallErrorNumber=EPERM', 'system_calls'),
  filtered('PrivateDevices=yes', 'devices'),
  { line: 'DevicePolicy=closed', until: ['devices'] },
  // With it a list of devices would hold from then on.
  filtered('ProtectClock=yes', 'devices'),
  always('PrivateMounts=yes'),
  filtered('ProtectHostname=yes'),
  always('ProtectControlGroups=yes'),
  filtered('ProtectKernelLogs=yes'),
  filtered('ProtectKernelModules=yes'),
  filtered('ProtectKernelTunables=yes'),
];

export const limitLines = (allowed: readonly Allowance[]): readonly string[] =>
  limits.filter(({ until }) => !until.some((one) => allowed.includes(one))).map(({ line }) => line);

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
