/**
 * One measured thing: its wall time, the CPU time that the hosts spent on it, and how loaded the machine was.
 * In: what to measure. Out: a sample; one with `problem` counts for nothing.
 */
import { loadavg } from 'node:os';

export async function sample(what, pair, measure) {
  const load = loadavg()[0];
  const before = pair.cpuSeconds();
  const { seconds, problem, roundTrips } = await measure();
  const cpu = pair.cpuSeconds() - before;
  return {
    what,
    seconds,
    hostCpuSeconds: cpu,
    load,
    ...(roundTrips === undefined ? {} : { roundTrips }),
    ...(problem === undefined ? {} : { problem }),
  };
}
