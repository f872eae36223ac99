/**
 * The catalogue of messages: number → type, text with {parameters}, cause, what the system did, what to do.
 * In: number and values. Out: the line for the log. `docs/messages.md` is made from this table.
 * A number never changes its meaning; MCA00062 is the one that operators know from elsewhere. Pure.
 */

export type MessageType = 'INFO' | 'LOG' | 'NOTICE' | 'WARNING' | 'ERROR' | 'FATAL' | 'PANIC';

export interface Message {
  readonly type: MessageType;
  readonly text: string;
  readonly cause: string;
  readonly did: string;
  readonly todo: string;
}

const nothing = 'Nothing.';

export const messages = {
  MCA00062: {
    type: 'LOG',
    text: 'promotion processing completed',
    cause: 'This server has become primary by a switch.',
    did: 'It accepts writes on a new timeline.',
    todo: 'Rebuild the other server as standby. In a recovery of all servers, the last one with this message was primary.',
  },
  MCA01001: {
    type: 'LOG',
    text: 'controller {version} of {server} watches {dir}',
    cause: 'The controller was started.',
    did: 'It took the lock of the server, opened its admin port and began to watch.',
    todo: nothing,
  },
  MCA01002: {
    type: 'LOG',
    text: 'the instance was already running and is watched from now on',
    cause:
      'The controller was restarted, after a stop with --mc-only or a crash, while its instance went on.',
    did: 'It attached to the instance without disturbing it.',
    todo: 'After a crash: look for its reason in the log before this line.',
  },
  MCA01003: {
    type: 'LOG',
    text: 'starting the instance as {role}',
    cause: 'The controller was started, or was asked to start the instance.',
    did: 'It started the postmaster.',
    todo: nothing,
  },
  MCA01004: {
    type: 'LOG',
    text: 'the instance is running as {role} on timeline {timeline}',
    cause: 'The instance answers queries.',
    did: 'Monitoring goes on.',
    todo: nothing,
  },
  MCA01005: {
    type: 'NOTICE',
    text: 'waiting for the primary: no controller reports one, and its replication port does not answer',
    cause: 'This server is a standby and its primary does not run, or cannot be reached.',
    did: 'The instance is not started. The controller keeps looking and starts it by itself.',
    todo: 'Start the primary. If it runs, check the admin network and primary_conninfo.',
  },
  MCA01006: {
    type: 'ERROR',
    text: 'the instance is not started: {peer} says that it is primary',
    cause: 'This data directory has no standby.signal, so it would start as a second primary.',
    did: 'The instance stays stopped, and the controller keeps watching.',
    todo: 'Rebuild this server as a standby. If the other one is wrong to be primary, stop it first.',
  },
  MCA01007: {
    type: 'WARNING',
    text: 'starting as primary although {peers} could not be asked',
    cause:
      'This data directory has no standby.signal, and no controller of the named servers answered in time.',
    did: 'The instance was started as primary.',
    todo: 'Make sure that none of them is primary, too: `mc_ctl status` there.',
  },
  MCA01008: {
    type: 'ERROR',
    text: 'the instance could not be started: {why}',
    cause: 'The postmaster ended before it was ready.',
    did: 'The controller stays in charge and watches; it does not try again by itself.',
    todo: 'Correct what the startup log in the management directory names, then `mc_ctl start`.',
  },
  MCA01009: {
    type: 'LOG',
    text: 'stopping the instance ({mode})',
    cause: 'A person, systemd or another controller asked for it.',
    did: 'It asked the postmaster to shut down.',
    todo: nothing,
  },
  MCA01010: {
    type: 'LOG',
    text: 'the instance has stopped',
    cause: 'A stop that was asked for is complete.',
    did: 'It took note that the instance is stopped on purpose.',
    todo: nothing,
  },
  MCA01011: {
    type: 'ERROR',
    text: 'the instance did not stop: {why}',
    cause: 'The postmaster was still there when the time was up.',
    did: 'The controller stays in charge, unless it was told to stop by force.',
    todo: 'Find what holds it (long archive_command, a hung disk), or `mc_ctl stop -e`.',
  },
  MCA01012: {
    type: 'LOG',
    text: 'the controller ends',
    cause: 'A person, systemd or another controller asked for it.',
    did: 'It let go of its lock and its port.',
    todo: nothing,
  },
  MCA01013: {
    type: 'FATAL',
    text: 'the instance has gone away: its postmaster does not exist any more',
    cause: 'The postmaster crashed, was killed, or was stopped without the controller.',
    did: 'On a primary with a standby in sync it hands over; on a standby it tells the primary to go on without it.',
    todo: 'Read the server log for the reason, then `mc_ctl start` starts the instance again.',
  },
  MCA01014: {
    type: 'ERROR',
    text: 'the instance does not answer: {checks} checks in a row without a reply',
    cause:
      'The postmaster exists, but a simple query gets no answer in time: overload, a hung disk, or a stopped process.',
    did: 'It keeps asking. With db_instance_timeout_action = failover a primary is stopped and hands over.',
    todo: 'Look at the load and the disks of this host. The times are db_instance_check_timeout and _retry.',
  },
  MCA01015: {
    type: 'LOG',
    text: 'the instance answers again',
    cause: 'The reason of an earlier message is over.',
    did: 'Monitoring goes on.',
    todo: nothing,
  },
  MCA01016: {
    type: 'ERROR',
    text: 'the instance refuses the controller: {why}',
    cause:
      'The controller cannot log in over the Unix socket, so it sees the postmaster and not what it does.',
    did: 'It counts the instance as running and its role as it last was.',
    todo: 'Allow the instance administrator to database postgres in pg_hba.conf (local, peer) and reload.',
  },
  MCA01017: {
    type: 'FATAL',
    text: 'a disk has failed ({part}): {error}',
    cause: 'A small file could not be written and synced there, several times in a row.',
    did: 'It shows the part in disk_status. A primary with a standby in sync stops and hands over; a standby is taken out.',
    todo: 'Check the device and the mount. The times are disk_check_interval, _timeout and _retry.',
  },
  MCA01018: {
    type: 'LOG',
    text: 'the disk works again ({part})',
    cause: 'A file could be written and synced again.',
    did: 'disk_status of that part is normal.',
    todo: 'Find out why it failed.',
  },
  MCA01019: {
    type: 'WARNING',
    text: 'no heartbeat from {peer} for {seconds} s',
    cause: 'The host is down, hung or cut off, or its controller is.',
    did: 'It keeps calling, and acts by heartbeat_error_action if the replication connection is silent, too.',
    todo: 'Check the host and the admin network.',
  },
  MCA01020: {
    type: 'LOG',
    text: '{peer} is heard again after {seconds} s',
    cause: 'Its controller answers again.',
    did: 'host_status is normal.',
    todo: nothing,
  },
  MCA01021: {
    type: 'NOTICE',
    text: 'no controller runs on {peer}',
    cause: 'The host answers, but nothing listens on the port of its controller.',
    did: 'It keeps calling.',
    todo: 'Start it there, unless it is stopped on purpose.',
  },
  MCA01022: {
    type: 'WARNING',
    text: 'a connection from {from} to the admin port was turned away: {why}',
    cause: 'Something without the key of the cluster, or with another one, called the admin port.',
    did: 'The connection was closed. It could ask for nothing.',
    todo: 'Other server of the cluster: give it the same cluster.key. Anything else: find out what it is.',
  },
  MCA01023: {
    type: 'NOTICE',
    text: 'mirroring status: {status}',
    cause: 'The standby is in sync and may take over (switchable), or only failover is switched off.',
    did: 'Nothing.',
    todo: nothing,
  },
  MCA01024: {
    type: 'WARNING',
    text: 'mirroring status: {status}: {reason}',
    cause: 'No standby could take over at this moment.',
    did: 'It keeps watching.',
    todo: '`mc_ctl status` says what to do.',
  },
  MCA01025: {
    type: 'LOG',
    text: 'automatic switch and disconnection are {state}',
    cause:
      '`mc_ctl enable-failover` or `disable-failover`, or -f or -F of `mc_ctl start`, here or on another server.',
    did: 'It was written to the state file and is told to the other servers.',
    todo: nothing,
  },
  MCA01026: {
    type: 'WARNING',
    text: 'the state file was torn and is ignored',
    cause: 'The host or the disk failed while it was written, or someone edited it.',
    did: 'The controller starts as if it had none; failover is as the configuration says.',
    todo: 'Check `mc_ctl status`; the torn file is kept beside it with the ending .torn.',
  },
  MCA01027: {
    type: 'ERROR',
    text: 'the state file could not be written: {why}',
    cause: 'The management directory is full, read-only or gone.',
    did: 'It goes on with what it holds in memory and tries again at the next change.',
    todo: 'Repair the management directory.',
  },
  MCA01028: {
    type: 'LOG',
    text: 'network.conf and {server}.conf were read again',
    cause: 'A reload was asked for.',
    did: 'The new values are in force; the instance was not touched.',
    todo: nothing,
  },
  MCA01029: {
    type: 'ERROR',
    text: 'the configuration was not taken over: {why}',
    cause: 'A reload found a mistake, or a change that needs a restart of the controller.',
    did: 'The values from before stay in force.',
    todo: 'Correct the file and reload again.',
  },
  MCA01030: {
    type: 'PANIC',
    text: 'two primaries: {servers}',
    cause: 'Two servers of one cluster accept writes. They diverge with every commit.',
    did: 'Nothing: which of them is right cannot be told from here.',
    todo: 'Stop the clients, save what only one of them holds, stop the wrong one, rebuild it.',
  },
  MCA01031: {
    type: 'ERROR',
    text: '{peer} belongs to another cluster: system identifier {theirs} instead of {ours}',
    cause: 'The two data directories do not come from one initdb.',
    did: 'It shows not-switchable.',
    todo: 'Rebuild the wrong one from its primary.',
  },
  MCA01032: {
    type: 'LOG',
    text: 'the instance is left alone (--mc-only)',
    cause: 'The controller was started without its instance.',
    did: 'It watches what is there.',
    todo: '`mc_ctl start` starts the instance, too.',
  },
  MCA01033: {
    type: 'WARNING',
    text: 'the role has changed to {role} without the controller',
    cause: 'Somebody promoted the instance, or started it as a standby, past the controller.',
    did: 'It takes the role as it is.',
    todo: 'Make sure that there is only one primary. Use `mc_ctl switch` the next time.',
  },
  MCA01034: {
    type: 'ERROR',
    text: 'the instance is not started: {peer} would start as primary, too',
    cause: 'Neither server has a standby.signal, and both were started at the same time.',
    did: 'Both instances stay stopped, and the controllers keep watching.',
    todo: 'Find the last primary (the last MCA00062 in the logs, the higher timeline) and `mc_ctl start` there; rebuild the other one.',
  },
  MCA01035: {
    type: 'WARNING',
    text: '{server} is being taken out: {why}',
    cause: 'Commits would wait for a standby that cannot confirm them.',
    did: 'It wrote down and told that this standby may not take over any more; then the names are changed.',
    todo: 'Repair or rebuild the standby.',
  },
  MCA01036: {
    type: 'NOTICE',
    text: '{server} is out: commits do not wait for it any more',
    cause: 'synchronous_standby_names was changed in postgresql.conf and reloaded.',
    did: 'Commits that waited go on. The standby comes back by itself when it streams again.',
    todo: 'Repair or rebuild the standby; until then there is nothing to switch to.',
  },
  MCA01037: {
    type: 'ERROR',
    text: 'synchronous_standby_names could not be changed: {why}',
    cause: 'postgresql.conf cannot be written, or another file overrides the setting.',
    did: 'The setting is as before; commits may wait. It tries again every few seconds.',
    todo: 'Let the setting stand in postgresql.conf alone; ALTER SYSTEM RESET removes it from postgresql.auto.conf.',
  },
  MCA01038: {
    type: 'WARNING',
    text: 'the checkpoint before a standby counts as in sync failed: {why}',
    cause: 'The instance did not carry out CHECKPOINT.',
    did: 'It tries again.',
    todo: 'Read the server log.',
  },
  MCA01039: {
    type: 'NOTICE',
    text: '{server} is in sync and may take over',
    cause: 'Commits wait for it, and it holds everything that was acknowledged before.',
    did: 'It was written down and told.',
    todo: nothing,
  },
  MCA01040: {
    type: 'ERROR',
    text: '{peer} is not heard; nothing is done about it (heartbeat_error_action = message)',
    cause: 'The host is down or cut off, and the configuration leaves the decision to a person.',
    did: 'Nothing: commits on a primary wait, a standby stays a standby.',
    todo: 'If the primary is really dead: `mc_ctl switch --force` on the standby. If the standby is: `mc_ctl detach`.',
  },
  MCA01041: {
    type: 'NOTICE',
    text: 'the arbitration command says that {peer} {answer} ({why})',
    cause: 'heartbeat_error_action = command asks it when a server is not heard.',
    did: 'It acts as it was told.',
    todo: nothing,
  },
  MCA01042: {
    type: 'NOTICE',
    text: 'switching to {server}: first a checkpoint, then the instance is stopped',
    cause: '`mc_ctl switch`.',
    did: 'The checkpoint makes the shutdown short; writes go on until it is done.',
    todo: nothing,
  },
  MCA01043: {
    type: 'FATAL',
    text: 'handing over to {server}: {why}',
    cause: 'The primary cannot go on by itself.',
    did: 'It makes sure that its instance is stopped, then lets the standby take over.',
    todo: 'Find the cause, then rebuild this server as a standby.',
  },
  MCA01044: {
    type: 'LOG',
    text: 'the instance was shut down cleanly with its checkpoint at {checkpoint}',
    cause: 'A switch was asked for.',
    did: 'The standby is promoted only if it has received this position.',
    todo: nothing,
  },
  MCA01045: {
    type: 'FATAL',
    text: '{server} has taken over; this server stays stopped',
    cause: 'A failover from this server is complete.',
    did: 'The instance is not started again: it may hold what the new primary does not.',
    todo: 'Rebuild this server as a standby of the new primary.',
  },
  MCA01046: {
    type: 'LOG',
    text: 'following {server} from now on',
    cause: 'It is the primary now.',
    did: 'primary_conninfo was changed.',
    todo: nothing,
  },
  MCA01047: {
    type: 'ERROR',
    text: '{server} did not take over: {why}',
    cause: 'The standby refused, or is not heard any more.',
    did: 'The instance is started again as primary, unless its disk has failed.',
    todo: 'Correct what is named.',
  },
  MCA01048: {
    type: 'ERROR',
    text: 'the instance could not be pointed at the new primary: {why}',
    cause: 'The configuration cannot be written, or the instance refuses it.',
    did: 'The server stays out.',
    todo: 'Correct what is named, or rebuild this server.',
  },
  MCA01049: {
    type: 'ERROR',
    text: 'the takeover is refused: {why}',
    cause: 'Acknowledged commits could be missing here.',
    did: 'It stays a standby.',
    todo: '`mc_ctl status` says what is missing.',
  },
  MCA01050: {
    type: 'WARNING',
    text: '{server} was not known to be in sync: commits may be missing',
    cause: '`mc_ctl switch --force` on a standby that was out, or whose primary was not heard since.',
    did: 'It takes over, because a person has ordered it.',
    todo: 'Keep the data directory of the old primary until it is certain that nothing is missing.',
  },
  MCA01051: {
    type: 'WARNING',
    text: 'taking over from {peer}: {why}',
    cause: 'The primary hands over, is not heard, or a person has ordered it.',
    did: 'The WAL receiver is cut, then the instance is promoted.',
    todo: nothing,
  },
  MCA01052: {
    type: 'ERROR',
    text: 'the takeover ends: {why}',
    cause: 'Something speaks against the promotion, or a step of it has failed.',
    did: 'It stays a standby and follows the primary again when there is one.',
    todo: '`mc_ctl status` says what to do.',
  },
  MCA01053: {
    type: 'LOG',
    text: '{peer} takes over; the WAL receiver is cut for it',
    cause: 'With several standbys the one that takes over needs to know where the others end.',
    did: 'It follows the new primary as soon as there is one.',
    todo: nothing,
  },
  MCA01054: {
    type: 'FATAL',
    text: '{peer} is primary: this instance is stopped',
    cause:
      'This server was cut off or frozen while the other one took over. It has acknowledged nothing since.',
    did: 'The instance is stopped at once and stays so.',
    todo: 'Rebuild this server as a standby.',
  },
  MCA01055: {
    type: 'FATAL',
    text: 'this server is cut off: no standby and no reference address is reached; the instance is stopped',
    cause: 'Its network has failed.',
    did: 'It stops accepting writes, so that the standby can take over. It asks before it starts again.',
    todo: 'Repair the network of this host.',
  },
  MCA01056: {
    type: 'WARNING',
    text: '{hook} failed: {why}',
    cause: 'A command of the configuration ended with an error or took too long.',
    did: 'It went on without it.',
    todo: 'Correct the command.',
  },
  MCA01057: {
    type: 'NOTICE',
    text: 'a person takes {server} out',
    cause: '`mc_ctl detach`.',
    did: 'It stays out until its instance is started again.',
    todo: nothing,
  },
} as const satisfies Readonly<Record<string, Message>>;

