/**
 * What is said of the surroundings of a single server before it is touched: who starts it, whom its commits wait for, and when
 * it is restarted. In: what was seen of the server. Out: words. Pure.
 */
import { parseNames, sameName } from '../../postgres/standby-names.ts';
import { judge } from '../postgres/adopted-rules.ts';
import type { AdoptObservation, LiveSingle } from './adopt-observation.ts';
import type { Intention, Obstacle } from './adopt-place.ts';
import { movesIn } from './adoption.ts';

/** Servers whose word its commits wait for, but for those of the cluster; '*' is everybody. */
const strangers = (names: string, standbys: readonly string[]): readonly string[] =>
  parseNames(names).ids.filter((name) => !standbys.some((standby) => sameName(standby, name)));

export function* chargeObstacles(
  { managed, standbys }: Intention,
  observation: AdoptObservation,
): Generator<Obstacle> {
  if (observation.unit && !managed)
    yield {
      what: `${observation.unit.name} starts the server, and that cannot be changed without root`,
      fix: 'Log in as root, or set ssh: { become: sudo } in the inventory.',
    };
  const names = observation.live?.settings.get('synchronous_standby_names')?.value ?? '';
  if (strangers(names, standbys).length > 0 && !observation.record)
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
