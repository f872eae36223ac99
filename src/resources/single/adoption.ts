/**
 * What a single server becomes before anything of it is multiplexed: the record of what was there, and a configuration
 * that stands alone in its data directory. In: what was seen of it. Out: records and the texts of files. Pure.
 */

import { type ConfFile, disableConf, flattenConf } from '../../postgres/conf-file.ts';
import { withoutOurRules } from '../../postgres/hba-file.ts';
import { isNeutral, recoveryNames } from '../../postgres/recovery-settings.ts';
import type { SettingRow } from '../../postgres/setting-row.ts';
import {
  type Adopted,
  type Before,
  type FileBefore,
  type PairBefore,
  placeSettings,
  type SettingBefore,
  type Starter,
} from '../data/record.ts';
import { isCarried, judge, type Logging } from '../postgres/adopted-rules.ts';
import type { AdoptObservation, LiveSingle } from './adopt-observation.ts';
import type { AdoptPlace } from './adopt-place.ts';

const names = ['postgresql.conf', 'pg_hba.conf', 'pg_ident.conf'] as const;

/** Where the server reads each of its files now. */
function placesOf(live: LiveSingle): Readonly<Record<(typeof names)[number], string>> {
  const path = (name: string): string => live.settings.get(name)?.value ?? '';
  return {
    'postgresql.conf': path('config_file'),
    'pg_hba.conf': path('hba_file'),
    'pg_ident.conf': path('ident_file'),
  };
}

/** Does the server read any of its files from outside of its data directory? Only a restart can change that. */
export function movesIn(place: AdoptPlace, observation: AdoptObservation): boolean {
  const { live } = observation;
  return live !== undefined && names.some((name) => placesOf(live)[name] !== `${place.dataDir}/${name}`);
}

/** Settings of the command line and the environment; those that say where files are mean nothing in the data directory. */
export function carriedSettings(observation: AdoptObservation): Readonly<Record<string, string>> {
  const settings = observation.live?.settings ?? new Map<string, SettingRow>();
  const carried = [...settings].filter(
    ([name]) => isCarried(name, settings) && !placeSettings.includes(name),
  );
  return Object.fromEntries(carried.map(([name, { value }]) => [name, value]));
}

/** The text of pg_hba.conf as the server read it before: also of an edit since an earlier attempt has recorded it. */
export function formerRules(observation: AdoptObservation): string {
  const path = observation.record?.hbaFile ?? observation.live?.settings.get('hba_file')?.value ?? '';
  const recorded = observation.record?.files.find((file) => file.path === path);
  const text = (observation.files.get(path) ?? recorded)?.text ?? '';
  return withoutOurRules(text) ?? text;
}

export interface Wanted {
  readonly values: Readonly<Record<string, string>>;
  readonly roles: readonly string[];
  readonly pair?: PairBefore;
}

/** The record; what was recorded by an earlier attempt counts more than what is there now. Undefined: not seen enough. */
export function recordOf(
  place: AdoptPlace,
  observation: AdoptObservation,
  wanted: Wanted,
): Before | undefined {
  if (observation.record) return observation.record;
  const { live, systemIdentifier, version } = observation;
  if (!live || !systemIdentifier || version === undefined) return undefined;
  const paths = placesOf(live);
  const inside = [...names, 'postgresql.auto.conf'].map((name) => `${place.dataDir}/${name}`);
  const files = [...new Set([...Object.values(paths), ...inside])].map(
    (path): FileBefore => observation.files.get(path) ?? { path, mode: '', owner: '' },
  );
  return {
    schema: 1,
    at: observation.clock,
    systemIdentifier,
    version,
    starter: starterOf(observation),
    configFile: paths['postgresql.conf'],
    hbaFile: paths['pg_hba.conf'],
    identFile: paths['pg_ident.conf'],
    files,
    settings: settingsBefore(observation, wanted, movesIn(place, observation)),
    made: observation.missing,
    roles: wanted.roles.filter((role) => live.roles.includes(role)),
    ...(wanted.pair ? { pair: wanted.pair } : {}),
  };
}

function starterOf(observation: AdoptObservation): Starter {
  const { unit, options, log } = observation;
  if (unit) return { kind: 'unit', unit: unit.name, enabled: unit.enabled };
  return { kind: 'hand', options, ...(log ? { log } : {}) };
}