export type MessageNumber = keyof typeof messages;

/** The text with its parameters filled in. A line break in a value cannot forge a second message. */
export function messageText(number: MessageNumber, values: Readonly<Record<string, string>>): string {
  return messages[number].text.replace(/\{(\w+)\}/g, (_, name: string) =>
    (values[name] ?? '?').replace(/[\r\n]+/g, ' | '),
  );
}

/** `ident[pid]: TYPE: text (number)`, the form that log watchers look for. */
export function messageLine(
  ident: string,
  pid: number,
  number: MessageNumber,
  values: Readonly<Record<string, string>>,
): string {
  return `${ident}[${pid}]: ${messages[number].type}: ${messageText(number, values)} (${number})`;
}

const priorities: Readonly<Record<MessageType, number>> = {
  INFO: 6,
  LOG: 6,
  NOTICE: 5,
  WARNING: 4,
  ERROR: 3,
  FATAL: 2,
  PANIC: 1,
};

/** The syslog priority of a message: FATAL is crit (one server needs a person), PANIC is alert (all do). */
export const messagePriority = (number: MessageNumber): number => priorities[messages[number].type];

/** The text of docs/messages.md. */
export function messagesDocument(): string {
  const sections = Object.entries(messages as Readonly<Record<string, Message>>).map(([number, it]) =>
    [
      `## ${number}`,
      `\`${it.type}: ${it.text} (${number})\``,
      `- **Cause:** ${it.cause}\n- **What the controller did:** ${it.did}\n- **What to do:** ${it.todo}`,
    ].join('\n\n'),
  );
  return `${documentHead}\n${sections.join('\n\n')}\n`;
}

const documentHead = `# Messages of the Mirroring Controller

Made from the catalogue in \`src/controller/core/messages.ts\`; a test keeps the two alike.

Every message is one line, \`programName[pid]: TYPE: text (number)\`. The program name is \`syslog_ident\`. Under systemd the line goes
to the journal, otherwise to \`<serverIdentifier>.log\` in the management directory and to syslog with \`syslog_facility\`.

| type | syslog priority | meaning |
| --- | --- | --- |
| INFO, LOG | info | the course of things |
| NOTICE | notice | worth knowing |
| WARNING | warning | something is not as it should be |
| ERROR | err | the controller could not do what it was to do |
| FATAL | crit | one server needs a person |
| PANIC | alert | all servers need a person, at once |
`;
