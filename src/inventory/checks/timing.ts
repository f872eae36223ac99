/** Times: their unit, their range, and whether they make sense together. Pure. */
import type { Diagnostic } from '../../base/diagnostic.ts';
import { giveUpMs } from '../../base/heartbeat.ts';
import { nearest } from '../../base/nearest.ts';
import { formatDuration, parseDurationMs } from '../../base/units.ts';
import { largest } from '../defaults.ts';
import { type Draft, type Path, timesOf } from '../draft.ts';

const units = ['us', 'ms', 's', 'min', 'h', 'd'];
const unitNames: Readonly<Record<string, string>> = {
  sec: 's',
  secs: 's',
  second: 's',
  seconds: 's',
  msec: 'ms',
  millis: 'ms',
  milliseconds: 'ms',
  m: 'min',
  minute: 'min',
  minutes: 'min',
  hour: 'h',
  hours: 'h',
  day: 'd',
  days: 'd',
};

/** Below this the controllers would do little but ask each other. */
const shortestMs = 10;
/** A controller that waits longer than this protects nobody. */
const longestGiveUpMs = 3_600_000;

export function checkTiming(draft: Draft): Diagnostic[] {
  const forms = written(draft).flatMap(({ path, value }) => {
    const problem = tellForm(String(path.at(-1)), value);
    return problem === undefined ? [] : [{ ...problem, at: draft.valueAt(...path) }];
  });
  return forms.length > 0 ? forms : checkHeartbeat(draft);
}

function written(draft: Draft): { path: Path; value: string }[] {
  const beat = timesOf(draft.data.multiplexing?.heartbeat ?? {});
  const all: { path: Path; value: string | undefined }[] = [
    { path: ['multiplexing', 'heartbeat', 'interval'], value: beat.interval },
    { path: ['multiplexing', 'heartbeat', 'timeout'], value: beat.timeout },
    { path: ['ssh', 'connect_timeout'], value: draft.data.ssh?.connect_timeout },
    ...draft.hosts.map(({ name }) => ({
      path: ['hosts', name, 'ssh', 'connect_timeout'],
      value: draft.data.hosts?.[name]?.ssh?.connect_timeout,
    })),
  ];
  return all.flatMap(({ path, value }) => (value === undefined ? [] : [{ path, value }]));
}

/** What is wrong with a time by itself: its unit, or less than a millisecond of it. */
export function tellForm(key: string, value: string): Diagnostic | undefined {
  const ms = parseDurationMs(value);
  if (ms === undefined) return tellUnit(key, value);
  if (ms >= 1 && ms <= largest && Number.isInteger(ms)) return undefined;
  return {
    code: 'INV006',
    what: `${key} is ${value}, which is not from 1 to ${largest} whole milliseconds`,
    why: 'the controller counts whole milliseconds, and nothing shorter than one of them',
    fix: `Write for example ${key}: ${ms < 1 ? '1ms' : ms > largest ? '1h' : `${Math.round(ms)}ms`}.`,
  };
}

function tellUnit(key: string, value: string): Diagnostic {
  const [, number, unit] = /^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*$/.exec(value) ?? [];
  if (number === undefined) {
    return {
      code: 'INV005',
      what: `${key} '${value}' is not a time`,
      why: 'a time is a number with a unit, as PostgreSQL writes it',
      fix: `Write for example ${key}: 800ms; the units are ${units.join(', ')}.`,
    };
  }
  if (!unit) {
    return {
      code: 'INV005',
      what: `${key} is ${value}, without a unit of time`,
      why: 'it could be seconds or milliseconds, and the two are a thousand times apart',
      fix: `Write the unit: ${key}: ${number}ms, or ${key}: ${number}s.`,
    };
  }
  const word = unit.toLowerCase();
  const meant = (Object.hasOwn(unitNames, word) ? unitNames[word] : nearest(unit, units)) ?? 'ms';
  return {
    code: 'INV005',
    what: `${key} '${value}' has a unit that is not known`,
    why: `the units are ${units.join(', ')}, as PostgreSQL writes them`,
    fix: `Write ${key}: ${number}${meant}.`,
  };
}

function checkHeartbeat(draft: Draft): Diagnostic[] {
  const { intervalMs, timeoutMs, retries } = draft.heartbeat;
  const told = (key: string, what: string, why: string, fix: string): Diagnostic => ({
    code: 'INV017',
    what,
    why,
    fix,
    at: draft.valueAt('multiplexing', 'heartbeat', key),
  });
  const short = (key: 'interval' | 'timeout', ms: number, standard: string) =>
    ms >= shortestMs
      ? []
      : [
          told(
            key,
            `the heartbeat ${key} is ${ms} ms`,
            'a moment of load would look like the loss of the host',
            `Write ${shortestMs}ms or more; ${standard} is the default.`,
          ),
        ];
  const lostAfterMs = giveUpMs(draft.heartbeat);
  const worst = [
    { key: 'retries', share: (retries + 1) / 3 },
    { key: 'interval', share: intervalMs / 800 },
    { key: 'timeout', share: timeoutMs / 1000 },
  ].sort((a, b) => b.share - a.share)[0];
  const long =
    lostAfterMs <= longestGiveUpMs
      ? []
      : [
          told(
            worst?.key ?? 'interval',
            `the controllers would give a lost host up after ${hours(lostAfterMs)} only`,
            'that is (timeout + interval) × (retries + 1), and commits wait for a dead standby as long as that',
            'Make it an hour at most; the defaults 800ms, 1s and 2 give 5.4 s.',
          ),
        ];
  return [...short('interval', intervalMs, '800ms'), ...short('timeout', timeoutMs, '1s'), ...long];
}

const hours = (ms: number): string =>
  ms < 48 * 3_600_000 ? formatDuration(ms) : `${Math.round(ms / 86_400_000)} days`;
