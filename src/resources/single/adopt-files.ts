/**
 * What is said of PostgreSQL's own files before a single server is touched: files that cannot be taken in as they are, what
 * becomes of its settings and of its rules. In: what was seen of the server. Out: words. Pure.
 */
import { recoverySettings } from '../../postgres/recovery-settings.ts';
import { notApplied } from '../../postgres/setting-row.ts';
import { openRule, openRuleError, openSetting } from '../../postgres/withheld.ts';
import { judge } from '../postgres/adopted-rules.ts';
import { hbaRules, isTrust, keepsFromStarting } from '../postgres/hba-differences.ts';
import type { AdoptObservation, LiveSingle } from './adopt-observation.ts';
import type { Intention, Obstacle } from './adopt-place.ts';
import { outsideFiles } from './adopt-rule-files.ts';
import { carriedSettings, formerRules, leftFromRecovery, movesIn, recordedPlace } from './adoption.ts';

export function* fileObstacles(intention: Intention, observation: AdoptObservation): Generator<Obstacle> {
  for (const path of observation.unreadable)
    yield { what: `${path} holds bytes that are no UTF-8`, fix: 'Write the file in UTF-8 (iconv -t UTF-8).' };
  for (const path of observation.closed)
    yield {
      what: `${intention.instance.owner} may not read ${path}, which the configuration names`,
      fix: 'Let it read the file (chown, chmod), or take the line out that names it.',
    };
  for (const path of observation.uncopied.filter((one) => !observation.closed.includes(one)))
    yield {
      what: `${intention.instance.owner} may not read ${path}: a copy of the data directory stops there`,
      fix: 'Move it out of the data directory, or let it read the file (chown, chmod).',
    };
  yield* unreadableLines(observation);
  for (const { from, line, path } of outsideFiles(intention, observation))
    yield {
      what: `${line === 0 ? from : `${from}:${line}`} leads to ${path}, which is not in the data directory: the standbys would not have it`,
      fix: `Write the names or rules of that file into ${from} itself${movesIn(intention, observation) ? '' : `, or move it into ${intention.dataDir} and name it by its name alone`}.`,
    };
}

/** What the server would not start with again; a value that waits for a restart is none of it. */
function* unreadableLines({ live }: AdoptObservation): Generator<Obstacle> {
  const fix = 'Correct the line: the server would not start again with it.';
  for (const { file, line, error, name } of live?.lines ?? [])
    if (error !== null && error !== notApplied && !(name !== null && name in recoverySettings))
      yield { what: `${file}:${line} cannot be read by the server: ${error}`, fix };
  for (const { file, line, error } of live?.rules ?? [])
    if (error !== null && keepsFromStarting({ error }))
      yield { what: `${file}:${line} cannot be read by the server: ${openRuleError(error)}`, fix };
}

/** What becomes of its settings, and where they stand. */
export function settingNotes(
  intention: Intention,
  observation: AdoptObservation,
  live: LiveSingle,
): readonly string[] {
  const { values, dataDir } = intention;
  const moves = movesIn(intention, observation);
  const { names, restart } = judge(values, live.settings, undefined, moves);
  const options = carriedSettings(observation);
  const shown = (name: string, value: string | undefined): string =>
    value === '' ? "''" : value === undefined ? 'nothing' : openSetting(name, value);
  const changes = names
    .filter((name) => !(name in options))
    .map((name) => {
      const seen = live.settings.get(name.toLowerCase());
      const from = seen ? `${shown(name, seen.value)} (${recordedPlace(seen)})` : 'what is not known';
      const needs = restart.includes(name) ? 'needs the restart' : 'needs a reload';
      return `${name}: ${from} becomes ${shown(name, values[name])}; ${needs}`;
    });
  const carried = Object.entries(options).map(
    ([name, value]) =>
      `${name}: ${shown(name, value)} stood on the server's command line; it moves into postgresql.conf`,
  );
  const config = live.settings.get('config_file')?.value;
  const place = moves
    ? [
        `the configuration moves from ${config} to ${dataDir}: edits of the old files have no effect while multiplexed, and they come back into force at 'pgduet teardown'`,
      ]
    : [];
  return [...place, ...changes, ...carried, ...leftNotes(intention, observation)];
}

/** Named one by one, with their places: whoever made them may have forgotten them. */
const leftNotes = ({ values, follows }: Intention, observation: AdoptObservation): readonly string[] =>
  leftFromRecovery(observation, values).map(({ name, value, place }) =>
    follows
      ? `${name}: ${openSetting(name, value)} (${place}) is out of force while multiplexed, and comes back at 'pgduet teardown --controllers-only'`
      : `${name}: ${openSetting(name, value)} (${place}) is left from a recovery or a replication that is over (${recoverySettings[name]?.harm}); it is out of force while multiplexed, and comes back at 'pgduet teardown'`,
  );

export const ruleNotes = (
  { addresses, instance }: Intention,
  observation: AdoptObservation,
): readonly string[] => {
  const rules = hbaRules(formerRules(observation));
  const open = rules.filter(isTrust).map(({ text }) => openRule(text));
  return [
    `the ${rules.length} rules of pg_hba.conf stay; in front of them come: replication from ${addresses.join(', ')} with scram-sha-256, and ${instance.owner} to database postgres by peer on the socket`,
    ...(open.length > 0
      ? [
          `rules that let anyone in without proof stay too, and hold on the standbys as well: ${open.join('; ')}`,
        ]
      : []),
  ];
};
