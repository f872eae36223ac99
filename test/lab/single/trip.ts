/**
 * A way there and back of one single server, as a person goes it: the built command, and what the hosts show without it.
 * In: a lab and a form. Out: documents of runs; assertions that name what differs. The second host is a fresh one.
 */
import { expect } from 'vitest';
import type { Host, Lab } from '../harness/lab.ts';
import { until } from '../harness/run.ts';
import { type Server, sql, untilSwitchable } from '../support/instance.ts';
import {
  type CheckDocument,
  expectExit,
  findingsOf,
  type Pgduet,
  type PlanEntry,
  pgduet,
  type Reported,
} from '../support/pgduet.ts';
import { archiveDir, counterpart, type FormName, inventoryOf, prepareOther, type Single } from './forms.ts';
import { preparedSingle } from './prepared.ts';
import { more, remains } from './remains.ts';
import { difference, hostSnapshot, type Snapshot, snapshot } from './snapshot.ts';
import { type Checksums, checksums, logged } from './tables.ts';
import { missing, type Writing, type Written, writeOnHost, writeOverNetwork } from './writer.ts';

/** What `--json` prints for a run, as far as it is compared here. */
export interface TripDocument {
  readonly exit: number;
  readonly primary: string | null;
  readonly plan: readonly PlanEntry[];
  readonly changed: readonly { readonly host: string; readonly resource: string; readonly summary: string }[];
  readonly diagnostics: readonly { readonly code: string; readonly what: string }[];
}

/** What a server writes to its archive is the administrator's. */
export const archive = [archiveDir];

/** Both hosts before pgduet has touched them. */
interface Before {
  readonly single: Snapshot;
  readonly other: Snapshot;
  readonly remains: readonly [string[], string[]];
}

export class Trip {
  readonly lab: Lab;
  readonly single: Single;
  readonly other: Host;
  readonly inventory: string;
  readonly before: Before;
  readonly command: Pgduet;
  /** What clients were reported, in all of the trip. */
  readonly told: Written[] = [];

  private constructor(lab: Lab, single: Single, other: Host, before: Before) {
    this.lab = lab;
    this.single = single;
    this.other = other;
    this.before = before;
    this.inventory = inventoryOf(lab, single, [other]);
    this.command = pgduet(lab);
  }

  /** `name` begins the names of both hosts. */
  static async begin(lab: Lab, form: FormName, name = form.toLowerCase()): Promise<Trip> {
    const [single, [other]] = await Promise.all([
      preparedSingle(lab, form, `${name}-a`),
      lab.hosts(1, { names: [`${name}-b`] }),
    ]);
    const { host } = single;
    await prepareOther(single, other);
    const { server } = single;
    const left = await Promise.all([remains(host, server), remains(other)]);
    const around = await hostSnapshot(other, archive);
    return new Trip(lab, single, other, { single: await snapshot(single), other: around, remains: left });
  }

  get original(): Server {
    return this.single.server;
  }

  get second(): Server {
    return counterpart(this.single, this.other);
  }

  /** Runs a verb with --json, which has to end with this status; returns its document. */
  async run(status: number, ...words: string[]): Promise<TripDocument> {
    const [verb = '', ...more] = words;
    const said = await this.command([verb, ...more, '-i', this.inventory, '--json']);
    const document = said.stdout === '' ? undefined : said.json<TripDocument>();
    // The plan is long; what went wrong stands in the messages.
    const told = `${JSON.stringify(document?.diagnostics, null, 1)}\n${said.stderr}`;
    expect(said.status, `exit status of ${words.join(' ')}:\n${told}`).toBe(status);
    if (!document) throw new Error(`${words.join(' ')} printed no document:\n${told}`);
    return document;
  }

  /** What `check` tells; it has to end with this status. */
  async checks(status: number): Promise<readonly Reported[]> {
    const said = await this.command(['check', '-i', this.inventory, '--json']);
    expectExit(said, status);
    return findingsOf(said.json<CheckDocument>());
  }

