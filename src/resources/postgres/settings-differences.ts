/**
 * What kind `settings` tells of the declared settings, one by one: where another value stands, since when, and who repairs
 * it. In: what was seen, and what `settings-found.ts` made of it. Out: differences, without passwords. Pure.
 */
import { effectiveConf } from '../../postgres/conf-file.ts';
import { controlledSettings, isControlled } from '../../postgres/controlled-settings.ts';
import { quoteIdentifier } from '../../postgres/quote.ts';
import { recoverySettings } from '../../postgres/recovery-settings.ts';
import { certainlyDiffers, sameValue, sameWords, wordsDiffer } from '../../postgres/setting-value.ts';
import { openSetting } from '../../postgres/withheld.ts';
import type { Difference } from '../contract/kind.ts';
import { accessDifference, unreadDifference } from './configuration-file.ts';
import { type Found, isWhole } from './settings-found.ts';
import { isLeftover } from './settings-leftovers.ts';
import {
  autoWritten,
  confPath,
  type SettingsDesired as Desired,
  type FileLine,
  type Live,
  type LiveSetting,
  type Override,
  places,
  type SettingsSeen as Seen,
} from './settings-observation.ts';
import { isElsewhere, isHard, isRepaired, isTaking } from './settings-over.ts';

export function settingDifferences(desired: Desired, seen: Seen, found: Found): readonly Difference[] {
  const { live } = seen;
  const own = [...wrongOnes(desired, seen, found), ...staleOnes(desired, seen, found)];
  const around = [...access(desired, seen, found), ...placesElsewhere(desired, seen)];
  if (!live) return [...own, ...around, ...autoOnes(desired, seen, found)];
  const names = Object.keys(desired.values);
  const settled = isTaking(desired) || isElsewhere(live);
  return [
    ...own,
    ...around,
    ...autoOnes(desired, seen, found),
    ...(found.unread ? [unreadDifference('SET006', confPath(desired), seen)] : []),
    ...pendingOnes(desired, live, found),
    ...(settled
      ? []
      : [
          ...includedOnes(desired, live, found),
          ...errors(desired, live, found),
          ...names.flatMap((name) => commandLine(desired, live, name, found)),
          ...(seen.extra.includes('standby') ? [] : overrides(desired, live)),
          ...names.flatMap((name) => unexplained(desired, seen, live, name, found)),
        ]),
  ];
}

const place = ({ file, line }: FileLine): string => (line === 0 ? file : `${file}:${line}`);
const shown = (name: string, value: string | null | undefined): string =>
  value === undefined || value === null ? '(not there)' : value === '' ? 'empty' : openSetting(name, value);

const declaredWords = (desired: Desired, name: string): string =>
  isLeftover(desired, name)
    ? `nothing: ${recoverySettings[name]?.harm ?? ''}`
    : shown(name, desired.values[name]);

function wrongOnes(desired: Desired, seen: Seen, { wrong }: Found): readonly Difference[] {
  const standing = effectiveConf(seen.text);
  return wrong.map((name) => {
    const line = standing.get(name.toLowerCase());
    return {
      code: isLeftover(desired, name) ? 'SET017' : 'SET001',
      object: name,
      declared: declaredWords(desired, name),
      found: shown(name, line?.value),
      source: line ? `${confPath(desired)}:${line.index + 1}` : confPath(desired),
      since: seen.written,
    };
  });
}

function staleOnes(desired: Desired, seen: Seen, { stale }: Found): readonly Difference[] {
  const standing = effectiveConf(seen.text);
  return stale.map((name) => {
    const line = standing.get(name);
    return {
      code: 'SET009',
      object: name,
      declared: '(not declared)',
      found: shown(name, line?.value),
      source: `${confPath(desired)}:${(line?.index ?? 0) + 1}`,
    };
  });
}

function access(desired: Desired, seen: Seen, found: Found): readonly Difference[] {
  const one = accessDifference('SET013', confPath(desired), desired.instance.owner, seen);
  return found.access && one ? [one] : [];
}

/** Controlled settings that another resource declares, or nobody, are reported by the one that speaks for the whole file. */
function undeclaredControlled(desired: Desired): readonly string[] {
  const declared = Object.keys(desired.values).map((name) => name.toLowerCase());
  if (!isWhole(desired)) return [];
  return controlledSettings.filter((name) => !declared.includes(name) && !desired.except?.includes(name));
}

