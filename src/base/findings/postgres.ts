/** Codes of what differs in one PostgreSQL server: settings, client rules, roles, slots, checksums, the archiver. See `finding-codes.ts`. */
import type { FindingRule } from './rule.ts';

const provision = 'provision';

export const postgresCodes = {
  SET001: {
    severity: 'drift',
    title: 'a setting has another value in postgresql.conf, or none',
    consequence: 'it is in force already, or at the next reload or restart',
    repair: provision,
  },
  SET002: {
    severity: 'drift',
    title: 'ALTER SYSTEM holds another value over the declared one',
    consequence: 'the declared value has no effect',
    repair: provision,
  },
  SET003: {
    severity: 'drift',
    title: 'an included file holds another value over the declared one',
    consequence: 'the declared value has no effect',
    repair: 'remove the line {object} on {host}, and reload: pg_ctl reload',
  },
  SET004: {
    severity: 'drift',
    title: 'the command line of the server holds another value over the declared one',
    consequence: 'the declared value has no effect until the server is started without it',
    repair:
      "restart the instance on {host} by its controller, which gives no such option; on a primary after 'pgduet switch'",
  },
  SET005: {
    severity: 'drift',
    title: 'a role or a database has another value than the declared one',
    consequence: 'the declared value has no effect in their sessions',
    repair: '{object}',
  },
  SET006: {
    severity: 'drift',
    title: 'the server has not read postgresql.conf since it was written',
    consequence: 'a change that nobody expects comes into force at the next reload',
    repair: provision,
  },
  SET007: {
    severity: 'drift',
    title: 'a setting waits for a restart',
    consequence: 'the old value is in force until the server is restarted, whenever that is',
    repair: provision,
  },
  SET008: {
    severity: 'danger',
    title: 'a configuration file has an error',
    consequence: 'no change of the configuration is taken over, and the server does not start the next time',
    repair: 'correct or remove the line {object} on {host}, and reload: pg_ctl reload',
  },
  SET009: {
    severity: 'drift',
    title: 'a setting stands in our block and is declared no more',
    consequence: 'it stays in force although the inventory does not know it',
    repair: provision,
  },
  SET010: {
    severity: 'danger',
    title: 'ALTER SYSTEM holds a setting that the controller manages',
    consequence: 'the controller cannot take a standby out: commits may wait for ever, or not wait at all',
    repair: provision,
  },
  SET011: {
    severity: 'danger',
    title: 'an included file holds a setting that the controller manages',
    consequence: 'the controller cannot take a standby out: commits may wait for ever, or not wait at all',
    repair: 'remove the line {object} on {host}, and reload: pg_ctl reload',
  },
  SET012: {
    severity: 'danger',
    title: 'a setting lets acknowledged commits be lost',
    consequence: 'after a crash or a switch, rows that clients were told to be safe are missing',
    repair:
      'take the setting {object} away where it stands on {host}, or declare what you mean in the inventory (postgres.settings)',
  },
  SET013: {
    severity: 'drift',
    title: 'a configuration file has another owner or mode',
    consequence: 'the server may not be able to read it, or others can',
    repair: provision,
  },
  SET014: {
    severity: 'note',
    title: 'a setting is made by hand and not declared',
    consequence: 'a new standby, or a rebuilt server, may not have it',
    repair: 'declare {object} in the inventory (postgres.settings), or take it away on {host}',
  },
  SET015: {
    severity: 'danger',
    title: 'the server reads its configuration from another file than the one in its data directory',
    consequence: 'neither pgduet nor the controller can change what is in force',
    repair: 'take {object} away where it stands on {host}, and restart the server by its controller',
  },
  SET016: {
    severity: 'drift',
    title: 'the value in force is not the declared one, and the file is not to blame',
    consequence: 'the declared value has no effect',
    repair: 'find out where {object} comes from: select * from pg_settings on {host}',
  },
  SET017: {
    severity: 'danger',
    title: 'a setting of a recovery or a replication that is over is left',
    consequence:
      'replay stops there, or the standby promotes itself or does not follow, at once or at its next start',
    repair: provision,
  },
  SET018: {
    severity: 'note',
    title: 'WAL makes checkpoints before their time',
    consequence: 'each of them writes whole pages into WAL anew: more WAL, and more to send to the standbys',
    repair:
      'a larger max_wal_size (postgres.settings); recovery after a crash takes longer in return, and pg_wal needs that room',
  },
  HBA001: {
    severity: 'drift',
    title: 'the client rules differ',
    consequence: 'somebody is let in or kept out who should not be, at the latest after the next reload',
    repair: provision,
  },
  HBA002: {
    severity: 'danger',
    title: "a client rule says 'trust'",
    consequence: 'whoever reaches the server comes in without a password',
    repair: provision,
  },
  HBA003: {
    severity: 'drift',
    title: 'the server has not read pg_hba.conf since it was written',
    consequence: 'a change that nobody expects comes into force at the next reload',
    repair: provision,
  },
  HBA004: {
    severity: 'danger',
    title: 'a client rule has an error',
    consequence: 'no change of the rules is taken over, and the server does not start the next time',
    repair: provision,
  },
  HBA006: {
    severity: 'drift',
    title: 'pg_hba.conf has another owner or mode',
    consequence: 'the server may not be able to read it, or others can change it',
    repair: provision,
  },
  ROL001: {
    severity: 'danger',
    title: 'the role of the standbys does not exist',
    consequence: 'no standby can connect: commits wait until the standbys are taken out',
    repair: provision,
  },
  ROL002: {
    severity: 'drift',
    title: 'a role has other attributes',
    consequence: 'it may do less or more than it should',
    repair: provision,
  },
  ROL003: {
    severity: 'danger',
    title: 'the role of the standbys is a superuser',
    consequence: 'who knows the password of the replication can do everything',
    repair: provision,
  },
  ROL004: {
    severity: 'danger',
    title: 'the password of a role differs',
    consequence: 'a standby that has to connect again cannot: commits wait until it is taken out',
    repair: provision,
  },
  ROL005: {
    severity: 'drift',
    title: 'a password is not kept as SCRAM',
    consequence: 'who reads the stored value can use it; newer versions of PostgreSQL do not accept it',
    repair: 'set the password of {object} anew (\\password in psql): it is kept as SCRAM then',
  },
  ROL006: {
    severity: 'note',
    title: 'a role besides the administrator is a superuser',
    consequence: 'it can do everything, also on the host',
    repair: 'if it need not be: ALTER ROLE {object} NOSUPERUSER',
  },
  ROL007: {
    severity: 'danger',
    title: 'a role may not log in any more, or only few times at once',
    consequence: 'a standby that has to connect again cannot: commits wait until it is taken out',
    repair: provision,
  },
  ROL008: {
    severity: 'drift',
    title: 'schema public of database postgres is open to everybody',
    consequence: 'every role uses what stands there, where only those that it was granted to should',
    repair: provision,
  },
  HRD001: {
    severity: 'drift',
    title: 'an extension that the level of hardening has is not there',
    consequence: 'who is to use it finds nothing; no server needs it to run',
    repair: provision,
  },
  SLT001: {
    severity: 'drift',
    title: 'the slot of a base backup was left behind',
    consequence: 'it keeps WAL until the disk is full',
    repair: provision,
  },
  SLT002: {
    severity: 'degraded',
    title: 'a slot that nobody uses keeps WAL',
    consequence: 'it keeps WAL until the disk of the primary is full, and every write stops',
    repair: "if nobody needs it: select pg_drop_replication_slot('{object}') on {host}",
  },
  SLT003: {
    severity: 'degraded',
    title: 'a slot has lost the WAL that its user needs',
    consequence: 'its user cannot go on and has to be made anew',
    repair: "make its user anew, then: select pg_drop_replication_slot('{object}') on {host}",
  },
  SLT004: {
    severity: 'degraded',
    title: 'a standby does not follow a failover slot',
    consequence: 'where it becomes primary, the consumer of the slot cannot go on',
    repair:
      'write sync_replication_slots: on into postgres.settings and run pgduet provision; a new slot is followed once its consumer has read something; the log of {host} says what is in its way',
  },
  SUM001: {
    severity: 'drift',
    title: 'the data has no checksums',
    consequence: 'a page that the disk has damaged is not noticed, and may be copied to the standby',
    repair: 'with the server stopped: pg_checksums --enable, on every server, standbys first ({host})',
  },
  SUM002: {
    severity: 'note',
    title: 'the data has no checksums, as before it was multiplexed',
    consequence: 'a page that the disk has damaged is not noticed, and may be copied to the standby',
    repair: 'with the server stopped: pg_checksums --enable, on every server, standbys first ({host})',
  },
  ARC001: {
    severity: 'degraded',
    title: 'the archiver fails',
    consequence:
      'WAL piles up until the disk is full, and nothing can be restored to a moment after the failure',
    repair: 'read the server log on {host}, and repair archive_command or its target',
  },
} as const satisfies Record<string, FindingRule>;
