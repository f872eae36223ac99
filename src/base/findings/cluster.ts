/** Codes of what differs in a cluster: replication, peers, controllers, roles, clocks, the network; and of what could not be looked at. See `finding-codes.ts`. */
import type { FindingRule } from './rule.ts';

const provision = 'provision';

export const clusterCodes = {
  SEC001: {
    severity: 'note',
    title: 'a secret has not been renewed for a year',
    consequence: 'whoever has come to know it meanwhile knows it still',
    repair: 'renew it while everything runs: `pgduet secrets renew`',
  },
  SEC002: {
    severity: 'degraded',
    title: 'a renewal of the secrets is not finished',
    consequence: 'the old values are accepted beside the new ones',
    repair: 'run `pgduet secrets renew` again: it goes on where it was interrupted',
  },
  REP001: {
    severity: 'degraded',
    title: 'a standby is not connected',
    consequence: 'commits wait for it, or are on one server only once it is taken out',
    repair: 'look at the server log of {object}; `pgduet status` says what its controller sees',
  },
  REP002: {
    severity: 'degraded',
    title: 'a standby does not stream yet',
    consequence: 'it cannot take over before it has caught up',
    repair: "wait until it has; 'pgduet status --watch' shows the distance",
  },
  REP003: {
    severity: 'danger',
    title: 'no standby is synchronous',
    consequence: 'a commit is on one server only: it is lost if that one fails',
    repair: provision,
  },
  REP004: {
    severity: 'note',
    title: 'somebody else replicates from a server',
    consequence: 'the data also goes where the inventory does not say',
    repair: 'if it is unknown to you: find it by its address, and take its rule and role away',
  },
  REP005: {
    severity: 'drift',
    title: 'a standby comes from another address than the declared one',
    consequence: 'replication runs over another network than the one that was meant for it',
    repair: 'compare log_transfer_address in the inventory with the routes of {object}',
  },
  REP006: {
    severity: 'degraded',
    title: 'a standby is behind',
    consequence: 'a takeover has to replay that first, and takes longer',
    repair: 'look for long queries, a slow disk or network on {object}',
  },
  REP007: {
    severity: 'danger',
    title: 'a standby is on another timeline than the primary',
    consequence: 'it does not get what is committed, and must not take over',
    repair: '`pgduet rebuild {object}`',
  },
  REP008: {
    severity: 'note',
    title: 'queries on a standby were cancelled because they held up replay',
    consequence: 'readers of the standby see errors from time to time',
    repair:
      'if that is too often, under postgres.settings: a longer max_standby_streaming_delay (a takeover has to replay what waits meanwhile), or hot_standby_feedback against snapshot (the primary keeps dead rows as long as the longest query on the standby)',
  },
  REP009: {
    severity: 'degraded',
    title: 'replay is paused on a standby',
    consequence: 'it shows old data, and a takeover has to replay everything since then',
    repair:
      'select pg_wal_replay_resume() on {host}; below the limits of its primary a restart with higher ones',
  },
  REP016: {
    severity: 'degraded',
    title: 'the primary writes more WAL than is kept for the declared downtime',
    consequence: 'a standby that is away for so long has to be rebuilt',
    repair:
      'write the measured wal_per_hour or a shorter expected_downtime into the inventory, see that the disk has room for it, then `pgduet provision`',
  },
  REP010: {
    severity: 'danger',
    title: 'a standby that is away needs WAL that the primary will not keep',
    consequence: 'it cannot follow any more and has to be rebuilt',
    repair: 'bring it back soon, or pgduet rebuild {object}',
  },
  REP011: {
    severity: 'drift',
    title: 'a standby follows another server than the primary',
    consequence: 'its commits are confirmed by nobody, and it is lost when that server is',
    repair: provision,
  },
  REP012: {
    severity: 'danger',
    title: 'the files that say what a server is contradict each other',
    consequence: 'at its next start the server is something else than it is now',
    repair:
      'compare the server with its files on {host} (standby.signal, recovery.signal), and remove {object} or make it again',
  },
  REP013: {
    severity: 'degraded',
    title: 'a standby applies what it has received with a delay',
    consequence: 'a takeover waits for all that was held back',
    repair: 'take recovery_min_apply_delay away on {host}',
  },
  REP014: {
    severity: 'danger',
    title: 'a receiver that is no standby can acknowledge commits',
    consequence: 'no standby may take over, since it may lack commits that clients were told to be safe',
    repair:
      'name only standbys of the cluster in synchronous_standby_names, and end a second receiver of the name {object}: select pid, client_addr from pg_stat_replication on {host}',
  },
  REP015: {
    severity: 'danger',
    title: 'replay has stopped at a recovery target',
    consequence:
      'the standby does not follow any more, and to resume replay there would promote it: a second primary',
    repair: provision,
  },
  PEE001: {
    severity: 'danger',
    title: 'a standby has a lower limit than its primary',
    consequence: 'it stops replay or does not start, and cannot take over',
    repair:
      'declare {object} in the inventory (postgres.settings), the same for all servers, and run: pgduet provision',
  },
  PEE002: {
    severity: 'drift',
    title: 'a setting differs between the servers',
    consequence: 'the cluster behaves differently after a switch',
    repair: 'declare {object} in the inventory (postgres.settings), or set it alike on all servers',
  },
  CTL001: {
    severity: 'degraded',
    title: 'the Mirroring Controller does not run',
    consequence: 'nobody switches or takes a standby out when something fails',
    repair: provision,
  },
  CTL002: {
    severity: 'drift',
    title: 'the Mirroring Controller runs an older program than the file',
    consequence: 'corrections are in force after its restart only; the instance is not touched by that',
    repair: provision,
  },
  CTL003: {
    severity: 'drift',
    title: 'the Mirroring Controller has not read its files since they were written',
    consequence: 'it acts by the older ones until it does',
    repair: provision,
  },
  CTL004: {
    severity: 'degraded',
    title: 'automatic switching is off, and declared on',
    consequence: 'nobody switches or takes a standby out when something fails: commits wait for a person',
    repair: 'mc_ctl enable-failover on {host}, as the instance administrator',
  },
  CTL005: {
    severity: 'degraded',
    title: 'automatic switching is on, and declared off',
    consequence: 'the controllers switch by themselves',
    repair: 'mc_ctl disable-failover on {host}, as the instance administrator',
  },
  CTL006: {
    severity: 'drift',
    title: 'the controllers are of different versions',
    consequence: 'they may judge one fault differently',
    repair: provision,
  },
  CTL007: {
    severity: 'degraded',
    title: 'a switch is not possible',
    consequence: 'if the primary fails now, nobody takes over',
    repair: "do what 'mc_ctl status' on {host} advises",
  },
  CTL008: {
    severity: 'degraded',
    title: 'the instance does not run',
    consequence: 'clients and standbys cannot use this server',
    repair: provision,
  },
  CTL009: {
    severity: 'drift',
    title: 'a server may do something else than is declared',
    consequence: 'another server takes over than the one that was meant for it, or none',
    repair: provision,
  },
  CTL010: {
    severity: 'degraded',
    title: 'commits wait for an asynchronous copy',
    consequence: 'every commit takes the way to it and back, and stands still when it is not reached',
    repair:
      "wait a moment: its primary takes it out by itself; if it stays so, 'mc_ctl status' on the primary says why",
  },
  CTL011: {
    severity: 'degraded',
    title: 'the time to give up leaves little room above the silences that were measured',
    consequence: 'a moment of load or of bad network is taken for the loss of that server',
    repair:
      'look at the load of {object} and at the network to it, or declare longer times (multiplexing.heartbeat) and run: pgduet provision',
  },
  CTL012: {
    severity: 'note',
    title: 'a silent server could be given up sooner',
    consequence: 'when a host is lost, writes wait longer than they have to',
    repair: 'declare heartbeat: fast under multiplexing, or heartbeat: normal to keep what is',
  },
  MNT001: {
    severity: 'note',
    title: 'a server is in maintenance',
    consequence: 'no commit waits for it, it takes no role, and nothing else of it is told meanwhile',
    repair: 'when the work there is done: pgduet maintenance end {object}',
  },
  MNT002: {
    severity: 'danger',
    title: 'a maintenance was expected to be over',
    consequence: 'the server may have been forgotten: it takes over for nobody, and falls behind',
    repair: 'ask who works there; when the work is done: pgduet maintenance end {object}',
  },
  CTL013: {
    severity: 'drift',
    title: 'a server runs although a person has stopped it',
    consequence: 'its unit is disabled: it stays down when its host boots',
    repair: '`pgduet start {object}`, which lets it run from now on; where it shall not run, stop it again',
  },
  CTL014: {
    severity: 'degraded',
    title: 'the host of a server is a new one',
    consequence:
      'the server is missing; if its former host comes back, it has the key of the cluster and is taken for it',
    repair: '`pgduet replace {object}`, which locks the former host out; a provisioning is refused meanwhile',
  },
  CTL015: {
    severity: 'drift',
    title: 'the Mirroring Controller runs beside its unit',
    consequence:
      'systemd does not watch it, does not start it again when it ends, and does not stop it with the host: a shutdown ends the instance without order',
    repair: provision,
  },
  CTL016: {
    severity: 'danger',
    title: 'the management directory is lost',
    consequence:
      'nothing on the host says whose data it has and what its controller has promised: its next start, a switch and every change of the cluster are refused',
    repair: provision,
  },
  CTL018: {
    severity: 'drift',
    title: 'what a server was before pgduet is not written down twice',
    consequence: 'where the management directory is lost, a teardown cannot give the server back as it was',
    repair: provision,
  },
  CTL019: {
    severity: 'danger',
    title: 'the record of what a server was before pgduet is lost',
    consequence:
      'a teardown is refused: without the record it would take the server for one that pgduet made, and could delete it',
    repair: provision,
  },
  CTL020: {
    severity: 'drift',
    title: 'a controller has no key of its own',
    consequence:
      'whoever has the files of one server can speak for this one to the controllers of the others',
    repair: provision,
  },
  CTL021: {
    severity: 'degraded',
    title: 'a controller does not prove which server it is',
    consequence:
      'it is heard by the cluster key, which all servers have: whoever has the files of one can speak for it',
    repair:
      'run `pgduet provision`, which brings the program and lays the keys; if it stays so, look for MCA01022 in the journals of both',
  },
  ARB001: {
    severity: 'degraded',
    title: 'the arbiter does not run',
    consequence: 'when two servers do not hear each other, nobody takes over: commits wait for a person',
    repair: provision,
  },
  ARB002: {
    severity: 'drift',
    title: 'the arbiter runs an older program than the file',
    consequence: 'corrections are in force after its restart only',
    repair: provision,
  },
  ARB003: {
    severity: 'drift',
    title: 'the arbiter has not read its files since they were written',
    consequence: 'it answers by the older ones until it does',
    repair: provision,
  },
  ARB004: {
    severity: 'degraded',
    title: 'who is to answer when a server falls silent does not answer',
    consequence: 'when the other server is silent, too, nobody goes on by itself: commits wait for a person',
    repair:
      "look at the arbiter and at the network to it: 'mc_arb status' there, 'mc_ctl status --arbiter' on {host}",
  },
  ARB005: {
    severity: 'degraded',
    title: 'another register is in force than the declared one',
    consequence: 'a silence is answered by those that are found here',
    repair:
      "wait until all servers and the arbiter hear each other; 'mc_ctl status --arbiter' on {host} says who is missing",
  },
  ARB006: {
    severity: 'drift',
    title: 'the arbiter has no key of its own',
    consequence:
      'whoever has the files of one server can speak for each other one to the arbiter, and pass for the arbiter to them',
    repair: provision,
  },
  ARB007: {
    severity: 'degraded',
    title: 'the arbiter and a server do not prove to each other who they are',
    consequence:
      'they hear each other by the key of the cluster, which all servers have: whoever has the files of one can speak for both',
    repair:
      'run `pgduet provision`, which brings the programs and lays the keys; if it stays so, look for MCR00013 in the log of the arbiter',
  },
  PRF001: {
    severity: 'note',
    title: 'another server is primary than the preferred one',
    consequence: 'the roles are as after the last switch, which is no fault',
    repair: '`pgduet switch --to {object}`',
  },
  PRV001: {
    severity: 'drift',
    title: 'nothing was provisioned on these hosts yet',
    consequence: 'there is no server to look at',
    repair: provision,
  },
  CLK001: {
    severity: 'degraded',
    title: 'the clocks of two servers differ',
    consequence: 'logs and timeouts of the two cannot be compared, and provision refuses to work',
    repair: 'set up time synchronisation (chrony or systemd-timesyncd) on both hosts',
  },
  NET001: {
    severity: 'degraded',
    title: "a server cannot reach another one's PostgreSQL on the network for replication",
    consequence: 'after a switch the two cannot replicate',
    repair: 'look at firewall, routes and listen_addresses between {host} and {object}',
  },
  NET002: {
    severity: 'degraded',
    title: "a controller cannot reach another one's on the admin network",
    consequence: 'each takes the other for dead and acts by the policy for a lost heartbeat',
    repair: 'look at firewall and routes between {host} and {object}',
  },
  NET003: {
    severity: 'degraded',
    title: 'a reference address does not answer',
    consequence: 'without one that answers nobody acts when another server falls silent',
    repair: "look at 'ping {object}' on {host}, or name another address (multiplexing.reference_addresses)",
  },
  RES001: {
    severity: 'drift',
    title: 'something declared is not so',
    consequence: 'what builds on it does not work',
    repair: provision,
  },
  LOK001: {
    severity: 'unknown',
    title: 'something could not be looked at',
    consequence: 'nobody knows whether it is as declared',
    repair: 'remove the reason, and check again',
  },
  LOK002: {
    severity: 'unknown',
    title: 'a host cannot be reached',
    consequence: 'nobody knows what is on it; the others were checked',
    repair: 'make {host} reachable, and check again',
  },
} as const satisfies Record<string, FindingRule>;
