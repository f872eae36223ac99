/**
 * What of the declared settings is not right, and what it takes to repair that: which lines, which reset, a reload or a
 * restart. Least disturbance: a restart only where the value in force is another one, and never with a file that the
 * server could not start with. In: what is needed and what was seen. Out: names and effects. Pure.
 */
import {
  commentedLines,
  effectiveConf,
  ourHeading as heading,
  namesInBlock,
  standingValue,
} from '../../postgres/conf-file.ts';
import { parseConninfo } from '../../postgres/conninfo.ts';
import { isControlled, upstreamSetting } from '../../postgres/controlled-settings.ts';
import { readLimits } from '../../postgres/limits.ts';
import { isNeutral } from '../../postgres/recovery-settings.ts';
import { certainlyDiffers, sameValue } from '../../postgres/setting-value.ts';
import type { Effect } from '../contract/kind.ts';
import { isStale } from './configuration-file.ts';
import { isLeftover, isStandby } from './settings-leftovers.ts';
import type {
  SettingsDesired as Desired,
  Live,
  LiveSetting,
  SettingsSeen as Seen,
} from './settings-observation.ts';
import { isElsewhere, isHard, isRepaired, isTaking, type Over, standsOver } from './settings-over.ts';

/** All names as they are declared, but for `stale`. */
export interface Found {
  /** The file has another value, or none. */
  readonly wrong: readonly string[];
  /** ALTER SYSTEM holds another value. */
  readonly reset: readonly string[];
  /** In our block, and declared no more. */
  readonly stale: readonly string[];
  /** The server waits for a restart, and the file is right. */
  readonly pending: readonly string[];
  /** The server has not read what stands in the files. */
  readonly unread: boolean;
  /** The file has another owner or mode. */
  readonly access: boolean;
  readonly effects: readonly Effect[];
  readonly over: Over;
}

/** This resource speaks for the file as a whole: another one may only add to it. */
export const isWhole = ({ except }: Desired): boolean => except !== undefined;

/** `declared`: all names, also of those settings that stay as they are. */
export function findDifferences(desired: Desired, declared: readonly string[], seen: Seen): Found {
  const names = Object.keys(desired.values);
  const over = standsOver(desired, seen);
  const wrong = names.filter((name) =>
    isLeftover(desired, name)
      ? stands(name, seen, over)
      : !isRight(name.toLowerCase(), desired.values[name] ?? '', seen),
  );
  const reset = names.filter(
    (name) => over.auto.has(name.toLowerCase()) && !isFollowedUntilTakeover(desired, seen, name),
  );
  const stale = staleNames(desired, declared, seen);
  const access = isWhole(desired) && !desired.adopted && !hasOwnAccess(desired, seen);
  const open = { wrong, reset, stale, access, over };
  const pending = waiting(desired, seen, open);
  const unread = isUnread(desired, seen, open);
  const effects = effectsOf(desired, seen, { ...open, pending, unread });
  return { ...open, pending, unread, effects };
}

/**
 * A standby that is taken in follows by what ALTER SYSTEM holds as long as it reads its former files: what shall count in its place stands in
 * a file that it does not read yet.
 */
const isFollowedUntilTakeover = (desired: Desired, seen: Seen, name: string): boolean =>
  [upstreamSetting, 'primary_slot_name'].includes(name.toLowerCase()) &&
  isTaking(desired) &&
  isStandby(seen) &&
  seen.live !== undefined &&
  isElsewhere(seen.live);

/** A line of the file, or of one that it includes, says what has to be out of force. */
const stands = (name: string, { text }: Seen, { included }: Over): boolean => {
  const line = effectiveConf(text).get(name);
  return line ? !isNeutral(name, line.value) : included.has(name);
};

const hasOwnAccess = ({ instance }: Desired, { owner, mode }: Seen): boolean =>
  owner === instance.owner && mode === '600';

function staleNames(desired: Desired, declared: readonly string[], seen: Seen): readonly string[] {
  if (!desired.except) return [];
  const lower = new Set(declared.map((name) => name.toLowerCase()));
  const standing = effectiveConf(seen.text);
  const floor = readLimits(seen.extra);
  // A standby keeps what its primary still has.
  const needed = (name: string): boolean => floor.get(name) === Number(standing.get(name)?.value);
  return namesInBlock(seen.text, heading).filter(
    (name) => !lower.has(name) && !desired.except?.includes(name) && !needed(name),
  );
}

