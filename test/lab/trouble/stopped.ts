/**
 * What a run that was stopped leaves on a host: nothing that works, no lock, and no server on unfinished data. In: a host.
 * Out: when it is so; an error with what is there otherwise.
 */
import { expect } from 'vitest';
import type { Host } from '../harness/lab.ts';
import { until } from '../harness/run.ts';
import { lockIsFree, mcDir } from './trouble.ts';

/** Nothing of pgduet works on the host any more. */
export const quiet = (host: Host) =>
  until(
    () => `something of the run still works on ${host.name}`,
    10_000,
    async () =>
      (await host.sh('pgrep -x "initdb|pg_basebackup|pg_receivewal|dd"')).stdout === '' ? true : undefined,
  );

/** The next run can begin. */
export const free = (host: Host) =>
  until(
    () => `the lock on ${host.name} is still held`,
    10_000,
    async () => ((await lockIsFree(host)) ? true : undefined),
  );

/** No server ever runs on what was not finished. */
export const nothingHalfMadeRuns = async (host: Host) => {
  const answer = await host.sh(
    `if [ -e ${mcDir}/${host.name}.making ] && pgrep -x postgres >/dev/null; then pgrep -ax postgres; fi`,
  );
  expect(answer.stdout).toBe('');
};
