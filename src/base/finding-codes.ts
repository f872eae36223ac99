/**
 * Every code of a difference that `pgduet check` may tell, with how grave it is, what happens if nothing is done, and
 * what mends it. `docs/check.md` is made from this table. A code never changes its meaning; a new meaning gets a new code.
 * FIL files · DIR directories · PKG packages · PWD password file · UNT units · SET settings · HBA client rules · ROL roles ·
 * SLT slots · ARC archive · REP replication · PEE one server beside another · CTL controller · NET network · CLK clocks.
 */

/**
 * danger: data, commits or secrets are at risk. degraded: it works, and not as a whole; up to the controller or a person.
 * drift: not as declared. unknown: could not be looked at. note: worth knowing, and nothing to do.
 */
export const severities = ['danger', 'degraded', 'drift', 'unknown', 'note'] as const;
export type Severity = (typeof severities)[number];

export interface FindingRule {
  readonly severity: Severity;
  readonly title: string;
  /** What will happen if nothing is done; a sentence without its full stop. */
  readonly consequence: string;
  /** 'provision', or what a person does; `{host}` and `{object}` are put in. */
  readonly mend: string;
}

const provision = 'provision';

export const findingCodes = {
  FIL001: {
    severity: 'drift',
    title: 'a file is missing',
    consequence: 'what needs it fails at its next start or reload',
    mend: provision,
  },
  FIL002: {
    severity: 'drift',
    title: 'a file has another content',
    consequence: 'it takes effect at the next start or reload of what reads it, if it has not yet',
    mend: provision,
  },
  FIL003: {
    severity: 'drift',
    title: 'a file belongs to another owner or group',
    consequence: 'its rightful reader may not be able to read it, or somebody else can change it',
    mend: provision,
  },
  FIL004: {
    severity: 'drift',
    title: 'a file has another mode',
    consequence: 'the controller refuses files that are open to others, and programs that cannot be run',
    mend: provision,
  },
  FIL005: {
    severity: 'danger',
    title: 'a file with a secret is open to others',
    consequence: 'every account of the host can read the secret, and act as this server',
    mend: provision,
  },
  FIL006: {
    severity: 'danger',
    title: 'a secret is not the one of the cluster',
    consequence: 'this server and the others do not recognise each other once it is read',
    mend: provision,
  },
  FIL007: {
    severity: 'drift',
    title: 'a line is missing in a file of the system',
    consequence: 'the name that it gives is not known on this host',
    mend: provision,
  },
  FIL008: {
    severity: 'drift',
    title: 'a line in a file of the system differs',
    consequence: 'the name that it gives means something else on this host',
    mend: provision,
  },
  DIR001: {
    severity: 'drift',
    title: 'a directory is missing',
    consequence: 'what is kept in it cannot be written',
    mend: provision,
  },
  DIR002: {
    severity: 'drift',
    title: 'a directory belongs to another owner or group',
    consequence: 'the instance or the controller cannot work in it at the next start',
    mend: provision,
  },
  DIR003: {
    severity: 'drift',
    title: 'a directory has another mode',
    consequence: 'who may look into it is not as declared',
    mend: provision,
  },
  DIR004: {
    severity: 'danger',
    title: 'a directory with data or secrets is open to others',
    consequence:
      'other accounts of the host can look into it; PostgreSQL does not start in a data directory that is',
    mend: provision,
  },
  DIR005: {
    severity: 'danger',
    title: 'the management directory lies inside the data directory',
    consequence: 'a rebuild of the data takes the state of the controller away with it',
    mend: "stop the server ('mc_ctl stop' on {host}), move {object} out of the data directory, and name its new place in the inventory",
  },
  LNK001: {
    severity: 'danger',
    title: 'a symbolic link is missing or leads elsewhere',
    consequence: 'WAL is not on the disk that it was meant for',
    mend: "stop the server ('mc_ctl stop' on {host}), move what stands at {object} to the declared place, and make the link again",
  },
  PKG001: {
    severity: 'drift',
    title: 'a package or its program is missing',
    consequence: 'what runs goes on; its next start fails',
    mend: provision,
  },
  PKG002: {
    severity: 'degraded',
    title: 'a program is too old or missing',
    consequence: 'the Mirroring Controller does not start the next time',
    mend: "install a newer {object} on {host} from the operating system's packages",
  },
  PKG003: {
    severity: 'note',
    title: 'a newer minor version is installed than the one that runs',
    consequence: 'its corrections are in force after a restart only',
    mend: 'restart the standbys first, then switch and restart the former primary: systemctl restart of the unit on {host}',
  },
  PKG004: {
    severity: 'drift',
    title: 'the servers run different minor versions of PostgreSQL',
    consequence: 'defects that one has and the other has not show after a switch',
    mend: 'install the same minor version on all hosts and restart, standbys first',
  },
  PKG005: {
    severity: 'note',
    title: 'the servers run different major versions of Node.js',
    consequence: 'the controllers may behave differently',
    mend: 'install the same version on all hosts',
  },
  USR001: {
    severity: 'drift',
    title: 'the instance administrator does not exist',
    consequence: 'neither the instance nor the controller can start',
    mend: provision,
  },
  PWD001: {
    severity: 'drift',
    title: 'the password file lacks the line for another server',
    consequence: 'this server cannot follow that one after a switch or a restart',
    mend: provision,
  },
  PWD002: {
    severity: 'drift',
    title: 'the password file has another password for another server',
    consequence: 'this server cannot follow that one after a switch or a restart',
    mend: provision,
  },
  PWD003: {
    severity: 'danger',
    title: 'the password file is open to others',
    consequence: 'every account of the host can read the password, and PostgreSQL ignores the file',
    mend: provision,
  },
  PRT001: {
    severity: 'danger',
    title: 'a port is used by another program',
    consequence: 'the server cannot start the next time',
    mend: 'stop the program that uses {object} on {host}, or name another port in the inventory',
  },
  UNT001: {
    severity: 'drift',
    title: 'the unit is missing',
    consequence: 'after a reboot neither the controller nor the instance starts',
    mend: provision,
  },
  UNT002: {
    severity: 'drift',
    title: 'the unit has another content',
    consequence: 'it is in force at the next start of the unit',
    mend: provision,
  },
  UNT003: {
    severity: 'drift',
    title: 'the unit is not enabled',
    consequence: 'after a reboot neither the controller nor the instance starts',
    mend: provision,
  },
  UNT004: {
    severity: 'drift',
    title: 'systemd has not read the unit since it was written',
    consequence: 'systemd acts by the older text until it does',
    mend: provision,
  },
  UNT005: {
    severity: 'note',
    title: 'the unit was started from an older text',
    consequence: 'what has changed in it is in force after its next start',
    mend: "restart the unit in a quiet moment: systemctl restart {object} on {host}; on a primary after 'pgduet switch'",
  },
  UNT006: {
    severity: 'note',
    title: 'a drop-in changes the unit',
    consequence: 'the unit does what the drop-in says, which no inventory declares',
    mend: "look at it with 'systemctl cat {object}' on {host}; 'systemctl revert' takes it away",
  },
  UNT007: {
    severity: 'drift',
    title: 'the file of the unit has another owner or mode',
    consequence: 'somebody else may be able to change what runs',
    mend: provision,
  },
  SET001: {
    severity: 'drift',
    title: 'a setting has another value in postgresql.conf, or none',
    consequence: 'it is in force already, or at the next reload or restart',
    mend: provision,
  },
  SET002: {
    severity: 'drift',
    title: 'ALTER SYSTEM holds another value over the declared one',
    consequence: 'the declared value has no effect',
    mend: provision,
  },
  SET003: {
    severity: 'drift',
    title: 'an included file holds another value over the declared one',
    consequence: 'the declared value has no effect',
    mend: 'remove the line {object} on {host}, and reload: pg_ctl reload',
  },
  SET004: {
    severity: 'drift',
    title: 'the command line of the server holds another value over the declared one',
    consequence: 'the declared value has no effect until the server is started without it',
    mend: "restart the instance on {host} by its controller, which gives no such option; on a primary after 'pgduet switch'",
  },
  SET005: {
    severity: 'drift',
    title: 'a role or a database has another value than the declared one',
    consequence: 'the declared value has no effect in their sessions',
    mend: '{object}',
  },
  SET006: {
    severity: 'drift',
    title: 'the server has not read postgresql.conf since it was written',
    consequence: 'a change that nobody expects comes into force at the next reload',
    mend: provision,
  },
  SET007: {
    severity: 'drift',
    title: 'a setting waits for a restart',
    consequence: 'the old value is in force until the server is restarted, whenever that is',
    mend: provision,
  },
  SET008: {
    severity: 'danger',
    title: 'a configuration file has an error',
    consequence: 'no change of the configuration is taken over, and the server does not start the next time',
    mend: 'correct or remove the line {object} on {host}, and reload: pg_ctl reload',
  },
  SET009: {
    severity: 'drift',
    title: 'a setting stands in our block and is declared no more',
    consequence: 'it stays in force although the inventory does not know it',
    mend: provision,
  },
  SET010: {
    severity: 'danger',
    title: 'ALTER SYSTEM holds a setting that the controller manages',
    consequence: 'the controller cannot take a standby out: commits may wait for ever, or not wait at all',
    mend: provision,
  },
  SET011: {
    severity: 'danger',
    title: 'an included file holds a setting that the controller manages',
    consequence: 'the controller cannot take a standby out: commits may wait for ever, or not wait at all',
    mend: 'remove the line {object} on {host}, and reload: pg_ctl reload',
  },
  SET012: {
    severity: 'danger',
    title: 'a setting lets acknowledged commits be lost',
    consequence: 'after a crash or a switch, rows that clients were told to be safe are missing',
    mend: 'take the setting {object} away where it stands on {host}, or declare what you mean in the inventory (postgres.settings)',
  },
  SET013: {
    severity: 'drift',
    title: 'a configuration file has another owner or mode',
    consequence: 'the server may not be able to read it, or others can',
    mend: provision,
  },
  SET014: {
    severity: 'note',
    title: 'a setting is made by hand and not declared',
    consequence: 'a new standby, or a rebuilt server, may not have it',
    mend: 'declare {object} in the inventory (postgres.settings), or take it away on {host}',
  },
  SET015: {
    severity: 'danger',
    title: 'the server reads its configuration from another file than the one in its data directory',
    consequence: 'neither pgduet nor the controller can change what is in force',
    mend: 'take {object} away where it stands on {host}, and restart the server by its controller',
  },
  SET016: {
    severity: 'drift',
    title: 'the value in force is not the declared one, and the file is not to blame',
    consequence: 'the declared value has no effect',
    mend: 'find out where {object} comes from: select * from pg_settings on {host}',
  },
  HBA001: {
    severity: 'drift',
    title: 'the client rules differ',
    consequence: 'somebody is let in or kept out who should not be, at the latest after the next reload',
    mend: provision,
  },
  HBA002: {
    severity: 'danger',
    title: "a client rule says 'trust'",
    consequence: 'whoever reaches the server comes in without a password',
    mend: provision,
  },
  HBA003: {
    severity: 'drift',
    title: 'the server has not read pg_hba.conf since it was written',
    consequence: 'a change that nobody expects comes into force at the next reload',
    mend: provision,
  },
  HBA004: {
    severity: 'danger',
    title: 'a client rule has an error',
    consequence: 'no change of the rules is taken over, and the server does not start the next time',
    mend: provision,
  },
  HBA006: {
    severity: 'drift',
    title: 'pg_hba.conf has another owner or mode',
    consequence: 'the server may not be able to read it, or others can change it',
    mend: provision,
  },
  ROL001: {
    severity: 'danger',
    title: 'the role of the standbys does not exist',
    consequence: 'no standby can connect: commits wait until the standbys are taken out',
    mend: provision,
  },
  ROL002: {
    severity: 'drift',
    title: 'a role has other attributes',
    consequence: 'it may do less or more than it should',
    mend: provision,
  },
  ROL003: {
    severity: 'danger',
    title: 'the role of the standbys is a superuser',
    consequence: 'who knows the password of the replication can do everything',
    mend: provision,
  },
  ROL004: {
    severity: 'danger',
    title: 'the password of a role differs',
    consequence: 'a standby that has to connect again cannot: commits wait until it is taken out',
    mend: provision,
  },
  ROL005: {
    severity: 'drift',
    title: 'a password is not kept as SCRAM',
    consequence: 'who reads the stored value can use it; newer versions of PostgreSQL do not accept it',
    mend: 'set the password of {object} anew (\\password in psql): it is kept as SCRAM then',
  },
  ROL006: {
    severity: 'note',
    title: 'a role besides the administrator is a superuser',
    consequence: 'it can do everything, also on the host',
    mend: 'if it need not be: ALTER ROLE {object} NOSUPERUSER',
  },
  ROL007: {
    severity: 'danger',
    title: 'a role may not log in any more, or only few times at once',
    consequence: 'a standby that has to connect again cannot: commits wait until it is taken out',
    mend: provision,
  },
  SLT001: {
    severity: 'drift',
    title: 'the slot of a base backup was left behind',
    consequence: 'it keeps WAL until the disk is full',
    mend: provision,
  },
  SLT002: {
    severity: 'degraded',
    title: 'a slot that nobody uses keeps WAL',
    consequence: 'it keeps WAL until the disk of the primary is full, and every write stops',
    mend: "if nobody needs it: select pg_drop_replication_slot('{object}') on {host}",
  },
  SLT003: {
    severity: 'degraded',
    title: 'a slot has lost the WAL that its user needs',
    consequence: 'its user cannot go on and has to be made anew',
    mend: "make its user anew, then: select pg_drop_replication_slot('{object}') on {host}",
  },
  SUM001: {
    severity: 'drift',
    title: 'the data has no checksums',
    consequence: 'a page that the disk has damaged is not noticed, and may be copied to the standby',
    mend: 'with the server stopped: pg_checksums --enable, on every server, standbys first ({host})',
  },
  ARC001: {
    severity: 'degraded',
    title: 'the archiver fails',
    consequence:
      'WAL piles up until the disk is full, and nothing can be restored to a moment after the failure',
    mend: 'read the server log on {host}, and mend archive_command or its target',
  },
  REP001: {
    severity: 'degraded',
    title: 'a standby is not connected',
    consequence: 'commits wait for it, or are on one server only once it is taken out',
    mend: "look at the server log of {object}; 'pgduet status' says what its controller sees",
  },
  REP002: {
    severity: 'degraded',
    title: 'a standby does not stream yet',
    consequence: 'it cannot take over before it has caught up',
    mend: "wait until it has; 'pgduet status --watch' shows the distance",
  },
  REP003: {
    severity: 'danger',
    title: 'no standby is synchronous',
    consequence: 'a commit is on one server only: it is lost if that one fails',
    mend: provision,
  },
  REP004: {
    severity: 'note',
    title: 'somebody else replicates from a server',
    consequence: 'the data also goes where the inventory does not say',
    mend: 'if it is unknown to you: find it by its address, and take its rule and role away',
  },
  REP005: {
    severity: 'drift',
    title: 'a standby comes from another address than the declared one',
    consequence: 'replication runs over another network than the one that was meant for it',
    mend: 'compare log_transfer_address in the inventory with the routes of {object}',
  },
  REP006: {
    severity: 'degraded',
    title: 'a standby is behind',
    consequence: 'a takeover has to replay that first, and takes longer',
    mend: 'look for long queries, a slow disk or network on {object}',
  },
  REP007: {
    severity: 'danger',
    title: 'a standby is on another timeline than the primary',
    consequence: 'it does not get what is committed, and must not take over',
    mend: 'pgduet rebuild {object}',
  },
  REP008: {
    severity: 'note',
    title: 'queries on a standby were cancelled because they held up replay',
    consequence: 'readers of the standby see errors from time to time',
    mend: 'set max_standby_streaming_delay or hot_standby_feedback (postgres.settings) if that is too often',
  },
  REP009: {
    severity: 'degraded',
    title: 'replay is paused on a standby',
    consequence: 'it shows old data, and a takeover has to replay everything since then',
    mend: 'select pg_wal_replay_resume() on {host}; below the limits of its primary a restart with higher ones',
  },
  REP010: {
    severity: 'danger',
    title: 'a standby that is away needs WAL that the primary will not keep',
    consequence: 'it cannot follow any more and has to be rebuilt',
    mend: 'bring it back soon, or pgduet rebuild {object}',
  },
  REP011: {
    severity: 'drift',
    title: 'a standby follows another server than the primary',
    consequence: 'its commits are confirmed by nobody, and it is lost when that server is',
    mend: provision,
  },
  REP012: {
    severity: 'danger',
    title: 'the files that say what a server is contradict each other',
    consequence: 'at its next start the server is something else than it is now',
    mend: 'compare the server with its files on {host} (standby.signal, recovery.signal), and remove {object} or make it again',
  },
  REP013: {
    severity: 'degraded',
    title: 'a standby applies what it has received with a delay',
    consequence: 'a takeover waits for all that was held back',
    mend: 'take recovery_min_apply_delay away on {host}',
  },
  PEE001: {
    severity: 'danger',
    title: 'a standby has a lower limit than its primary',
    consequence: 'it stops replay or does not start, and cannot take over',
    mend: 'declare {object} in the inventory (postgres.settings), the same for all servers, and run: pgduet provision',
  },
  PEE002: {
    severity: 'drift',
    title: 'a setting differs between the servers',
    consequence: 'the cluster behaves differently after a switch',
    mend: 'declare {object} in the inventory (postgres.settings), or set it alike on all servers',
  },
  CTL001: {
    severity: 'degraded',
    title: 'the Mirroring Controller does not run',
    consequence: 'nobody switches or takes a standby out when something fails',
    mend: provision,
  },
  CTL002: {
    severity: 'drift',
    title: 'the Mirroring Controller runs an older program than the file',
    consequence: 'corrections are in force after its restart only; the instance is not touched by that',
    mend: provision,
  },
  CTL003: {
    severity: 'drift',
    title: 'the Mirroring Controller has not read its files since they were written',
    consequence: 'it acts by the older ones until it does',
    mend: provision,
  },
  CTL004: {
    severity: 'degraded',
    title: 'automatic switching is off, and declared on',
    consequence: 'nobody switches or takes a standby out when something fails: commits wait for a person',
    mend: 'mc_ctl enable-failover on {host}, as the instance administrator',
  },
  CTL005: {
    severity: 'degraded',
    title: 'automatic switching is on, and declared off',
    consequence: 'the controllers switch by themselves',
    mend: 'mc_ctl disable-failover on {host}, as the instance administrator',
  },
  CTL006: {
    severity: 'drift',
    title: 'the controllers are of different versions',
    consequence: 'they may judge one fault differently',
    mend: provision,
  },
  CTL007: {
    severity: 'degraded',
    title: 'a switch is not possible',
    consequence: 'if the primary fails now, nobody takes over',
    mend: "do what 'mc_ctl status' on {host} advises",
  },
  CTL008: {
    severity: 'degraded',
    title: 'the instance does not run',
    consequence: 'clients and standbys cannot use this server',
    mend: provision,
  },
  CTL009: {
    severity: 'drift',
    title: 'PostgreSQL gives a dead connection up at another time than the controllers',
    consequence: 'one layer acts while the other one still waits',
    mend: 'take {object} away where it stands on {host}; the declared value follows multiplexing.heartbeat',
  },
  PRF001: {
    severity: 'note',
    title: 'another server is primary than the preferred one',
    consequence: 'the roles are as after the last switch, which is no fault',
    mend: 'pgduet switch --to {object}',
  },
  CLK001: {
    severity: 'degraded',
    title: 'the clocks of two servers differ',
    consequence: 'logs and timeouts of the two cannot be compared, and provision refuses to work',
    mend: 'set up time synchronisation (chrony or systemd-timesyncd) on both hosts',
  },
  NET001: {
    severity: 'degraded',
    title: "a server cannot reach another one's PostgreSQL on the network for replication",
    consequence: 'after a switch the two cannot replicate',
    mend: 'look at firewall, routes and listen_addresses between {host} and {object}',
  },
  NET002: {
    severity: 'degraded',
    title: "a controller cannot reach another one's on the admin network",
    consequence: 'each takes the other for dead and acts by the policy for a lost heartbeat',
    mend: 'look at firewall and routes between {host} and {object}',
  },
  LOK001: {
    severity: 'unknown',
    title: 'something could not be looked at',
    consequence: 'nobody knows whether it is as declared',
    mend: 'remove the reason, and check again',
  },
  LOK002: {
    severity: 'unknown',
    title: 'a host cannot be reached',
    consequence: 'nobody knows what is on it; the others were checked',
    mend: 'make {host} reachable, and check again',
  },
} as const satisfies Record<string, FindingRule>;

export type FindingCode = keyof typeof findingCodes;
