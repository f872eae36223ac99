/**
 * Asks the own instance how it is: the only file that uses `pg`. In: data directory and settings. Out: CheckOutcome.
 * One connection is kept, so that a check costs one query and a crash is noticed at once. A check never writes.
 */
import type { EventEmitter } from 'node:events';
import { Socket } from 'node:net';
import { homedir, userInfo } from 'node:os';
import type { Client, ClientConfig } from 'pg';
import type { Secret } from '../../base/secret.ts';
import { quoteLiteral } from '../../postgres/quote.ts';
import { standbySlotPrefix } from '../../postgres/replication-names.ts';
import { workingOptions } from '../../postgres/session.ts';
import type { ServerConf } from '../config.ts';
import type { CheckOutcome } from '../core/event.ts';
import type { InstanceReport, TimelineEnd } from '../core/view.ts';
import type { Configuration } from './configuration.ts';
import { readHistory } from './history.ts';
import type { LoginAnswer, Upstream } from './password-choice.ts';
import { PasswordChoice } from './password-choice.ts';
import { findPostmaster, type Postmaster } from './postmaster.ts';
import { TimedOut, timerMs, withTimeout } from './timer.ts';

/**
 * A promoted server's pg_control keeps the old timeline until its next checkpoint, so a primary's timeline is read from
 * the name of its current WAL file (PostgreSQL manual, "System Administration Functions").
 */
const question = `
select json_build_object(
  'role', case when r then 'standby' else 'primary' end,
  'timeline', case when r
    then coalesce((select received_tli from pg_stat_wal_receiver), (select timeline_id from pg_control_checkpoint()))
    else ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int end,
  'lsn', coalesce(case when r then greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
    else pg_current_wal_flush_lsn() end, '0/0'),
  'replayedLsn', case when r then pg_last_wal_replay_lsn() end,
  'senders', (select coalesce(json_agg(json_build_object(
      'name', application_name, 'address', coalesce(host(client_addr), ''), 'state', state, 'syncState', sync_state,
      'lagBytes', coalesce(case when r then 0 else pg_wal_lsn_diff(pg_current_wal_flush_lsn(), flush_lsn) end, 0),
      'replayLagBytes', coalesce(case when r then 0 else pg_wal_lsn_diff(pg_current_wal_flush_lsn(), replay_lsn) end, 0))
      order by application_name), '[]') from pg_stat_replication where state <> 'backup'),
  'receiver', (select status from pg_stat_wal_receiver),
  'synchronousStandbyNames', current_setting('synchronous_standby_names'),
  'systemId', (select system_identifier::text from pg_control_system()),
  'version', current_setting('server_version'),
  'nextXid', case when not r then pg_snapshot_xmax(pg_current_snapshot())::text::bigint end,
  'startedAtWall', (extract(epoch from pg_postmaster_start_time()) * 1000)::bigint,
  'port', current_setting('port')::int,
  'socketDir', split_part(current_setting('unix_socket_directories'), ',', 1),
  'slots', case when current_setting('sync_replication_slots', true) is not null then json_build_object(
    'wanted', current_setting('sync_replication_slots', true)::boolean,
    'waitedFor', current_setting('synchronized_standby_slots', true),
    'standbys', (select coalesce(json_agg(json_build_object('name', slot_name, 'active', active, 'keeps', restart_lsn is not null)
        order by slot_name), '[]') from pg_replication_slots where slot_type = 'physical' and starts_with(slot_name, ${quoteLiteral(standbySlotPrefix)})),
    'failover', (select coalesce(json_agg(json_build_object('name', j->>'slot_name', 'active', (j->>'active')::boolean,
        'synced', (j->>'synced')::boolean, 'confirmed', coalesce(j->>'confirmed_flush_lsn', '0/0')) order by j->>'slot_name'), '[]')
      from (select to_jsonb(s) as j from pg_replication_slots s where slot_type = 'logical' and not temporary) as logical
      where (j->>'failover')::boolean)) end
) as report from (select pg_is_in_recovery() as r) as recovery`;