  /** A client while something is done; its rows are looked for at every later proof. */
  async writing<T>(
    start: () => Promise<Writing>,
    work: (writing: Writing) => Promise<T>,
  ): Promise<[T, Written]> {
    const writing = await start();
    try {
      const result = await work(writing);
      await writing.more(30);
      return [result, await this.#stopped(writing)];
    } catch (error) {
      await this.#stopped(writing);
      throw error;
    }
  }

  async #stopped(writing: Writing): Promise<Written> {
    const written = await writing.stop();
    this.told.push(written);
    return written;
  }

  /** Through the network where the server hears it while it is single, and on its host where it does not. */
  clientOfSingle = (): Promise<Writing> =>
    this.single.listens
      ? writeOverNetwork(this.lab, [this.original, this.second])
      : writeOnHost(this.lab, this.original);

  clientOfPair = (): Promise<Writing> => writeOverNetwork(this.lab, [this.original, this.second]);

  /** Streaming in sync, switchable for both controllers, and the same rows on both. */
  async expectPair(primary: Server, standby: Server): Promise<void> {
    await Promise.all([untilSwitchable(primary), untilSwitchable(standby)]);
    const streams = await sql(primary, 'SELECT application_name, state, sync_state FROM pg_stat_replication');
    expect(streams).toBe(`${standby.id}|streaming|sync`);
    await untilReplayed(primary, standby);
    expect(logged(await checksums(standby)), 'tables of the standby').toEqual(
      logged(await checksums(primary)),
    );
    await this.expectReported(primary);
    await this.expectReported(standby);
  }

  /** Nothing that a client was reported is missing. */
  async expectReported(server: Server): Promise<void> {
    expect(await missing(server, this.told), `rows missing on ${server.id}`).toEqual([]);
  }

  /** The original is what it was, to the byte, and nothing of pgduet is left on either host. */
  async expectAsBefore(sums: Checksums): Promise<void> {
    await Promise.all([this.#expectOriginal(sums), this.#expectBare()]);
  }

  async #expectOriginal(sums: Checksums): Promise<void> {
    const { server, host } = this.single;
    expect(logged(await checksums(server))).toEqual(logged(sums));
    await this.expectReported(server);
    expect(difference(this.before.single, await snapshot(this.single)), 'before and after').toBe('');
    expect(more(this.before.remains[0], await remains(host, server)), `left on ${host.name}`).toEqual([]);
  }

  /** The other host has its packages, and perhaps the empty directories above what was there. */
  async #expectBare(): Promise<void> {
    const left = more(this.before.remains[1], await remains(this.other));
    expect(left, `left on ${this.other.name}`).toEqual([]);
    const { dataDir } = this.original;
    const parents = /^\+(\/database|\/mcdir|\/wal|\/space1|\/var\/lib\/postgresql\/15) directory /;
    const text = difference(this.before.other, await hostSnapshot(this.other, archive));
    const lines = text.split('\n').filter((line) => /^[+-](?![+-])/.test(line) && !parents.test(line));
    expect(lines, `${this.other.name}, apart from directories above ${dataDir}`).toEqual([]);
    expect((await this.other.sh('pgrep -ax postgres; systemctl --failed --no-legend')).stdout).toBe('');
  }
}

/** Kinds that wait for something, and one whose only step is a checkpoint: they change nothing that could be listed. */
const quiet = /^(replication|mirroring|holds) /;

/** Host and resource of each line, sorted: what a plan names, or what was changed. */
export const named = (lines: readonly { readonly host: string; readonly resource: string }[]): string[] =>
  [
    ...new Set(
      lines.filter((line) => !quiet.test(line.resource)).map(({ host, resource }) => `${host}: ${resource}`),
    ),
  ].sort();

/** What a plan foretells to be changed. */
export const foretold = (plan: readonly PlanEntry[]): string[] =>
  named(
    plan.filter(
      ({ state, expect: then, waits }) =>
        !waits && (state === 'change' || (state === 'deferred' && then !== 'same')),
    ),
  );

/** Waits until the standby has applied what the primary has written by now. */
async function untilReplayed(primary: Server, standby: Server): Promise<void> {
  const lsn = await sql(primary, 'SELECT pg_current_wal_lsn()');
  await until(
    () => `${standby.id} has not replayed ${lsn}`,
    20_000,
    async () =>
      (await sql(standby, `SELECT pg_last_wal_replay_lsn() >= '${lsn}'`)) === 't' ? true : undefined,
    50,
  );
}
