/**
 * Single → multiplexed → single on real hosts, for one form of a single server: while a client writes, with a switch in
 * between, keeping either server. What has to be the same afterwards is compared to the byte, and the difference printed.
 * In: a form. Out: tests, in a lab of their own; each form has a file, so that the forms run side by side.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { Lab } from '../harness/lab.ts';
import { type Server, sql } from '../support/instance.ts';
import { built } from '../support/pgduet.ts';
import { expectForm } from './facts.ts';
import { clusterName, type FormName } from './forms.ts';
import { more, remains } from './remains.ts';
import { countRestarts } from './restarts.ts';
import { difference, hostSnapshot, snapshot } from './snapshot.ts';
import { checksums, logged, sequences } from './tables.ts';
import { archive, foretold, named, Trip, type TripDocument } from './trip.ts';
import { doubled } from './writer.ts';

/** After the switch the roles of these are moved back by teardown itself; those of the others by a second switch. */
const movedBack: readonly FormName[] = ['ownUnit', 'packaged'];

/** A trip in a lab of its own, and what is done on it. */
function describeTrip(title: string, form: FormName, tests: (trip: () => Trip) => void): void {
  describeLab(`single to multiplexed and back: ${title}`, () => {
    let lab: Lab;
    let trip: Trip;
    beforeAll(async () => {
      built();
      lab = await Lab.open();
      trip = await Trip.begin(lab, form);
    });
    afterAll(() => lab?.close());
    tests(() => trip);
  });
}

/** There and back twice, the original being kept. */
export const describeRoundTrips = (form: FormName): void =>
  describeTrip(form, form, (trip) => {
    labTest('the single server is what its form says', () => expectForm(trip().single));
    labTest('migrate --check says what migrate then does, and touches nothing', () => migrates(trip()));
    labTest('rows under load, a switch, and teardown keeping the original: it is as it was', () =>
      comesBackAfterSwitch(trip()),
    );
    labTest('once more and straight back: unlogged rows too, and the unit starts it at boot', () =>
      comesStraightBack(trip()),
    );
  });

/** There, and the other server is the one to stay. */
export const describeOtherKept = (form: FormName): void =>
  describeTrip(`${form}, keeping the other server`, form, (trip) => {
    labTest('keeping the other server: a plain instance with a unit, and the original is gone', () =>
      leavesForTheOther(trip()),
    );
  });

/** A verb under a client of the single server, with one restart more or less than announced being an error. */
async function withClient(trip: Trip, verb: 'migrate' | 'teardown'): Promise<TripDocument> {
  const { single, original } = trip;
  const count = countRestarts(original);
  const [document, written] = await trip.writing(trip.clientOfSingle, () => trip.run(0, verb, '--yes'));
  expect(await count.stop(), 'restarts').toBe(single.restarts[verb]);
  console.log(`${single.form}: ${verb}: longest gap ${written.longestGapMs} ms, ${written.ids.length} rows`);
  if (single.restarts[verb] === 0) expect(written.errors, 'what the client ran into').toBe('');
  return document;
}

/** Rows before, during and after a switch. */
async function switchUnderLoad(trip: Trip, to: Server): Promise<void> {
  const [document] = await trip.writing(trip.clientOfPair, async (writing) => {
    await writing.more(40);
    return trip.run(0, 'switch', '--to', to.id, '--yes');
  });
  expect(document.primary).toBe(to.id);
  // What a server says to systemd at its end is no word of the controller's.
  for (const { host, unit } of [trip.original, trip.second])
    expect((await host.sh(`systemctl show -p ActiveState --value ${unit}`)).stdout.trim()).toBe('active');
}

