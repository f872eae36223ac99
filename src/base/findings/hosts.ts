/** Codes of what differs on a host: files, directories, links, packages, users, the password file, units. See `finding-codes.ts`. */
import type { FindingRule } from './rule.ts';

const provision = 'provision';

export const hostsCodes = {
  FIL001: {
    severity: 'drift',
    title: 'a file is missing',
    consequence: 'what needs it fails at its next start or reload',
    repair: provision,
  },
  FIL002: {
    severity: 'drift',
    title: 'a file has another content',
    consequence: 'it takes effect at the next start or reload of what reads it, if it has not yet',
    repair: provision,
  },
  FIL003: {
    severity: 'drift',
    title: 'a file belongs to another owner or group',
    consequence: 'its rightful reader may not be able to read it, or somebody else can change it',
    repair: provision,
  },
  FIL004: {
    severity: 'drift',
    title: 'a file has another mode',
    consequence: 'the controller refuses files that are open to others, and programs that cannot be run',
    repair: provision,
  },
  FIL005: {
    severity: 'danger',
    title: 'a file with a secret is open to others',
    consequence: 'every account of the host can read the secret, and act as this server',
    repair: provision,
  },
  FIL006: {
    severity: 'danger',
    title: 'a secret is not the one of the cluster',
    consequence: 'this server and the others do not recognise each other once it is read',
    repair: provision,
  },
  FIL007: {
    severity: 'drift',
    title: 'a line is missing in a file of the system',
    consequence: 'the name that it gives is not known on this host',
    repair: provision,
  },
  FIL008: {
    severity: 'drift',
    title: 'a line in a file of the system differs',
    consequence: 'the name that it gives means something else on this host',
    repair: provision,
  },
  DIR001: {
    severity: 'drift',
    title: 'a directory is missing',
    consequence: 'what is kept in it cannot be written',
    repair: provision,
  },
  DIR002: {
    severity: 'drift',
    title: 'a directory belongs to another owner or group',
    consequence: 'the instance or the controller cannot work in it at the next start',
    repair: provision,
  },
  DIR003: {
    severity: 'drift',
    title: 'a directory has another mode',
    consequence: 'who may look into it is not as declared',
    repair: provision,
  },
  DIR004: {
    severity: 'danger',
    title: 'a directory with data or secrets is open to others',
    consequence:
      'other accounts of the host can look into it; PostgreSQL does not start in a data directory that is',
    repair: provision,
  },
  DIR005: {
    severity: 'danger',
    title: 'the management directory lies inside the data directory',
    consequence: 'a rebuild of the data takes the state of the controller away with it',
    repair:
      "stop the server ('mc_ctl stop' on {host}), move {object} out of the data directory, and name its new place in the inventory",
  },
  DIR006: {
    severity: 'degraded',
    title: 'a disk is full',
    consequence: 'what needs room there fails; without room for WAL the instance ends',
    repair: 'make room on the disk of {object} of {host}; what failed goes on by itself',
  },
  LNK001: {
    severity: 'danger',
    title: 'a symbolic link is missing',
    consequence: 'what needs it, such as the server its WAL, does not find it at its next start',
    repair: provision,
  },
  PKG001: {
    severity: 'drift',
    title: 'a package or its program is missing',
    consequence: 'what runs goes on; its next start fails',
    repair: provision,
  },
  PKG003: {
    severity: 'note',
    title: 'a newer minor version is installed than the one that runs',
    consequence: 'its corrections are in force after a restart only',
    repair: 'start every server anew, one after the other: `pgduet rolling-update --packages`',
  },
  PKG004: {
    severity: 'drift',
    title: 'the servers run different minor versions of PostgreSQL',
    consequence: 'defects that one has and the other has not show after a switch',
    repair: 'install the same minor version on all hosts and restart, standbys first',
  },
  PKG005: {
    severity: 'note',
    title: 'the servers run different major versions of Node.js',
    consequence: 'the controllers may behave differently',
    repair: 'install the same version on all hosts',
  },
  PKG006: {
    severity: 'drift',
    title: 'the server runs from another directory than the programs of the inventory',
    consequence:
      'it may be another build than the one that made its data, and than that of the other servers',
    repair: 'start every server anew, one after the other: `pgduet rolling-update --packages`',
  },
  PKG007: {
    severity: 'drift',
    title: 'the servers run builds of different makers',
    consequence:
      'what one was built with, such as ICU, the other may lack: after a switch texts may sort differently',
    repair:
      'install PostgreSQL from the same source on all hosts (postgres.bin_dir names its directory), and restart, standbys first',
  },
  USR001: {
    severity: 'drift',
    title: 'the instance administrator does not exist',
    consequence: 'neither the instance nor the controller can start',
    repair: provision,
  },
  USR002: {
    severity: 'danger',
    title: 'systemd-logind removes the shared memory of the instance at the end of a session',
    consequence:
      'nobody can connect any more, while the connections that are open go on, that of the controller too',
    repair: provision,
  },
  PWD001: {
    severity: 'drift',
    title: 'the password file lacks the line for another server',
    consequence: 'this server cannot follow that one after a switch or a restart',
    repair: provision,
  },
  PWD002: {
    severity: 'drift',
    title: 'the password file has another password for another server',
    consequence: 'this server cannot follow that one after a switch or a restart',
    repair: provision,
  },
  PWD003: {
    severity: 'danger',
    title: 'the password file is open to others',
    consequence: 'every account of the host can read the password, and PostgreSQL ignores the file',
    repair: provision,
  },
  PWD004: {
    severity: 'danger',
    title: 'a line of others answers in place of the one for another server',
    consequence:
      'PostgreSQL sends the password of the first line that fits: after a switch or a restart this server cannot follow, and nobody can take over',
    repair: provision,
  },
  PWD005: {
    severity: 'drift',
    title: 'the password file has a line for an address that no server has any more',
    consequence: 'whoever has that address now would be sent the password by whoever connects there',
    repair: provision,
  },
  UNT001: {
    severity: 'drift',
    title: 'the unit is missing',
    consequence: 'after a reboot neither the controller nor the instance starts',
    repair: provision,
  },
  UNT002: {
    severity: 'drift',
    title: 'the unit has another content',
    consequence: 'it is in force at the next start of the unit',
    repair: provision,
  },
  UNT003: {
    severity: 'drift',
    title: 'the unit is not enabled',
    consequence: 'after a reboot neither the controller nor the instance starts',
    repair: provision,
  },
  UNT004: {
    severity: 'drift',
    title: 'systemd has not read the unit since it was written',
    consequence: 'systemd acts by the older text until it does',
    repair: provision,
  },
  UNT005: {
    severity: 'note',
    title: 'the unit was started from an older text',
    consequence: 'what has changed in it is in force after its next start',
    repair:
      "restart the unit in a quiet moment: systemctl restart {object} on {host}; on a primary after 'pgduet switch'",
  },
  UNT006: {
    severity: 'note',
    title: 'a drop-in changes the unit',
    consequence: 'the unit does what the drop-in says, which no inventory declares',
    repair: "look at it with `systemctl cat {object}` on {host}; 'systemctl revert' takes it away",
  },
  UNT007: {
    severity: 'drift',
    title: 'the file of the unit has another owner or mode',
    consequence: 'somebody else may be able to change what runs',
    repair: provision,
  },
  UNT010: {
    severity: 'degraded',
    title: 'a drop-in is there to let commands gain privileges, and the unit does not let them',
    consequence: 'sudo and the like fail in commands of the controller and of the instance',
    repair:
      'write unit_allows: [privileges] into multiplexing of the inventory, then run provision; or remove the drop-in',
  },
  UNT011: {
    severity: 'note',
    title: 'a command asks for privileges that the unit does not let it gain',
    consequence: 'it fails when the controller needs it, unless it can do without',
    repair:
      'write unit_allows: [privileges] into multiplexing of the inventory, then run provision and restart the units; or let the command do without',
  },
  INI001: {
    severity: 'drift',
    title: 'the init script is missing',
    consequence:
      'after a reboot it does not start (neither controller nor instance, or the arbiter), and a shutdown ends it without order',
    repair: provision,
  },
  INI002: {
    severity: 'drift',
    title: 'the init script has another content',
    consequence: 'the next boot or shutdown does what it says, which no inventory declares',
    repair: provision,
  },
  INI003: {
    severity: 'drift',
    title: 'the init script is not switched on',
    consequence: 'after a reboot it does not start: neither controller nor instance, or the arbiter',
    repair: provision,
  },
  INI004: {
    severity: 'drift',
    title: 'the init script has another owner or mode',
    consequence: 'somebody else may be able to change what root runs at boot',
    repair: provision,
  },
  INI005: {
    severity: 'note',
    title: 'the host has no systemd',
    consequence:
      'nobody starts it again when it crashes or hangs: without its controller a server goes on and nobody switches, without the arbiter nobody acts on a silence; and nothing keeps it from the rest of the host',
    repair:
      'watch that it runs: pgduet check says CTL001 or ARB001 where it does not, and pgduet provision starts it',
  },
} as const satisfies Record<string, FindingRule>;
