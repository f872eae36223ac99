/**
 * Which servers are in maintenance, as the records of the controllers say it: each host has what its controller has heard last, and the entry
 * of the latest timeline, and of it the one with the highest number, counts. In: what the hosts show. Out: who is out, with why and until when. Pure.
 */

import { type Command, here } from '../base/command.ts';
import { isObject } from '../base/json.ts';
import { isOfUpdate } from '../base/maintenance-words.ts';

/** The entry of a server that is out. Times: ISO 8601. */
export interface MaintenanceSeen {
  readonly number: number;
  readonly by: string;
  readonly since: string;
  /** Until when it is expected; null where nobody has said. */
  readonly until: string | null;
  readonly reason: string;
}

/** By server: what one host remembers; ended ones too, since they say that an earlier entry of another host is over. */
export type Remembered = Readonly<
  Record<
    string,
    { readonly timeline: number; readonly number: number; readonly seen: MaintenanceSeen | null }
  >
>;

const time = (wall: unknown): string | null =>
  typeof wall === 'number' && Math.abs(wall) < 8.64e15 ? new Date(wall).toISOString() : null;

/** Of the state file of a controller; nothing where it has none, or is not understood: then others say it. */
export function parseRemembered(text: string): Remembered {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    return {};
  }
  const state = isObject(file) ? file.state : undefined;
  const entries = isObject(state) ? state.maintenance : undefined;
  if (!isObject(entries)) return {};
  return Object.fromEntries(
    Object.entries(entries).flatMap(([server, entry]) => {
      if (!isObject(entry) || typeof entry.number !== 'number') return [];
      const timeline = typeof entry.timeline === 'number' ? entry.timeline : 0;
      const seen =
        entry.stage === 'open'
          ? {
              number: entry.number,
              by: String(entry.by),
              since: time(entry.sinceWall) ?? '',
              until: time(entry.untilWall),
              reason: String(entry.reason ?? ''),
            }
          : null;
      return [[server, { timeline, number: entry.number, seen }]];
    }),
  );
}

/** It was expected to be over by now. */
export const isOverdue = ({ until }: MaintenanceSeen, nowMs: number): boolean =>
  until !== null && Date.parse(until) < nowMs;

/** Nobody but who works there knows when that is. A rolling update brings its servers back itself. */
export const endCommand = (server: string, seen?: MaintenanceSeen): Command => ({
  ...(seen && isOfUpdate(seen)
    ? here`pgduet rolling-update --continue`
    : here`pgduet maintenance end ${server}`),
  onlyIf: `the work on ${server} is done`,
});

const isLater = (one: Remembered[string], other: Remembered[string] | undefined): boolean =>
  other === undefined ||
  one.timeline > other.timeline ||
  (one.timeline === other.timeline && one.number > other.number);

/** Who is out, by all that is remembered anywhere. */
export function inMaintenance(all: Iterable<Remembered | undefined>): ReadonlyMap<string, MaintenanceSeen> {
  const newest = new Map<string, Remembered[string]>();
  for (const remembered of all)
    for (const [server, entry] of Object.entries(remembered ?? {}))
      if (isLater(entry, newest.get(server))) newest.set(server, entry);
  return new Map([...newest].flatMap(([server, { seen }]) => (seen ? [[server, seen] as const] : [])));
}
