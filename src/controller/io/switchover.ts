/**
 * What a switch, a disconnection and an attach do to the instance: names in postgresql.conf, the WAL receiver, promotion,
 * following another server, the proof of a clean shutdown. In: the data directory. Out: facts, or an Error with the reason.
 * Files are written whole or not at all, and what is not ours in them stays byte for byte; the data itself is never touched.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { majorVersion } from '../../postgres/bindirs.ts';
import { parseConf } from '../../postgres/conf-file.ts';
import { parseControlData } from '../../postgres/controldata.ts';
import { namesSetting, slotsSetting, upstreamSetting } from '../../postgres/controlled-settings.ts';
import { quoteLiteral } from '../../postgres/quote.ts';
import { standbySlotName } from '../../postgres/replication-names.ts';
import { parseNames } from '../../postgres/standby-names.ts';
import { versionFacts } from '../../postgres/versions.ts';
import type { ServerConf } from '../config.ts';
import type { SlotWork } from '../core/action.ts';
import type { Proof } from '../core/event.ts';
import { findServerProgram } from './instance.ts';
import { type Ask, withSession } from './postgres.ts';
import { findPostmaster, processesIn } from './postmaster.ts';
import { runProgram, thereAlways } from './processes.ts';
import {
  everyName,
  includes,
  overriding,
  withEveryName,
  withListed,
  withNames,
  withoutSetting,
  withPrimary,
  withSlots,
} from './replication-conf.ts';
import { isThere, readIfThere, writeAtomic } from './whole-file.ts';

const cutWithinMs = 5000;

const main = 'postgresql.conf';
const auto = 'postgresql.auto.conf';

/** Comments may be in any encoding: each byte is a character here. What we write into the files is ASCII. */
const encoding = 'latin1';

const read = (dir: string, name: string): string => readIfThere(join(dir, name), encoding) ?? '';

const write = (dir: string, name: string, text: string): void => writeAtomic(dir, name, text, { encoding });

/** postgresql.conf, to be changed: without its lines there is no server any more, so that nothing is made of an empty one. */
function readMain(dir: string): string {
  const text = read(dir, main);
  if (text.trim() === '') throw new Error(`${join(dir, main)} is empty or missing: restore it`);
  return text;
}

function included(dir: string): { path: string; text: string }[] {
  const paths = includes(read(dir, main)).map((path) => resolve(dir, path));
  return paths
    .filter(isThere)
    .flatMap((path) =>
      statSync(path).isDirectory()
        ? readdirSync(path)
            .filter((name) => name.endsWith('.conf'))
            .map((name) => join(path, name))
        : [path],
    )
    .map((path) => ({ path, text: readFileSync(path, encoding) }));
}

/** Whom the file names, or has named, in synchronous_standby_names. */
export const namedStandbys = (dir: string): readonly string[] => everyName(read(dir, main));

function hasSlots(dir: string): boolean {
  const version = majorVersion(read(dir, 'PG_VERSION'));
  return version !== undefined && versionFacts(version).synchronizedStandbySlots;
}

const slotsToo = (dir: string, text: string, ids: readonly string[]): string =>
  hasSlots(dir) ? withSlots(text, ids) : text;

/** Puts exactly these standbys into synchronous_standby_names; returns how many of them a commit needs. */
export async function setNames(conf: ServerConf, ids: readonly string[]): Promise<number> {
  const dir = conf.dbInstance;
  const other = overriding(namesSetting, { auto: read(dir, auto), included: included(dir) });
  if (other !== undefined) throw new Error(`${other} overrides ${namesSetting} of postgresql.conf`);
  const { text, value } = withNames(readMain(dir), ids);
  write(dir, main, slotsToo(dir, text, ids));
  await withSession(conf, async (ask) => {
    await ask('select pg_reload_conf()');
    await inForce(ask, namesSetting, value);
  });
  return parseNames(value).needed;
}

/**
 * Slots that standbys stream through, and the list of those that logical walsenders wait for. A slot that somebody has begun to use
 * meanwhile stays as it is: its next look says so.
 */
