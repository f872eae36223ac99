/**
 * Which servers are in maintenance: what every controller remembers of it, whoever said it and on whatever timeline, and what it keeps a server
 * from. Only a primary in charge makes new entries (`maintaining.ts`). In: a state or a view. Out: plain answers. Pure.
 * docs/adr/0018-maintenance-is-a-state-of-a-server.md has the reasons.
 */
import { type Decision, decided, log } from './decision.ts';
import { lastTimeline, type State } from './state.ts';
import { type Maintenance, type ServerId, type ServerView, understandsMaintenance } from './view.ts';

export const entryOf = (state: Pick<State, 'maintenance'>, id: ServerId): Maintenance | undefined =>
  state.maintenance?.[id];

/** It takes no role, and starts no instance. */
export const isMaintained = (state: Pick<State, 'maintenance'>, id: ServerId): boolean =>
  entryOf(state, id)?.stage === 'open';

/** The primary counts on it no more, from the moment in which the maintenance is asked for. */
export function isLeftOut(state: Pick<State, 'maintenance'>, id: ServerId): boolean {
  const stage = entryOf(state, id)?.stage;
  return stage === 'asked' || stage === 'open';
}

/** As long as a server is out for that, a controller that does not know what it is would bring it back, or forget it. */
export const heedsMaintenance = (state: State, view: ServerView | null | undefined): boolean =>
  (view?.understands ?? 1) >= understandsMaintenance ||
  !Object.keys(state.maintenance ?? {}).some((id) => isLeftOut(state, id));

const isLaterEntry = (one: Maintenance, other: Maintenance | undefined): boolean =>
  other === undefined ||
  one.timeline > other.timeline ||
  (one.timeline === other.timeline && one.number > other.number);

/** A peer has told an entry that is as late as ours. */
export function remembers(state: State, view: ServerView, id: ServerId): boolean {
  const [ours, theirs] = [entryOf(state, id), view.maintenance?.[id]];
  return ours === undefined || (theirs !== undefined && !isLaterEntry(ours, theirs));
}

/** An entry in the place of an earlier one: who knows both keeps this one. */
export function withEntry(
  state: State,
  id: ServerId,
  entry: Omit<Maintenance, 'number' | 'timeline'>,
): State {
  const before = entryOf(state, id);
  const number = Math.max(state.wall, (before?.number ?? 0) + 1);
  const timeline = Math.max(before?.timeline ?? 0, lastTimeline(state));
  return { ...state, maintenance: { ...state.maintenance, [id]: { ...entry, number, timeline } } };
}

/** The maintenance is over. The entry stays, so that an old copy cannot bring it back. */
export function ended(state: State, id: ServerId): State {
  const entry = entryOf(state, id);
  return entry && entry.stage !== 'ended' ? withEntry(state, id, { ...entry, stage: 'ended' }) : state;
}

/** Who leads is in no maintenance, whoever has made it primary. */
export const endedHere = (state: State): State => ended(state, state.self.id);

/**
 * It was made primary, by a person or before it could hear of its maintenance, and the one who tells of that knows no later primary: whoever
 * leads is in none.
 */
function leadsAgainst({ own, sync, self }: State, { sync: theirs }: ServerView): boolean {
  if (own.role !== 'primary' || sync?.primary !== self.id) return false;
  return theirs == null || theirs.primary === self.id || theirs.timeline <= sync.timeline;
}

/** What a peer remembers and this server does not know yet. */
export function heedEntries(state: State, view: ServerView): Decision {
  const news = Object.entries(view.maintenance ?? {}).filter(
    ([id, entry]) => state.servers.some((line) => line.id === id) && isLaterEntry(entry, entryOf(state, id)),
  );
  if (news.length === 0) return decided(state);
  const leads = !isMaintained(state, state.self.id) && leadsAgainst(state, view);
  const heard = { ...state, maintenance: { ...state.maintenance, ...Object.fromEntries(news) } };
  const next = leads ? endedHere(heard) : heard;
  const words = news.flatMap(([id, entry]) => {
    const before = entryOf(state, id)?.stage;
    if (leads && id === state.self.id) return [];
    if (entry.stage === 'open' && before !== 'open') return [opened(id, entry)];
    return entry.stage === 'ended' && before === 'open' ? [log('MCA01151', { server: id })] : [];
  });
  return decided(next, ...words);
}

export const opened = (id: ServerId, entry: Maintenance) =>
  log('MCA01150', { server: id, words: entryWords(entry) });

/** Who is no server of the cluster any more is forgotten. */
export function entriesOf(
  { maintenance }: Pick<State, 'maintenance'>,
  ids: readonly ServerId[],
): State['maintenance'] {
  if (!maintenance) return undefined;
  const left = Object.entries(maintenance).filter(([id]) => ids.includes(id));
  return left.length === 0 ? undefined : Object.fromEntries(left);
}

const moment = (wall: number): string => `${new Date(wall).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

/** "by alice since 2026-11-30 10:00 UTC, expected until 2026-11-30 12:00 UTC: new disks". */
export function entryWords({ by, sinceWall, untilWall, reason }: Maintenance): string {
  const until = untilWall === null ? '' : `, expected until ${moment(untilWall)}`;
  return `by ${by} since ${moment(sinceWall)}${until}${reason === '' ? '' : `: ${reason}`}`;
}

/** Both ways on where a server in maintenance runs as primary; which rows are given up is for a person to say. */
export const byHandWords = (id: ServerId): string =>
  `${id} runs as primary while it is in maintenance, so that nobody follows it; if the former primary counts, stop the instance of ${id} and start the former primary; if ${id} counts: mc_ctl start --force-start on its host`;

/** Why a server that is named takes no role. */
export const leftOutWords = (state: State, id: ServerId): string => {
  const entry = entryOf(state, id);
  return entry && isLeftOut(state, id) ? `${id} is in maintenance ${entryWords(entry)}` : '';
};
