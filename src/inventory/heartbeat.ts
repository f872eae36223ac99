/** The words for the times of a heartbeat, and which silences these have room for. Pure. */
import { giveUpMs, type Heartbeat } from '../base/heartbeat.ts';
import { parseDurationMs } from '../base/units.ts';
import { heartbeatProfiles } from './defaults.ts';

export function timesOfProfile(word: keyof typeof heartbeatProfiles): Heartbeat {
  const { interval, timeout, retries } = heartbeatProfiles[word];
  return { intervalMs: parseDurationMs(interval) ?? 0, timeoutMs: parseDurationMs(timeout) ?? 0, retries };
}

/** There is room for a silence when it takes half of the time to give up at most. `measuredBy`: the times under which it was seen. */
export const hasRoom = (heartbeat: Heartbeat, silenceMs: number, measuredBy: Heartbeat): boolean =>
  2 * (silenceMs - measuredBy.intervalMs + heartbeat.intervalMs) <= giveUpMs(heartbeat);
