/**
 * Single → multiplexed → single on real hosts, for every form of a single server: while a client writes, with a switch in
 * between, keeping either server. What has to be the same afterwards is compared to the byte, and the difference printed.
 */
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { Lab } from '../harness/lab.ts';
import { type Server, sql } from '../support/instance.ts';
import { built } from '../support/pgduet.ts';
import { clusterName, type FormName, forms } from './forms.ts';
import { more, remains } from './remains.ts';
import { countRestarts } from './restarts.ts';
import { difference, hostSnapshot, snapshot } from './snapshot.ts';
import { checksums, logged, sequences } from './tables.ts';
import { archive, foretold, named, Trip } from './trip.ts';
import { doubled } from './writer.ts';

/** The longest time without an acknowledged row, where the server is restarted once. */
const stopMs = 1500;
/** Where it is not, a busy disk alone keeps a client waiting; it never loses its connection. */
const noStopMs = 1000;

/** The roles of these are moved back by teardown itself, and afterwards the other server is the one to stay. */
const keptEitherWay: readonly FormName[] = ['ownUnit', 'packaged'];

describeLab('single to multiplexed and back', () => {
  let lab: Lab;
  beforeAll(async () => {
    built();
    lab = await Lab.open();
  });
  afterAll(() => lab?.close());

  for (const form of Object.keys(forms) as FormName[]) {
    describe(form, () => roundTrips(form, () => lab));
  }
});

function roundTrips(form: FormName, lab: () => Lab): void {
  let trip: Trip;
  let a: Server;
  let b: Server;
  beforeAll(async () => {
    trip = await Trip.begin(lab(), form);
    [a, b] = [trip.original, trip.second];
  });
  afterAll(async () => {
    await Promise.all([trip?.single.host.powerOff(), trip?.other.powerOff()]);
  });

  const allowedMs = (restarts: number): number => (restarts === 0 ? noStopMs : stopMs);

  /** A verb under a client of the single server, with one restart more or less than announced being an error. */
  const withClient = async (restarts: number, ...words: string[]) => {
    const count = countRestarts(a);
    const [document, written] = await trip.writing(trip.clientOfSingle, () => trip.run(0, ...words));
    expect(await count.stop(), 'restarts').toBe(restarts);
    console.log(`${form}: ${words[0]}: longest gap ${written.longestGapMs} ms, ${written.ids.length} rows`);
    expect(written.longestGapMs, written.errors).toBeLessThan(allowedMs(restarts));
    if (restarts === 0) expect(written.errors, 'what the client ran into').toBe('');
    return document;
  };

  /** Rows before, during and after a switch. */
  const switchUnderLoad = async (to: Server): Promise<void> => {
    const [document] = await trip.writing(trip.clientOfPair, async (writing) => {
      await writing.more(100);
      return trip.run(0, 'switch', '--to', to.id, '--yes');
    });
    expect(document.primary).toBe(to.id);
  };

  labTest('migrate --check says what migrate then does, and touches nothing', async () => {
    const sums = await checksums(a);
    const check = await trip.run(2, 'migrate', '--check');
    expect(difference(trip.before.single, await snapshot(trip.single))).toBe('');
    expect(difference(trip.before.other, await hostSnapshot(trip.other, archive))).toBe('');
    const document = await withClient(trip.single.restarts.migrate, 'migrate', '--yes');
    const shape = (plan: typeof check.plan) =>
      plan.map(({ host, resource, state, summary, reason }) => ({ host, resource, state, summary, reason }));
    expect(shape(document.plan)).toEqual(shape(check.plan));
    expect(named(document.changed)).toEqual(foretold(check.plan));
    await trip.expectPair(a, b);
    expect(logged(await checksums(a))).toEqual(logged(sums));
    // What the server had before, and nobody has declared, is a note; but slots that nobody uses keep its WAL.
    const told = (await trip.checks(form === 'ownUnit' ? 1 : 0)).filter(
      ({ severity }) => severity !== 'note',
    );
    expect(told.map(({ code, object }) => `${code} ${object}`)).toEqual(
      form === 'ownUnit' ? ['SLT002 backup_tool', 'SLT002 reports'] : [],
    );
    expect((await trip.run(0, 'provision', '--check')).plan).toEqual([]);
    expect((await trip.run(0, 'migrate', '--yes')).changed).toEqual([]);
  });

  labTest('rows under load, a switch, and teardown keeping the original: it is as it was', async () => {
    const counters = await sequences(a, 'app');
    const sums = await checksums(a);
    await switchUnderLoad(b);
    await trip.expectPair(b, a);
    if (keptEitherWay.includes(form)) {
      const [check] = [await trip.run(2, 'teardown', '--keep', a.id, '--check')];
      const [document] = await trip.writing(trip.clientOfPair, () =>
        trip.run(0, 'teardown', '--keep', a.id, '--yes'),
      );
      expect(named(document.changed)).toEqual(foretold(check.plan));
    } else {
      await switchUnderLoad(a);
      await trip.expectPair(a, b);
      const check = await trip.run(2, 'teardown', '--check');
      const document = await withClient(trip.single.restarts.teardown, 'teardown', '--yes');
      expect(named(document.changed)).toEqual(foretold(check.plan));
    }
    await trip.expectAsBefore(sums);
    expect(await doubled(a)).toBe('');
    for (const [name, value] of await sequences(a, 'app'))
      expect(value, name).toBeGreaterThanOrEqual(counters.get(name) ?? 0n);
  });

  labTest('once more and straight back: unlogged rows too, and the unit starts it at boot', async () => {
    const sums = await checksums(a);
    await withClient(trip.single.restarts.migrate, 'migrate', '--yes');
    await trip.expectPair(a, b);
    await withClient(trip.single.restarts.teardown, 'teardown', '--yes');
    await trip.expectAsBefore(sums);
    expect(await checksums(a)).toEqual(sums);
    await trip.single.host.reboot();
    await trip.single.host.sh('systemctl is-system-running --wait');
    if (trip.single.unit) await trip.expectAsBefore(sums);
    else expect((await trip.single.host.sh('pgrep -x postgres')).stdout).toBe('');
  });

  if (!keptEitherWay.includes(form)) return;

  labTest('keeping the other server: a plain instance with a unit, and the original is gone', async () => {
    const sums = await checksums(a);
    await trip.run(0, 'migrate', '--yes');
    await switchUnderLoad(b);
    await trip.writing(trip.clientOfPair, () => trip.run(0, 'teardown', '--yes'));
    await expectPlain(trip, sums);
    await trip.other.reboot();
    await trip.other.sh('systemctl is-system-running --wait');
    await expectPlain(trip, sums);
    await trip.single.host.reboot();
    expect((await trip.single.host.sh('pgrep -ax postgres')).stdout).toBe('');
  });
}