/**
 * What weakens the promise of a synchronous standby: of the whole server, and of roles and databases. With remote_write a commit is
 * lost if both hosts lose their power.
 */
const weakenedQuestion = `
select coalesce(json_agg(it order by it), '[]') as weakened from (
  select name || '=' || reset_val as it from pg_catalog.pg_settings
    where (name, reset_val) in (('fsync', 'off'), ('full_page_writes', 'off'))
    or (name = 'synchronous_commit' and source not in ('user', 'database', 'database user', 'session', 'client')
      and reset_val in ('off', 'local', 'remote_write'))
  union all
  select coalesce(nullif(concat_ws(' in ', 'role ' || rolname, 'database ' || datname), ''), 'every role') || ': ' || each from pg_catalog.pg_db_role_setting
    left join pg_catalog.pg_roles r on r.oid = setrole left join pg_catalog.pg_database d on d.oid = setdatabase,
    pg_catalog.unnest(setconfig) as each where each ~ '^synchronous_commit=(off|local|remote_write)$'
) as found`;

type Failure = Exclude<CheckOutcome['kind'], 'answer' | 'gone' | 'refused'>;

/** SQLSTATEs that say how the instance is, although the query failed. */
const tellingStates: Readonly<Record<string, Failure>> = {
  '53300': 'busy', // too_many_connections
  '57P01': 'starting', // admin_shutdown: on its way down; the postmaster's end is what counts
  '57P02': 'starting', // crash_shutdown
  '57P03': 'starting', // cannot_connect_now
  ECONNREFUSED: 'starting',
  ENOENT: 'starting',
  ECONNRESET: 'starting',
  EPIPE: 'starting',
};

/**
 * A login that fails with one of these fails for everybody: memory or a disk is exhausted, the system has failed ("58P01": a segment of
 * shared memory is gone), the server has failed inside. All else is about who logs in, and says nothing of the clients.
 */
const lettingNobodyIn = /^(53[12]|58|XX)/;

/** An error of the login, as opposed to one of the question. */
class LoginFailed extends Error {
  readonly code: string;
  constructor(error: unknown) {
    super(error instanceof Error ? error.message : String(error));
    this.code = error instanceof Error && 'code' in error ? String(error.code) : '';
  }
}

/** Every how many checks the connection is made anew. */
const freshEvery = 10;

export class InstanceMonitor {
  readonly #conf: ServerConf;
  readonly #onBroken: () => void;
  /** As long as the replication password is renewed. */
  readonly #passwords: PasswordChoice | undefined;
  #client: Client | null = null;
  readonly #sockets = new Set<Socket>();
  #history: { readonly of: number; readonly read: readonly TimelineEnd[] } | undefined;
  /** Asked for with every new connection. */
  #weakened: readonly string[] | undefined;
  /** Counts the checks: one that was given up must not leave its connection to a later one. */
  #turn = 0;

  /** `onBroken` is called when the kept connection ends, so that the next check need not wait for its turn. */
  constructor({ conf, renewal }: Pick<Configuration, 'conf' | 'renewal'>, onBroken: () => void) {
    this.#conf = conf;
    const place = { dataDir: conf.dbInstance, home: homedir(), logIn: logInForReplication };
    this.#passwords = renewal?.password && new PasswordChoice({ ...place, turn: renewal.password });
    this.#onBroken = onBroken;
  }