function settingsBefore(
  observation: AdoptObservation,
  wanted: Wanted,
  moves: boolean,
): readonly SettingBefore[] {
  const settings = observation.live?.settings ?? new Map<string, SettingRow>();
  const main = observation.files.get(settings.get('config_file')?.value ?? '')?.text ?? '';
  const changed = judge(wanted.values, settings, undefined, moves).names;
  const left = leftFromRecovery(observation, wanted.values).map(
    ({ name, value, place }): SettingBefore => ({ name, value, place, commentedOut: false }),
  );
  const others = [...changed, 'synchronous_standby_names'].map((name) => {
    const setting = settings.get(name.toLowerCase());
    return {
      name,
      value: setting?.value ?? '',
      place: setting ? recordedPlace(setting) : 'default',
      commentedOut: new RegExp(`^\\s*#+\\s*${name}\\s*=`, 'im').test(main),
    };
  });
  return [...left, ...others];
}

export interface Left {
  readonly name: string;
  readonly value: string;
  readonly place: string;
}

/** Settings of a recovery that is over, in whichever file of the server they stand, and whether or not it has read them yet. */
export function leftFromRecovery({ live }: AdoptObservation, values: Wanted['values']): readonly Left[] {
  const declared = Object.keys(values).map((name) => name.toLowerCase());
  const lines = (live?.lines ?? []).flatMap(({ name, value, file, line }): readonly Left[] =>
    name === null || value === null ? [] : [{ name, value, place: placeInFile(file, line) }],
  );
  const known = new Set(lines.map(({ name }) => name));
  const passing = recoveryNames.flatMap((name): readonly Left[] => {
    const seen = live?.settings.get(name);
    return seen && seen.file === null && !known.has(name)
      ? [{ name, value: seen.value, place: recordedPlace(seen) }]
      : [];
  });
  return [...lines, ...passing].filter(
    ({ name, value }) => !declared.includes(name) && !isNeutral(name, value),
  );
}

const placeInFile = (file: string, line: number | null): string =>
  file.endsWith('/postgresql.auto.conf') ? 'ALTER SYSTEM' : `${file}:${line ?? '?'}`;

/** Where a setting comes from, in the words of the record. */
export function recordedPlace({ source, file, line }: SettingRow): string {
  return file === null ? source : placeInFile(file, line);
}

/** The little that travels with the data. */
export function adoptedOf(
  place: AdoptPlace,
  observation: AdoptObservation,
  values: Wanted['values'],
  slots: readonly string[] = [],
): Adopted {
  const settings = observation.live?.settings ?? new Map<string, SettingRow>();
  const logging: Logging = judge(values, settings, undefined, movesIn(place, observation)).logging;
  return {
    schema: 1,
    server: place.id,
    logging,
    carried: carriedSettings(observation),
    hba: formerRules(observation),
    ...(slots.length > 0 ? { slots } : {}),
  };
}

/** The files of the data directory whose text changes, so that they are the whole configuration. */
export function standingAlone(
  place: AdoptPlace,
  observation: AdoptObservation,
  before: Before,
): readonly FileBefore[] {
  // What an earlier attempt has recorded may have been edited since.
  const seen = (path: string): FileBefore | undefined =>
    observation.files.get(path) ?? before.files.find((file) => file.path === path);
  const from = [before.configFile, before.hbaFile, before.identFile];
  return names.flatMap((name, index) => {
    const source = seen(from[index] ?? '');
    if (source?.text === undefined) return [];
    const path = `${place.dataDir}/${name}`;
    // What is in place already may have our lines in it by now.
    if (name !== 'postgresql.conf' && source.path === path) return [];
    const text = name === 'postgresql.conf' ? alone(source.path, source.text, observation) : source.text;
    const { mode, owner } = source;
    return text === observation.files.get(path)?.text ? [] : [{ path, mode, owner, text }];
  });
}

function alone(path: string, text: string, observation: AdoptObservation): string {
  const flat = flattenConf({ path, text }, (directive, named, from) =>
    included(directive, named, from, observation),
  );
  return disableConf(flat, placeSettings);
}

/** Relative paths count from the file that names them ("Managing Configuration File Contents"). */
function included(
  directive: string,
  named: string,
  from: string,
  observation: AdoptObservation,
): readonly ConfFile[] | undefined {
  const path = named.startsWith('/') ? named : `${from.slice(0, from.lastIndexOf('/'))}/${named}`;
  const file = (each: FileBefore): ConfFile => ({ path: each.path, text: each.text ?? '' });
  if (directive !== 'include_dir') {
    const found = observation.files.get(path);
    return found ? [file(found)] : directive === 'include_if_exists' ? [] : undefined;
  }
  const folder = path.replace(/\/$/, '');
  return [...observation.files.values()]
    .filter((each) => /^\/[^./][^/]*\.conf$/.test(each.path.slice(folder.length)))
    .filter((each) => each.path.startsWith(`${folder}/`))
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map(file);
}
