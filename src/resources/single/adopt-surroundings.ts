/**
 * What is said of the surroundings of a single server before it is touched: who starts it, whom its commits wait for, and when
 * it is restarted. In: what was seen of the server. Out: words. Pure.
 */
import { parseNames, sameName } from '../../postgres/standby-names.ts';
import { judge } from '../postgres/adopted-rules.ts';
import type { Watcher } from './adopt-look-surroundings.ts';
import type { AdoptObservation, LiveSingle } from './adopt-observation.ts';
import type { Intention, Obstacle } from './adopt-place.ts';
import { movesIn } from './adoption.ts';

/** Servers whose word its commits wait for, but for those of the cluster; '*' is everybody. */
const strangers = (names: string, standbys: readonly string[]): readonly string[] =>
  parseNames(names).ids.filter((name) => !standbys.some((standby) => sameName(standby, name)));

/** What each of them is called, what it does, and how it lets go of its servers while these go on. */
const release: Readonly<Record<Watcher, { readonly words: string; readonly fix: string }>> = {
  repmgrd: {
    words: 'repmgrd (repmgr) looks after it, and promotes a standby by itself',
    fix: 'On every host, the standbys first: systemctl disable --now repmgrd (or: repmgr daemon stop). The servers go on. Its role, its slots and its database may stay.',
  },
  patroni: {
    words: 'Patroni looks after it, and promotes, demotes and rewinds servers by itself',
    fix: 'patronictl pause --wait; then on every host, the standbys first: systemctl disable --now patroni. While it is paused its servers go on without it; they count as started by hand from then on.',
  },
  pg_autoctl: {
    words: 'pg_auto_failover (pg_autoctl) started it, and promotes a standby by itself',
    fix: 'On every host, the standbys first: pg_autoctl drop node (without --destroy, which deletes the data), then end its service (systemctl disable --now pgautofailover), and start the server by a unit of its own or by hand.',
  },
};

/** Two programs that both promote are a split. A library alone does nothing. */
function* watcherObstacles({ watchers, live }: AdoptObservation): Generator<Obstacle> {
  const libraries = live?.settings.get('shared_preload_libraries')?.value ?? '';
  for (const name of watchers)
    if (name !== 'repmgrd' || /(^|[/, "])repmgr\b/.test(libraries))
      yield { what: release[name].words, fix: release[name].fix };
}

export function* chargeObstacles(
  { managed, standbys, follows }: Intention,
  observation: AdoptObservation,
): Generator<Obstacle> {
  yield* watcherObstacles(observation);
  if (observation.unit && !managed)
    yield {
      what: `${observation.unit.name} starts the server, and that cannot be changed without root`,
      fix: 'Log in as root, or set ssh: { become: sudo } in the inventory.',
    };
  if (observation.atBoot !== undefined)
    yield {
      what: `/etc/init.d/postgresql starts the server at boot (${observation.atBoot}/start.conf), beside the controller: behind a switch it would be a second primary`,
      fix: `On that host, as root: echo manual > ${observation.atBoot}/start.conf (pg_ctlcluster starts it all the same), then run the same command again.`,
    };
  const names = observation.live?.settings.get('synchronous_standby_names')?.value ?? '';
  // A standby's own count for nobody.
  if (!follows && strangers(names, standbys).length > 0 && !observation.record)
    yield {
      what: `its commits wait for other standbys already: synchronous_standby_names = ${names}`,
      fix: 'Take them out first (ALTER SYSTEM RESET synchronous_standby_names, or remove the line, and reload).',
    };
}

/** Whether it is restarted, and who does not start it any more. */
export function stopNote(
  intention: Intention,
  observation: AdoptObservation,
  live: LiveSingle,
): readonly string[] {
  const { values } = intention;
  const moves = movesIn(intention, observation);
  const { restart } = judge(values, live.settings, undefined, moves);
  const reasons = [...(moves ? ['config_file'] : []), ...restart];
  const unit = observation.unit
    ? `${observation.unit.name} stays installed and does not start it any more`
    : 'it was started by hand';
  if (reasons.length === 0) return [`no restart is needed; clients notice nothing (${unit})`];
  return [
    `PostgreSQL is restarted once, for ${reasons.join(', ')}: a checkpoint is made first, then connections end and about a second passes until new ones are taken (${unit})`,
  ];
}