  async check(): Promise<CheckOutcome> {
    const timeoutMs = this.#conf.dbInstanceCheckTimeoutMs;
    try {
      this.#turn += 1;
      return await withTimeout(this.#ask(this.#turn), timeoutMs);
    } catch (error) {
      this.close();
      if (error instanceof TimedOut) return { kind: 'timeout' };
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      const telling = tellingStates[code];
      if (telling) return { kind: telling };
      const text = error instanceof Error ? error.message : String(error);
      if (error instanceof LoginFailed && lettingNobodyIn.test(code)) return { kind: 'timeout', why: text };
      // `pg` reports a connection that ended in the middle without a code.
      return /terminated/i.test(text) ? { kind: 'starting' } : { kind: 'refused', why: text };
    }
  }

  async #ask(turn: number): Promise<CheckOutcome> {
    const postmaster = await findPostmaster(this.#conf.dbInstance);
    if (!postmaster) {
      this.close();
      return { kind: 'gone' };
    }
    const client = await this.#clientFor(postmaster, turn);
    const answer = await client.query<{ report: InstanceReport }>(question);
    const report = answer.rows[0]?.report;
    if (!report) return { kind: 'timeout' };
    if (this.#weakened === undefined || turn % freshEvery === 0) {
      const { rows } = await client.query<{ weakened: string[] }>(weakenedQuestion);
      this.#weakened = rows[0]?.weakened ?? [];
    }
    void this.#passwords?.look(report);
    const history = await this.#historyOf(report);
    return { kind: 'answer', report: { ...report, history, weakened: this.#weakened } };
  }

  /** Read once for each timeline. */
  async #historyOf({ role, timeline }: InstanceReport): Promise<InstanceReport['history']> {
    if (role !== 'primary') return undefined;
    if (this.#history?.of !== timeline) {
      const read = await readHistory(this.#conf.dbInstance, timeline);
      this.#history = read && { of: timeline, read };
    }
    return this.#history?.read;
  }

  /** The kept connection; now and then a new one, because a kept one does not see that nobody else can connect. */
  async #clientFor(postmaster: Postmaster, turn: number): Promise<Client> {
    const kept = this.#client;
    if (kept && turn % freshEvery !== 0) return kept;
    try {
      return await this.#connect(postmaster, turn);
    } catch (error) {
      const full = error instanceof Error && 'code' in error && error.code === '53300';
      if (kept && full) return kept;
      throw error;
    }
  }

  async #connect(postmaster: Postmaster, turn: number): Promise<Client> {
    // Loaded late: `mc_ctl status` runs from the same bundle and must not pay for it.
    const { default: pg } = await import('pg');
    if (turn !== this.#turn) throw new TimedOut();
    const socket = new Socket();
    const client = new pg.Client(this.#settings(postmaster, socket));
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    client.on('error', () => this.#broken(client));
    client.on('end', () => this.#broken(client));
    await client.connect().catch((error: unknown) => {
      throw new LoginFailed(error);
    });
    const old = this.#client;
    this.#client = client;
    if (old) await old.end();
    return client;
  }

  readonly #settings = (postmaster: Postmaster, socket: Socket): ClientConfig => ({
    ...login(this.#conf, postmaster),
    statement_timeout: timerMs(this.#conf.dbInstanceCheckTimeoutMs),
    stream: () => socket,
  });

  #broken(client: Client): void {
    if (this.#client !== client) return;
    this.close();
    this.#onBroken();
  }

  /** For good: another monitor takes its place. */
  end(): void {
    this.close();
    this.#passwords?.end();
  }

  /** Drops the connection without a farewell: a frozen server would never answer one. */
  close(): void {
    this.#client = null;
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** How the controller logs in: over the socket of the postmaster, as the instance administrator. */
function login(conf: ServerConf, postmaster: Postmaster): ClientConfig {
  const { dbInstanceUsername, dbInstancePassword, targetDb } = conf;
  const local = postmaster.listenAddress === '*' ? '127.0.0.1' : postmaster.listenAddress;
  return {
    host: postmaster.socketDir || local,
    port: postmaster.port,
    user: dbInstanceUsername ?? userInfo().username,
    database: targetDb,
    application_name: 'mc_agent',
    options: workingOptions,
    ...(dbInstancePassword ? { password: dbInstancePassword.reveal() } : {}),
  };
}

const connectWithinMs = 10_000;

/** Asks one statement after the other in the session that it belongs to. */
export type Ask = <Row extends object = object>(text: string) => Promise<Row[]>;

/** A session of its own for the few things that change something. No limit but the caller's. */
export async function withSession<T>(conf: ServerConf, work: (ask: Ask) => Promise<T>): Promise<T> {
  const postmaster = await findPostmaster(conf.dbInstance);
  if (!postmaster) throw new Error('the instance does not run');
  const { default: pg } = await import('pg');
  const client = new pg.Client({ ...login(conf, postmaster), connectionTimeoutMillis: connectWithinMs });
  // A connection that breaks fails the query; without a listener it would end the controller instead.
  client.on('error', () => undefined);
  await client.connect();
  try {
    // A person's settings for the role must not cut off or delay what the controller does.
    await client.query('set synchronous_commit = local');
    return await work(async <Row extends object>(text: string) => (await client.query<Row>(text)).rows);
  } finally {
    await client.end();
  }
}

const sendersWithinMs = 2000;

/** The walsenders of these servers; null when the instance cannot be asked, so that nobody else's are known either. */
export async function ownWalsenders(
  conf: ServerConf,
  servers: readonly string[],
): Promise<readonly number[] | null> {
  const names = servers.map((id) => id.toLowerCase());
  const text = 'select pid, lower(application_name) as name from pg_stat_replication';
  const asked = withSession(conf, (ask) => ask<{ pid: number; name: string }>(text));
  try {
    const rows = await withTimeout(asked, sendersWithinMs);
    return rows.filter(({ name }) => names.includes(name)).map(({ pid }) => pid);
  } catch {
    return null;
  }
}

const loginWithinMs = 3000;

/** By SQLSTATE: the password is wrong; no rule of pg_hba.conf is for this connection, or none without TLS. */
const answers: Readonly<Record<string, 'refused' | 'barred'>> = { '28P01': 'refused', '28000': 'barred' };

/**
 * Whether a server takes a password for replication. Logs in as a standby does, sends nothing and leaves. Only a server that has proven
 * by SCRAM that it knows the password counts, and none is told it in clear text: so it need not show a certificate where its
 * rules let nobody in without TLS.
 */
export async function logInForReplication(upstream: Upstream, password: Secret): Promise<LoginAnswer> {
  const answer = await logIn(upstream, password, false);
  const last = answer === 'barred' ? await logIn(upstream, password, true) : answer;
  return last === 'barred' ? 'silent' : last;
}

/** The answer 'barred' says that no rule fits a connection like this one. */
async function logIn(
  { host, port, user }: Upstream,
  password: Secret,
  encrypted: boolean,
): Promise<LoginAnswer | 'barred'> {
  const { default: pg } = await import('pg');
  const socket = new Socket();
  const client = new pg.Client({
    host,
    port,
    user,
    password: password.reveal(),
    application_name: 'mc_agent',
    connectionTimeoutMillis: loginWithinMs,
    ssl: encrypted && { rejectUnauthorized: false },
    // A walsender of a standby: such a connection belongs to no database.
    replication: 'true',
    stream: () => socket,
  } as ClientConfig);
  // A connection that breaks fails the login; without a listener it would end the controller instead.
  client.on('error', () => undefined);
  const { connection } = client as unknown as { readonly connection: EventEmitter };
  let proven = false;
  connection.once('authenticationSASLFinal', () => {
    proven = true;
  });
  // Before the client's own listener, which would answer with the password.
  for (const told of ['authenticationCleartextPassword', 'authenticationMD5Password'])
    connection.once(told, () => socket.destroy());
  try {
    await client.connect();
    return proven ? 'in' : 'silent';
  } catch (error) {
    return answers[error instanceof Error && 'code' in error ? String(error.code) : ''] ?? 'silent';
  } finally {
    // A farewell would wait for the other side.
    socket.destroy();
  }
}