export async function setSlots(conf: ServerConf, { waitFor, make, renew, drop }: SlotWork): Promise<void> {
  const dir = conf.dbInstance;
  await withSession(conf, async (ask) => {
    const create = (id: string): Promise<unknown> => ask(createSlot(standbySlotName(id)));
    for (const id of make) await create(id);
    if (waitFor !== undefined) {
      const other = overriding(slotsSetting, { auto: read(dir, auto), included: included(dir) });
      if (other !== undefined) throw new Error(`${other} overrides ${slotsSetting} of postgresql.conf`);
      const { text, value } = withListed(readMain(dir), waitFor);
      write(dir, main, text);
      await ask('select pg_reload_conf()');
      await inForce(ask, slotsSetting, value);
    }
    for (const id of renew) {
      await ask(dropSlot(standbySlotName(id)));
      await create(id);
    }
    for (const slot of drop) await ask(dropSlot(slot));
  });
}

const slotNamed = (name: string): string =>
  `from pg_catalog.pg_replication_slots where slot_name = ${quoteLiteral(name)}`;
/** It keeps nothing before somebody has used it. */
const createSlot = (name: string): string =>
  `select pg_create_physical_replication_slot(${quoteLiteral(name)}, false) where not exists (select ${slotNamed(name)})`;
const dropSlot = (name: string): string =>
  `select pg_drop_replication_slot(slot_name) ${slotNamed(name)} and not active`;

/** Waits for a value to count. A mistake anywhere in the file, or a setting elsewhere, keeps it out. */
function inForce(ask: Ask, name: string, value: string): Promise<void> {
  const late = `the server did not take over ${name}`;
  return until(ask, `select current_setting('${name}') as it`, (it) => it === value, cutWithinMs, late);
}

/** Asks again and again until the answer is right. Throws when the time is up. */
async function until(
  ask: Ask,
  text: string,
  done: (it: unknown) => boolean,
  withinMs: number,
  late: string,
): Promise<void> {
  const end = performance.now() + withinMs;
  for (;;) {
    const [row] = await ask<{ it: unknown }>(text);
    if (done(row?.it)) return;
    if (performance.now() > end) throw new Error(`${late} within ${withinMs / 1000} s`);
    await sleep(5);
  }
}

/** From here on nothing more is received; returns how far it came. Own names are out, too, for the promotion to come. */
export async function cutReceiver(conf: ServerConf): Promise<string> {
  const dir = conf.dbInstance;
  const moved = withPrimaryHere(dir);
  const alone = withoutSetting(withoutSetting(moved, upstreamSetting), namesSetting);
  write(dir, main, slotsToo(dir, alone, []));
  return withSession(conf, async (ask) => {
    await ask('select pg_reload_conf()');
    await endReceiver(ask);
    const received = 'select greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) as lsn';
    const [row] = await ask<{ lsn: string | null }>(received);
    return row?.lsn ?? '0/0';
  });
}

/**
 * ALTER SYSTEM or pg_basebackup -R may have put primary_conninfo into the other file, where it would win. Between the two
 * writes it stands in both, as it was.
 */
function withPrimaryHere(dir: string): string {
  const text = readMain(dir);
  const lines = read(dir, auto).split('\n');
  const standing = parseConf(lines.join('\n')).filter((line) => line.name === upstreamSetting);
  const last = standing.at(-1);
  if (!last) return text;
  const moved = lines[last.index] ?? '';
  const rest = lines.filter((_, index) => !standing.some((line) => line.index === index));
  const next = `${withoutSetting(text, upstreamSetting).replace(/\n*$/, '\n')}${moved}\n`;
  write(dir, main, next);
  write(dir, auto, rest.join('\n'));
  return next;
}

/** One that is connecting is a process, but no row of pg_stat_wal_receiver yet. */
const receiving = `select exists (select from pg_stat_wal_receiver)
 or exists (select from pg_stat_activity where backend_type = 'walreceiver') as it`;

/** The startup process hears of the reload with the others; one that was asking for a receiver at that moment still gets it. */
const quietLooks = 3;

async function endReceiver(ask: Ask): Promise<void> {
  await inForce(ask, upstreamSetting, '');
  for (let look = 0; look < quietLooks; look += 1) {
    if (look > 0) await sleep(5);
    await until(ask, receiving, (it) => it === false, cutWithinMs, 'the WAL receiver did not end');
  }
}