function isRight(name: string, wanted: string, seen: Seen): boolean {
  const value = effectiveConf(seen.text).get(name)?.value;
  if (value === wanted) return true;
  if (!isControlled(name)) return false;
  if (name !== upstreamSetting) return commentedLines(seen.text, name).some((line) => line.value === wanted);
  if (isStandby(seen)) return value !== undefined && sameUpstream(value, wanted, []);
  // Nobody reads it on a primary. It waits there for the day when the server follows another one, which begins with this one of them.
  const waits = standingValue(seen.text, name);
  return waits !== undefined && sameUpstream(waits, wanted, ['host', 'port']);
}

/** The order of the keywords says nothing. */
function sameUpstream(one: string, other: string, except: readonly string[]): boolean {
  const parts = (text: string): string =>
    Object.entries(parseConninfo(text))
      .filter(([keyword]) => !except.includes(keyword))
      .map(([keyword, value]) => `${keyword}=${value}`)
      .sort()
      .join('\n');
  return parts(one) === parts(other);
}

type Open = Pick<Found, 'wrong' | 'reset' | 'stale' | 'access' | 'over'>;

const factsOf = (live: Live, name: string): LiveSetting | undefined => live.settings[name.toLowerCase()];

/** Is the value in force the declared one, as sure as the server is of it? */
function isInForce(wanted: string, facts: LiveSetting | undefined): boolean {
  const { value, raw, type } = facts ?? {};
  if (facts === undefined || value === undefined || raw === undefined) return false;
  return type === 'string' ? value === wanted : sameValue(wanted, { ...facts, value, raw });
}

function waiting(desired: Desired, seen: Seen, { wrong, reset, over }: Open): readonly string[] {
  const { live } = seen;
  if (!live || isElsewhere(live)) return [];
  return Object.keys(desired.values).filter(
    (name) =>
      factsOf(live, name)?.pending &&
      !(isLeftover(desired, name) && !isStandby(seen)) &&
      !isInForce(desired.values[name] ?? '', factsOf(live, name)) &&
      !wrong.includes(name) &&
      !reset.includes(name) &&
      !over.included.has(name.toLowerCase()),
  );
}

/**
 * A file that is newer than what the server read; or one whose time was put back, which the value in force tells, or a
 * wait for a restart that nothing is left of.
 */
function isUnread(desired: Desired, seen: Seen, { wrong, reset, over }: Open): boolean {
  const { live } = seen;
  if (!live || (isElsewhere(live) && !isTaking(desired)) || over.errors.some(isHard)) return false;
  if (isStale(seen)) return true;
  return Object.entries(desired.values).some(([name, wanted]) => {
    const facts = factsOf(live, name);
    const lower = name.toLowerCase();
    if (!facts || wrong.includes(name) || reset.includes(name) || over.included.has(lower)) return false;
    if (facts.context === 'postmaster') return facts.pending && isInForce(wanted, facts);
    const { value, raw } = facts;
    if (facts.source !== 'configuration file' || value === undefined || raw === undefined) return false;
    if (over.errors.some((line) => line.name === lower) || isControlled(lower)) return false;
    return certainlyDiffers(wanted, { ...facts, value, raw });
  });
}

/** A reload if the server is to read something, a restart if it works with another value until then. */
function effectsOf(
  desired: Desired,
  seen: Seen,
  found: Open & Pick<Found, 'pending' | 'unread'>,
): readonly Effect[] {
  const { live } = seen;
  const { wrong, reset, stale, over, pending, unread } = found;
  if (!live || (isElsewhere(live) && !isTaking(desired))) return [];
  const changes = wrong.length + reset.length + stale.length > 0 || unread || pending.length > 0;
  const errors = over.errors.filter((line) => !isRepaired(line, live, found));
  if (!changes || errors.some(isHard)) return [];
  const restart =
    pending.length > 0 ||
    stale.some((name) => factsOf(live, name)?.context === 'postmaster') ||
    [...wrong, ...reset].some(
      (name) => (isStandby(seen) || !isLeftover(desired, name)) && restarts(name, desired, live, over),
    );
  if (restart && errors.length === 0 && !isTaking(desired))
    return [{ action: 'restart', target: 'instance' }];
  return wrong.length + reset.length + stale.length > 0 || unread
    ? [{ action: 'reload', target: 'instance' }]
    : [];
}

function restarts(name: string, { values }: Desired, live: Live, { included }: Over): boolean {
  const facts = factsOf(live, name);
  return (
    facts?.context === 'postmaster' &&
    !isInForce(values[name] ?? '', facts) &&
    !included.has(name.toLowerCase())
  );
}