function autoOnes(desired: Desired, seen: Seen, { reset, over }: Found): readonly Difference[] {
  const since = autoWritten(seen.extra);
  const told = (name: string, declared: string, repair?: string): readonly Difference[] => {
    const line = over.auto.get(name.toLowerCase());
    if (!line) return [];
    return [
      {
        code: isLeftover(desired, name) ? 'SET017' : isControlled(name) ? 'SET010' : 'SET002',
        object: name,
        declared,
        found: shown(name, line.value),
        source: place(line),
        ...(since === undefined ? {} : { since }),
        ...(repair ? { repair } : {}),
      },
    ];
  };
  return [
    ...reset.flatMap((name) => told(name, declaredWords(desired, name))),
    ...undeclaredControlled(desired).flatMap((name) =>
      told(
        name,
        '(not declared)',
        `on {host}: ALTER SYSTEM RESET ${name}; what is meant by it belongs into postgresql.conf`,
      ),
    ),
  ];
}

function includedOnes(desired: Desired, live: Live, { over }: Found): readonly Difference[] {
  return [...Object.keys(desired.values), ...undeclaredControlled(desired)].flatMap((name) => {
    const line = over.included.get(name.toLowerCase());
    if (!line || over.errors.includes(line)) return [];
    const controlled = isControlled(name);
    const facts = live.settings[name.toLowerCase()];
    const declared = desired.values[name];
    const asGood =
      declared !== undefined && line.value !== null && sameWords(declared, line.value, facts?.unit);
    if (asGood && !controlled) return [];
    return [
      {
        code: controlled ? 'SET011' : 'SET003',
        object: name,
        declared: declared === undefined ? '(not declared)' : shown(name, declared),
        found: shown(name, line.value),
        source: place(line),
        repair: `remove the line for ${name} in ${place(line)} on {host}, and reload: ${reloadCommand(desired)}`,
      },
    ];
  });
}

const reloadCommand = ({ instance }: Desired): string => `pg_ctl reload -D ${instance.dataDir}`;

function errors(desired: Desired, live: Live, found: Found): readonly Difference[] {
  if (!isWhole(desired)) return [];
  // That the server cannot read the file is said by its owner and mode.
  const told = found.over.errors.filter((line) => !(line.line === 0 && found.access));
  return told.map((line) => ({
    code: 'SET008',
    object: place(line),
    declared: 'a line that the server can read',
    found: `${line.name === null ? '' : `${line.name}: `}${line.error ?? ''}`,
    source: place(line),
    ...(isRepaired(line, live, found) ? { repair: 'provision' } : {}),
  }));
}

/** A restart that the controller does leaves such options out. */
function commandLine(desired: Desired, live: Live, name: string, found: Found): readonly Difference[] {
  const facts = live.settings[name.toLowerCase()];
  const declared = desired.values[name] ?? '';
  if (facts?.source !== 'command line' || facts.value === undefined) return [];
  // What a server that was there before had on its command line has been taken over into the file.
  if (desired.adopted && sameValue(declared, { ...facts, value: facts.value, raw: facts.raw ?? '' }))
    return [];
  return [
    {
      code: 'SET004',
      object: name,
      declared: shown(name, declared),
      found: shown(name, facts.value),
      source: 'the command line of the server',
      ...(found.effects.some(({ action }) => action === 'restart') ? { repair: 'provision' } : {}),
    },
  ];
}

/**
 * A standby's receiver belongs to no database, so that nothing of the catalog holds for it: whoever has set this means a consumer of
 * logical replication, which may be as slow as it is.
 */
const receiversOwn = 'wal_sender_timeout';

/** Those of the catalog are the same on a standby; they are reported where they can be repaired. */
function overrides(desired: Desired, live: Live): readonly Difference[] {
  const declared = new Map(
    Object.entries(desired.values).map(([name, value]) => [name.toLowerCase(), value]),
  );
  return live.overrides.flatMap((one): readonly Difference[] => {
    const at = one.setting.indexOf('=');
    const [name, value] = [one.setting.slice(0, at), one.setting.slice(at + 1)];
    const wanted = declared.get(name.toLowerCase());
    if (wanted === undefined || name.toLowerCase() === receiversOwn) return [];
    if (sameWords(wanted, value, live.settings[name.toLowerCase()]?.unit)) return [];
    return [
      {
        code: 'SET005',
        object: name,
        declared: shown(name, wanted),
        found: shown(name, value),
        source: holder(one),
        repair: `${holder(one)} RESET ${name};`,
      },
    ];
  });
}

