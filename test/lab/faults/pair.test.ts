/**
 * The most telling faults on a real pair, while a client writes all the time: nothing that was acknowledged is lost, the
 * right thing is done and nothing else, and a former primary does not come up writable. The times are measured by
 * `npm run faults` (docs/faults.md); none is asserted here.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { built } from '../support/pgduet.ts';
import { catalogue } from './support/catalogue.ts';
import { type Result, runFault } from './support/fault.ts';
import type { FaultPair } from './support/pair.ts';
import { label } from './support/report.ts';
import { openPair } from './support/variants.ts';

describeLab('faults of a pair', () => {
  let pair: FaultPair;
  beforeAll(async () => {
    built();
    pair = await openPair('plain');
  });
  afterAll(() => pair?.close());

  const run = async (name: string): Promise<Result> => {
    const fault = catalogue.find((it) => label(it) === name);
    if (!fault) throw new Error(`no fault is called ${name}`);
    const result = await runFault(pair, fault);
    const said = result.said.map(({ server, number, text }) => `${server} ${number} ${text}`).join('\n');
    expect(fault.action, said).toContain(result.action);
    expect(result.untrue, said).toEqual([]);
    process.stdout.write(`${name}: ${result.action}, write gap ${Math.round(result.gapMs)} ms\n`);
    return result;
  };
  const safe = (result: Result): void => {
    expect(result.lost, 'acknowledged rows that are not there').toBe(0);
    expect(result.second, 'rows that a second primary acknowledged').toBe(0);
  };

  for (const name of [
    'host frozen for 1 s (primary)',
    'host frozen for 1 s (standby)',
    'max_connections used up for 10 s (primary)',
    'postmaster killed (standby)',
  ])
    labTest(`${name}: the primary stays primary, and nothing is lost`, async () => {
      const result = await run(name);
      safe(result);
      expect(result.oldPrimaryWrites).toBe(true);
    });

  for (const name of [
    'postmaster killed (primary)',
    'a long query holds up replay; then the postmaster is killed (primary)',
    'switch on request (primary)',
    'host frozen for 30 s (primary)',
    'power off, and on again 10 s later (primary)',
  ])
    labTest(
      `${name}: the standby takes over, nothing is lost, the former primary takes no writes`,
      async () => {
        const result = await run(name);
        safe(result);
        expect(result.oldPrimaryWrites).toBe(false);
      },
    );

  labTest('cable cut (primary): with fallback both go on, and both say so', async () => {
    const result = await run('cable cut (primary)');
    expect(result.said.map(({ number }) => number)).toContain('00062');
    const numbers = (server: string) =>
      result.said.filter((it) => it.server === server).map(({ number }) => number);
    for (const { id } of pair.servers) expect(numbers(id)).toContain('01030');
  });
});
