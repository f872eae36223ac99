/**
 * migrate and teardown broken off at seeded moments spread over the whole run, by every accident of `interruption.ts`, while
 * a client writes. Afterwards one server serves by itself; then either the same verb continues, or the other one goes back.
 * Both have to end as an undisturbed trip does. PGDUET_INTERRUPTIONS says how many for each verb; a round takes about a minute.
 */
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { Lab } from '../harness/lab.ts';
import { built } from '../support/pgduet.ts';
import { Run, seeded } from '../trouble/trouble.ts';
import type { FormName } from './forms.ts';
import { interrupted, kinds, type Moment, stepsOf, toTheEnd, untilOneServes } from './interruption.ts';
import { type Checksums, checksums } from './tables.ts';
import { Trip } from './trip.ts';

const rounds = Number(process.env.PGDUET_INTERRUPTIONS ?? 3);
const roundMs = 400_000;

describeLab('verbs that are interrupted', () => {
  let lab: Lab;
  beforeAll(async () => {
    built();
    lab = await Lab.open();
  });
  afterAll(() => lab?.close());

  describe('migrate', () => migrations('ownUnit', () => lab));
  describe('teardown', () => teardowns('packaged', () => lab));
});

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
  return Array.from({ length: rounds }, (_, round) => {
    const [place, delay] = [(round + random()) / rounds, random()];
    return (steps) => ({ step: Math.floor(place * steps), delayMs: Math.floor(delay * 300) });
  });
}

/** Accidents are dealt so that early and late moments meet each of them. */
const kindOf = (round: number) => kinds[(round * 3) % kinds.length] ?? kinds[0];

function migrations(form: FormName, lab: () => Lab): void {
  const trips = new Trips(form, lab);
  const moments = momentsOf(20_261_121);
  let count = 0;
  for (const [round, momentOf] of moments.entries()) {
    const kind = kindOf(round);
    const continues = round % 2 === 0;
    const words = `round ${round + 1}: ${kind}; ${continues ? 'migrate again' : 'teardown'}`;
    labTest(
      words,
      async () => {
        const { trip, sums } = await trips.single();
        const [a, b] = [trip.original, trip.second];
        const moment = momentOf(trips.steps.migrate);
        await trip.writing(trip.clientOfPair, async () => {
          const ended = await interrupted(trip, ['migrate'], kind, moment);
          count += ended ? 1 : 0;
          await untilOneServes([a, b]);
          if (continues) await toTheEnd(trip, 'migrate');
        });
        if (continues) {
          const primary = await untilOneServes([a, b]);
          await trip.expectPair(primary, primary === a ? b : a);
        }
        await toTheEnd(trip, 'teardown', '--keep', a.id);
        await trip.expectAsBefore(sums);
        trips.endedWell(trip);
      },
      roundMs,
    );
  }
  labTest('nearly all of the runs were really interrupted', async () => {
    expect(count).toBeGreaterThanOrEqual(Math.floor(rounds * 0.85));
  });
}

function teardowns(form: FormName, lab: () => Lab): void {
  const trips = new Trips(form, lab);
  const moments = momentsOf(20_261_122);
  let count = 0;
  for (const [round, momentOf] of moments.entries()) {
    const kind = kindOf(round);
    const continues = round % 2 === 0;
    // Every second pair of rounds begins with the roles exchanged, so that teardown has to move them back.
    const switched = round % 4 >= 2;
    const words = `round ${round + 1}: ${kind}${switched ? ', after a switch' : ''}; ${continues ? 'teardown again' : 'migrate'}`;
    labTest(
      words,
      async () => {
        const { trip, sums } = await trips.single();
        const [a, b] = [trip.original, trip.second];
        const moment = momentOf(trips.steps.teardown);
        await toTheEnd(trip, 'migrate');
        if (switched) await toTheEnd(trip, 'switch', '--to', b.id);
        const back = ['teardown', '--keep', a.id];
        await trip.writing(trip.clientOfPair, async () => {
          const ended = await interrupted(trip, back, kind, moment);
          count += ended ? 1 : 0;
          await untilOneServes([a, b]);
          await toTheEnd(trip, ...(continues ? back : ['migrate']));
        });
        if (!continues) {
          const primary = await untilOneServes([a, b]);
          await trip.expectPair(primary, primary === a ? b : a);
          await toTheEnd(trip, ...back);
        }
        await trip.expectAsBefore(sums);
        trips.endedWell(trip);
      },
      roundMs,
    );
  }
  labTest('nearly all of the runs were really interrupted', async () => {
    expect(count).toBeGreaterThanOrEqual(Math.floor(rounds * 0.85));
  });
}