const plainName = /^[a-z_][a-z0-9_]*$/;
const identifier = (name: string): string => (plainName.test(name) ? name : quoteIdentifier(name));

/** The statement that made it, without its end: "ALTER ROLE app IN DATABASE shop". */
function holder({ role, database }: Override): string {
  if (role === null && database !== null) return `ALTER DATABASE ${identifier(database)}`;
  const where = database === null ? '' : ` IN DATABASE ${identifier(database)}`;
  return `ALTER ROLE ${role === null ? 'ALL' : identifier(role)}${where}`;
}

function pendingOnes(desired: Desired, live: Live, { pending, effects }: Found): readonly Difference[] {
  const restarts = effects.some(({ action }) => action === 'restart');
  return pending.map((name) => ({
    code: 'SET007',
    object: name,
    declared: shown(name, desired.values[name]),
    found: `${shown(name, live.settings[name.toLowerCase()]?.value ?? 'another value')} until a restart`,
    since: live.loaded,
    ...(restarts || isTaking(desired)
      ? {}
      : {
          repair: 'correct the lines with errors first: the server would not start. Then: pgduet provision',
        }),
  }));
}

const fileOf = {
  config_file: '/postgresql.conf',
  hba_file: '/pg_hba.conf',
  ident_file: '/pg_ident.conf',
  data_directory: '',
} as const;

/** In force, or at the next start by a line of the file. */
function placesElsewhere(desired: Desired, seen: Seen): readonly Difference[] {
  if (!isWhole(desired) || isTaking(desired)) return [];
  const { dataDir } = desired.instance;
  // As the server calls it: a symbolic link may lead to it.
  const base = seen.live?.places.data_directory ?? dataDir;
  return places.flatMap((name): readonly Difference[] => {
    const line = effectiveConf(seen.text).get(name);
    const written = line && (line.value.startsWith('/') ? line.value : `${base}/${line.value}`);
    const expected = [`${base}${fileOf[name]}`, `${dataDir}${fileOf[name]}`];
    const found = [seen.live?.places[name], written].find(
      (path) => path !== undefined && !expected.includes(path),
    );
    if (found === undefined) return [];
    const source =
      line && written === found
        ? `${confPath(desired)}:${line.index + 1}`
        : 'the command line, or another file';
    return [{ code: 'SET015', object: name, declared: `${dataDir}${fileOf[name]}`, found, source }];
  });
}

/** What a session, a role or a database holds is reported by itself, and what the server has made of a value is its own. */
const lasting: readonly (string | undefined)[] = ['configuration file', 'default', 'environment variable'];

function unexplained(
  desired: Desired,
  seen: Seen,
  live: Live,
  name: string,
  found: Found,
): readonly Difference[] {
  const lower = name.toLowerCase();
  const facts = live.settings[lower];
  if (facts?.value === undefined || facts.raw === undefined || !lasting.includes(facts.source)) return [];
  const { wrong, reset, over, unread } = found;
  const explained =
    unread ||
    facts.pending ||
    wrong.includes(name) ||
    reset.includes(name) ||
    over.included.has(lower) ||
    isControlled(lower) ||
    over.errors.some((line) => isHard(line) || line.name === lower);
  if (explained || !isOtherValue(desired, seen, live, name, { ...facts, value: facts.value, raw: facts.raw }))
    return [];
  const source = facts.file ? `${facts.file}:${facts.line}` : (facts.source ?? '');
  return [
    {
      code: 'SET016',
      object: name,
      declared: shown(name, desired.values[name]),
      found: shown(name, facts.value),
      source,
    },
  ];
}

function isOtherValue(
  desired: Desired,
  seen: Seen,
  live: Live,
  name: string,
  facts: LiveSetting & { readonly value: string; readonly raw: string },
): boolean {
  const wanted = desired.values[name] ?? '';
  const line = effectiveConf(seen.text).get(name.toLowerCase());
  const asWritten = facts.file === live.places.config_file && facts.line === (line?.index ?? -1) + 1;
  return certainlyDiffers(wanted, facts) || wordsDiffer(name.toLowerCase(), wanted, facts, asWritten);
}
