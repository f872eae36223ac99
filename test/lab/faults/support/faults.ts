/**
 * Faults on a real pair as tests, while a client writes all the time. The times are measured by `npm run faults`
 * (docs/faults.md); none is asserted here. In: a title. Out: a pair in a lab of its own, and a way to break it.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../../harness/describe.ts';
import { built } from '../../support/pgduet.ts';
import { catalogue } from './catalogue.ts';
import { type Fault, type Result, runFault } from './fault.ts';
import type { FaultPair } from './pair.ts';
import { label } from './report.ts';
import { openPair, type Variant } from './variants.ts';

/** The fault of the catalogue that docs/faults.md calls so. */
export function faultCalled(name: string): Fault {
  const fault = catalogue.find((it) => label(it) === name);
  if (!fault) throw new Error(`no fault is called ${name}`);
  return fault;
}

export interface Broken {
  readonly pair: FaultPair;
  /** The right thing is done, and the status tells the truth. */
  run(fault: Fault): Promise<Result>;
}

export const describeFaults = (
  title: string,
  tests: (broken: Broken) => void,
  variant: Variant = 'plain',
): void =>
  describeLab(title, () => {
    let pair: FaultPair;
    beforeAll(async () => {
      built();
      pair = await openPair(variant);
    });
    afterAll(() => pair?.close());
    tests({
      get pair() {
        return pair;
      },
      run: (fault) => actsRightly(pair, fault),
    });
  });

async function actsRightly(pair: FaultPair, fault: Fault): Promise<Result> {
  const result = await runFault(pair, fault);
  const said = result.said.map(({ server, number, text }) => `${server} ${number} ${text}`).join('\n');
  expect(fault.action, said).toContain(result.action);
  expect(result.untrue, said).toEqual([]);
  process.stdout.write(`${label(fault)}: ${result.action}, write gap ${Math.round(result.gapMs)} ms\n`);
  return result;
}

/** Nothing that was acknowledged is lost, and no second primary acknowledged anything. */
export function expectSafe(result: Result): void {
  expect(result.lost, 'acknowledged rows that are not there').toBe(0);
  expect(result.second, 'rows that a second primary acknowledged').toBe(0);
}

/** The standby takes over, nothing is lost, and the former primary takes no writes. */
export const testsOfTakeover = (broken: Broken, faults: readonly Fault[]): void => {
  for (const fault of faults)
    labTest(`${label(fault)}: the standby takes over, nothing is lost`, async () => {
      const result = await broken.run(fault);
      expectSafe(result);
      expect(result.oldPrimaryWrites, 'the former primary takes writes').toBe(false);
    });
};
