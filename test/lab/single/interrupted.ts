/**
 * Verbs of a trip, broken off at seeded moments spread over the whole run, by every accident of `interruption.ts`, while a
 * client writes. Afterwards one server serves by itself; then either the same verb continues, or the other one goes back.
 * Both have to end as an undisturbed trip does. In: a form and a verb's rounds. Out: tests, in a lab of their own.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { Lab } from '../harness/lab.ts';
import { built } from '../support/pgduet.ts';
import { interruptions, nearlyAll, seeded, seedOf } from '../support/random.ts';
import { Run } from '../support/running.ts';
import type { FormName } from './forms.ts';
import {
  interrupted,
  type Kind,
  kinds,
  type Moment,
  stepsOf,
  toTheEnd,
  untilOneServes,
} from './interruption.ts';
import { type Checksums, checksums } from './tables.ts';
import { Trip } from './trip.ts';

const roundMs = 400_000;

type Verb = 'migrate' | 'teardown';

/** What is done in a round. */
export interface Round {
  readonly kind: Kind;
  /** The verb that was broken off continues; otherwise the other one goes back. */
  readonly continues: boolean;
  /** The roles are exchanged before a teardown, so that it has to move them back. */
  readonly switched: boolean;
}

/** What comes before the accident, which verb it breaks off, and how the pair comes to its end. */
export interface Interrupted {
  readonly verb: Verb;
  readonly form: FormName;
  readonly seed: number;
  readonly titleOf: (round: Round) => string;
  readonly before: (trip: Trip, round: Round) => Promise<void>;
}

/** A trip that is single, made anew after a round that failed. */
class Trips {
  readonly #form: FormName;
  readonly #lab: () => Lab;
  #trip: Trip | undefined;
  #sums: Checksums | undefined;
  #last: Trip | undefined;
  #made = 0;
  /** Steps of a whole run of each verb. */
  readonly steps = { migrate: 0, teardown: 0 };

  constructor(form: FormName, lab: () => Lab) {
    this.#form = form;
    this.#lab = lab;
  }

  async single(): Promise<{ trip: Trip; sums: Checksums }> {
    const { trip, sums } =
      this.#trip && this.#sums ? { trip: this.#trip, sums: this.#sums } : await this.#begin();
    // Taken away until the round has ended well.
    this.#trip = undefined;
    return { trip, sums };
  }

  async #begin(): Promise<{ trip: Trip; sums: Checksums }> {
    this.#made += 1;
    await Promise.all([this.#last?.single.host.powerOff(), this.#last?.other.powerOff()]);
    const trip = await Trip.begin(this.#lab(), this.#form, `${this.#form.toLowerCase()}${this.#made}`);
    this.#last = trip;
    const sums = await checksums(trip.original);
    if (this.steps.migrate === 0) await this.#measure(trip);
    this.#sums = sums;
    return { trip, sums };
  }

  /** A whole trip without an accident. */
  async #measure(trip: Trip): Promise<void> {
    for (const verb of ['migrate', 'teardown'] as const) {
      const ended = await new Run([verb, '-i', trip.inventory, '--yes']).ended;
      if (ended.status !== 0) throw new Error(`${verb} ended with ${ended.status}:\n${ended.stderr}`);
      this.steps[verb] = stepsOf(ended);
    }
  }

  endedWell(trip: Trip): void {
    this.#trip = trip;
  }
}

/** The moment of each round, when the steps of a whole run are known: the rounds divide the run among them. */
function momentsOf(seed: number): readonly ((steps: number) => Moment)[] {
  const random = seeded(seed);
  return Array.from({ length: interruptions }, (_, round) => {
    const [place, delay] = [(round + random()) / interruptions, random()];
    return (steps) => ({ step: Math.floor(place * steps), delayMs: Math.floor(delay * 300) });
  });
}

/** Accidents are dealt so that early and late moments meet each of them, and four rounds all ways to go on. */
const roundOf = (seed: number, number: number): Round => ({
  kind: kinds[(seed + number * 3) % kinds.length] ?? kinds[0],
  continues: number % 2 === 0,
  switched: number % 4 === 1 || number % 4 === 2,
});

const argumentsOf = (verb: Verb, { original }: Trip): readonly string[] =>
  verb === 'teardown' ? ['teardown', '--keep', original.id] : ['migrate'];

/** The tests of one verb. */
export const describeInterrupted = (about: Interrupted): void =>
  describeLab(`${about.verb}, interrupted`, () => {
    let lab: Lab;
    beforeAll(async () => {
      built();
      lab = await Lab.open();
    });
    afterAll(() => lab?.close());

    const trips = new Trips(about.form, () => lab);
    const seed = seedOf(about.seed);
    let count = 0;
    for (const [number, momentOf] of momentsOf(seed).entries()) {
      const round = roundOf(seed, number);
      labTest(
        `round ${number + 1}: ${about.titleOf(round)}`,
        async () => {
          const { trip, sums } = await trips.single();
          await about.before(trip, round);
          count += await brokenOff(trip, about.verb, round, momentOf(trips.steps[about.verb]));
          await toTheEnd(trip, ...argumentsOf('teardown', trip));
          await trip.expectAsBefore(sums);
          trips.endedWell(trip);
        },
        roundMs,
      );
    }
    labTest('nearly all of the runs were really interrupted', async () => {
      expect(count).toBeGreaterThanOrEqual(nearlyAll(interruptions));
    });
  });

/** Breaks the verb off and goes on as the round says; where that leads to a pair, it has to be whole. 1 when it was in time. */
async function brokenOff(
  trip: Trip,
  verb: Verb,
  { kind, continues }: Round,
  moment: Moment,
): Promise<number> {
  const [a, b] = [trip.original, trip.second];
  const back = verb === 'migrate' ? 'teardown' : 'migrate';
  let count = 0;
  const toPair = (continues ? verb : back) === 'migrate';
  await trip.writing(trip.clientOfPair, async () => {
    const ended = await interrupted(trip, argumentsOf(verb, trip), kind, moment);
    count = ended ? 1 : 0;
    await untilOneServes([a, b]);
    if (toPair) await toTheEnd(trip, 'migrate');
    else if (verb === 'teardown') await toTheEnd(trip, ...argumentsOf('teardown', trip));
  });
  if (!toPair) return count;
  const primary = await untilOneServes([a, b]);
  await trip.expectPair(primary, primary === a ? b : a);
  return count;
}