/**
 * Ends the sessions that replay waits for: what was received is replayed before a promotion, and a long query may hold
 * that up for max_standby_streaming_delay. The server itself would end them then; until then nobody could write.
 */
const endBlockers = `select count(pg_terminate_backend(pid)) as it from pg_stat_activity
 where backend_type = 'client backend' and xact_start is not null and pid <> pg_backend_pid()
 and application_name <> 'mc_agent' and exists (select from pg_stat_activity where backend_type = 'startup'
 and (wait_event like 'RecoveryConflict%' or wait_event_type in ('Lock', 'BufferPin')))`;
const blockersEveryMs = 100;

/** Compared in the statement that asks for the promotion, so that a request which comes late meets no other start of the instance. */
const askToPromote = (startedAtWall: number | null): string => {
  const same =
    startedAtWall === null
      ? 'true'
      : `(extract(epoch from pg_postmaster_start_time()) * 1000)::bigint = ${startedAtWall}`;
  return `select ${same} as same, case when ${same} and pg_is_in_recovery() then pg_promote(false) end`;
};

/**
 * Promotes the instance that was started then, and waits until writes are taken, which takes as long as the replay of what was
 * received; returns the new timeline. When it throws the promotion may still come.
 */
export function promote(conf: ServerConf, startedAtWall: number | null): Promise<number> {
  return withSession(conf, async (ask) => {
    const [asked] = await ask<{ same: boolean }>(askToPromote(startedAtWall));
    if (!asked?.same) throw new Error('the instance was started anew');
    let lookAt = performance.now() + blockersEveryMs;
    while ((await ask<{ it: boolean }>('select pg_is_in_recovery() as it'))[0]?.it !== false) {
      if (performance.now() > lookAt) {
        await ask(endBlockers);
        lookAt = performance.now() + blockersEveryMs;
      }
      await sleep(5);
    }
    const [row] = await ask<{ timeline: number }>(
      "select ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int as timeline",
    );
    return row?.timeline ?? 0;
  });
}

export interface Upstream {
  readonly host: string;
  readonly port: number;
}

/**
 * Points a running standby, or a stopped former primary, at this server. Names that were taken out for a promotion stand
 * in the file again: on a standby they say nothing, and that is how a standby is provisioned and checked.
 */
export async function follow(conf: ServerConf, standby: string, to: Upstream): Promise<void> {
  const dir = conf.dbInstance;
  const followed = withPrimary(withPrimaryHere(dir), '', { ...to, standby });
  const named = withEveryName(followed);
  write(dir, main, slotsToo(dir, named, everyName(named)));
  if (await findPostmaster(dir)) {
    await withSession(conf, (ask) => ask('select pg_reload_conf()'));
    return;
  }
  // The last file: one that is a standby knows whom to follow.
  writeAtomic(dir, 'standby.signal', '');
}

/** What pg_controldata says; null when it cannot be asked, or says what cannot be trusted. */
export async function controlData({
  dbInstance: dataDir,
  postgresBinDir,
}: Pick<ServerConf, 'dbInstance' | 'postgresBinDir'>): Promise<Proof | null> {
  const program = await findServerProgram(dataDir, postgresBinDir);
  if ('why' in program) return null;
  const path = join(dirname(program.path), 'pg_controldata');
  const env = { ...process.env, LC_ALL: 'C' };
  const said = await runProgram(path, ['-D', dataDir], { env, cwd: thereAlways, timeout: 10_000 }).catch(
    () => null,
  );
  if (said === null) return null;
  const { stdout, stderr } = said;
  // A file whose checksum is wrong is shown all the same, with a warning.
  const parsed = /WARNING/.test(stdout + stderr) ? undefined : parseControlData(stdout);
  const idle = (await processesIn(dataDir)).length === 0;
  return parsed ? { state: parsed.state, checkpoint: parsed.checkpoint, idle } : null;
}

/** Whether pg_control is that of a server that has not taken a write since it was a standby; null where that cannot be known now. */
export const wasInRecovery = async (
  conf: Pick<ServerConf, 'dbInstance' | 'postgresBinDir'>,
): Promise<boolean | null> => {
  const proof = await controlData(conf);
  return proof && /in archive recovery|shut down in recovery/.test(proof.state);
};