/** The second server alone, with all rows; nothing of the first one is left but what its host had before. */
async function expectPlain(trip: Trip, sums: Awaited<ReturnType<typeof checksums>>): Promise<void> {
  const [a, b] = [trip.original, trip.second];
  const unit = `postgresql_${clusterName}.service`;
  expect(logged(await checksums(b))).toEqual(logged(sums));
  await trip.expectTold(b);
  const asked = 'SELECT pg_is_in_recovery(), current_setting($$synchronous_standby_names$$)';
  expect(await sql(b, asked)).toBe('f|');
  expect((await b.host.sh(`systemctl is-enabled ${unit}; systemctl is-active ${unit}`)).stdout).toBe(
    'enabled\nactive\n',
  );
  const left = more(trip.before.remains[1], await remains(b.host, b));
  expect(left.filter((line) => !line.includes(unit))).toEqual([]);
  // The unit says itself what it is for; nothing else of it may name pgduet.
  expect(left.filter((line) => /mcoi|mc_ctl/.test(line))).toEqual([]);
  const dirs = [a.dataDir, trip.single.walDir, ...trip.single.tablespaces].filter((dir) => dir !== undefined);
  expect((await a.host.sh(`find ${dirs.join(' ')} -mindepth 1 2>/dev/null; pgrep -ax postgres`)).stdout).toBe(
    '',
  );
  expect(more(trip.before.remains[0], await remains(a.host))).toEqual([]);
}