async function migrates(trip: Trip): Promise<void> {
  const [a, b] = [trip.original, trip.second];
  const sums = await checksums(a);
  const check = await trip.run(2, 'migrate', '--check');
  expect(difference(trip.before.single, await snapshot(trip.single))).toBe('');
  expect(difference(trip.before.other, await hostSnapshot(trip.other, archive))).toBe('');
  const document = await withClient(trip, 'migrate');
  const shape = (plan: typeof check.plan) =>
    plan.map(({ host, resource, state, summary, reason }) => ({ host, resource, state, summary, reason }));
  expect(shape(document.plan)).toEqual(shape(check.plan));
  expect(named(document.changed)).toEqual(foretold(check.plan));
  await trip.expectPair(a, b);
  expect(logged(await checksums(a))).toEqual(logged(sums));
  const slots = trip.single.form === 'ownUnit';
  // What the server had before, and nobody has declared, is a note; but slots that nobody uses keep its WAL.
  const told = (await trip.checks(slots ? 1 : 0)).filter(({ severity }) => severity !== 'note');
  expect(told.map(({ code, object }) => `${code} ${object}`)).toEqual(
    slots ? ['SLT002 backup_tool', 'SLT002 reports'] : [],
  );
  expect((await trip.run(0, 'provision', '--check')).plan).toEqual([]);
  expect((await trip.run(0, 'migrate', '--yes')).changed).toEqual([]);
}

async function comesBackAfterSwitch(trip: Trip): Promise<void> {
  const [a, b] = [trip.original, trip.second];
  const counters = await sequences(a, 'app');
  const sums = await checksums(a);
  await switchUnderLoad(trip, b);
  await trip.expectPair(b, a);
  if (movedBack.includes(trip.single.form)) {
    const check = await trip.run(2, 'teardown', '--keep', a.id, '--check');
    const [document] = await trip.writing(trip.clientOfPair, () =>
      trip.run(0, 'teardown', '--keep', a.id, '--yes'),
    );
    expect(named(document.changed)).toEqual(foretold(check.plan));
  } else {
    await switchUnderLoad(trip, a);
    await trip.expectPair(a, b);
    const check = await trip.run(2, 'teardown', '--check');
    const document = await withClient(trip, 'teardown');
    expect(named(document.changed)).toEqual(foretold(check.plan));
  }
  await trip.expectAsBefore(sums);
  expect(await doubled(a)).toBe('');
  for (const [name, value] of await sequences(a, 'app'))
    expect(value, name).toBeGreaterThanOrEqual(counters.get(name) ?? 0n);
}

async function comesStraightBack(trip: Trip): Promise<void> {
  const [a, b] = [trip.original, trip.second];
  const sums = await checksums(a);
  await withClient(trip, 'migrate');
  await trip.expectPair(a, b);
  await withClient(trip, 'teardown');
  await trip.expectAsBefore(sums);
  expect(await checksums(a)).toEqual(sums);
  await trip.single.host.reboot();
  await trip.single.host.sh('systemctl is-system-running --wait');
  if (trip.single.unit) await trip.expectAsBefore(sums);
  else expect((await trip.single.host.sh('pgrep -x postgres')).stdout).toBe('');
}

async function leavesForTheOther(trip: Trip): Promise<void> {
  const [a, b] = [trip.original, trip.second];
  const sums = await checksums(a);
  await trip.run(0, 'migrate', '--yes');
  await switchUnderLoad(trip, b);
  await trip.writing(trip.clientOfPair, () => trip.run(0, 'teardown', '--yes'));
  await expectPlain(trip, sums);
  await trip.other.reboot();
  await trip.other.sh('systemctl is-system-running --wait');
  await expectPlain(trip, sums);
  await trip.single.host.reboot();
  expect((await trip.single.host.sh('pgrep -ax postgres')).stdout).toBe('');
}

/** The second server alone, with all rows; nothing of the first one is left but what its host had before. */
async function expectPlain(trip: Trip, sums: Awaited<ReturnType<typeof checksums>>): Promise<void> {
  const [a, b] = [trip.original, trip.second];
  const unit = `postgresql_${clusterName}.service`;
  expect(logged(await checksums(b))).toEqual(logged(sums));
  await trip.expectReported(b);
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
