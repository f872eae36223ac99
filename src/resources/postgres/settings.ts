/**
 * settings: values in postgresql.conf, changed line by line; everything else in the file stays byte for byte.
 * Looks at the file and at the running server, so that a reload or restart that was missed is seen too.
 * What the Mirroring Controller has commented out (names of standbys that are out, the upstream of a primary) is its
 * business: the declared value behind a '#' counts as right, and is never put in force from here.
 */
import { quote } from '../../base/shell.ts';
import {
  effectiveConf,
  ourHeading as heading,
  namesInBlock,
  parseConf,
  withoutLines,
} from '../../postgres/conf-file.ts';
import { readLimits } from '../../postgres/limits.ts';
import { flag, list, map, oneOf, optional, template, text } from '../contract/field.ts';
import { fieldsOnServer } from '../contract/fields.ts';
import { type Change, change, type ResourceKind, refuse, same } from '../contract/kind.ts';
import { broughtField } from '../contract/library-directory.ts';
import { ownFile } from '../contract/preamble.ts';
import { asInForce, judge, type ValuesInForce } from './adopted-rules.ts';
import { closedFile, configurationProbe, readConfiguration } from './configuration-file.ts';
import { settingDifferences } from './settings-differences.ts';
import { type FileEdit, fileChange, heldChange, holdScript, writeScript } from './settings-file.ts';
import { type Found, findDifferences } from './settings-found.ts';
import { leftovers } from './settings-leftovers.ts';
import { librariesTaken } from './settings-libraries.ts';
import {
  autoText,
  confPath,
  type SettingsDesired as Desired,
  extraScript,
  type Live,
  liveQuery,
  type SettingsSeen as Seen,
} from './settings-observation.ts';
import { reconnectsByTls, withStandingTls } from './settings-tls.ts';
import { type TriedSettings, toBeTried, triedProbe, triedProblem } from './settings-tried.ts';

interface SettingsChange extends Change {
  /** The text of the file as it was seen and as it shall be; absent when the file is right already. */
  readonly file?: FileEdit;
  /** Settings that ALTER SYSTEM holds over ours. */
  readonly reset: readonly string[];
  /** Its file as it was seen and as it shall be, where no server runs that could be told to. */
  readonly held?: FileEdit;
  /** The file gets its owner and mode. */
  readonly access: boolean;
  readonly tried?: TriedSettings;
}

/** The fields of every kind that declares settings. */
export const valueFields = {
  template: optional(template('a template whose lines are settings')),
  values: map('settings by name; they count before those of the template'),
};

interface Source {
  readonly template?: string | undefined;
  readonly values: Readonly<Record<string, string>>;
}

/** The values of a template and of a map; those of the map count first. */
export function wantedValues(
  source: Source,
  problem: (name: 'values', what: string, fix: string) => void,
): Readonly<Record<string, string>> {
  const lines = parseConf(source.template ?? '').map(({ name, value }) => [name, value] as const);
  const values = { ...Object.fromEntries(lines), ...source.values };
  for (const [name, value] of Object.entries(values))
    if (/[\r\n]/.test(value))
      problem('values', `'${name}' has a line break in it`, 'Write the value on one line.');
  return values;
}

const fields = fieldsOnServer(
  {
    name: text('what the plan calls them'),
    ...valueFields,
    adopted: optional(
      oneOf(
        ['taking', 'taken'],
        'on a server that was there before: what serves multiplexing as well stays as it is',
      ),
    ),
    logging: optional(
      oneOf(['ours', 'theirs'], 'whose log such a server writes; `theirs` leaves it where it was'),
    ),
    tls: optional(
      oneOf(
        ['kept', 'free'],
        'whether a server that verifies its primary goes on doing so; without it that has to be declared',
      ),
    ),
    tried: flag(
      'whether a host tries them before the plan is shown, where it may not be able to start with them',
      true,
    ),
    brought: broughtField,
    except: list(
      'with it, settings that pgduet wrote earlier and that are declared no more are removed, except these names',
    ),
  },
  (
    { name, adopted, logging, tls, tried, brought, except, ...source },
    { server: instance },
    problem,
  ): Desired => ({
    name,
    instance,
    version: instance.version,
    values: wantedValues(source, problem),
    ...(except.length === 0 ? {} : { except }),
    ...(tls ? { tls } : {}),
    ...(tried ? {} : { untried: true }),
    ...(brought.length === 0 ? {} : { brought }),
    ...(adopted ? { adopted: { taken: adopted === 'taken', ...(logging ? { logging } : {}) } } : {}),
  }),
);

export const settings: ResourceKind<Desired, Seen, SettingsChange> = {
  kind: 'settings',
  summary: 'Values in postgresql.conf, from a template or a map, in force in the running server too.',
  fields,
  key: (desired) => desired.name,
  describe: (desired) => `settings '${desired.name}' in ${confPath(desired)}`,
  touches: confPath,
  inside: confPath,
  probe: (desired) => ({
    shell: configurationProbe(desired.instance.dataDir, 'postgresql.conf', extraScript),
    sql: liveQuery(Object.keys(desired.values)),
  }),
  read: (reply) => readConfiguration<Live>(reply, 'postgresql.conf'),
  diff: (desired, observed) => {
    if (observed.state === 'absent') return same('nothing to say');
    const seen = observed.value;
    if (seen.closed) return refuse(closedFile(confPath(desired), desired.instance.owner, seen));
    const names = Object.keys(desired.values);
    const missing =
      seen.live &&
      names.find((name) => !(name.toLowerCase() in (seen.live?.settings ?? {})) && !name.includes('.'));
    if (missing !== undefined) return unknownSetting(missing);
    const { values, refused } = withStandingTls(desired.values, seen.text, desired.tls);
    if (refused) return refused;
    const raised = { ...desired, values: aboveFloor(values, readLimits(seen.extra)) };
    const left = leftovers(raised, seen);
    const needed = {
      ...raised,
      values: { ...stillNeeded(raised, seen), ...left },
      leftovers: Object.keys(left),
    };
    const held = slotsNeedLogical(needed.values, seen.live) ?? librariesTaken(needed, seen);
    if (held) return held;
    const found = findDifferences(needed, [...names, ...needed.leftovers], seen);
    const told = settingDifferences(needed, seen, found);
    const { wrong, reset, stale, effects, access } = found;
    if (wrong.length + reset.length + stale.length + effects.length === 0 && !access)
      return same(`${names.length} settings are in force${seen.live ? '' : ' at the next start'}`, told);
    const planned = describeChange(needed, seen, found);
    // A server that is being taken in is tried with what its copy needs, and before it is restarted.
    const tried =
      seen.live && desired.adopted?.taken !== false
        ? toBeTried(
            planned,
            planned.file ?? { before: seen.text, after: seen.text },
            withoutLines(autoText(seen.extra), planned.reset),
          )
        : undefined;
    return change({ ...planned, differences: told, ...(tried ? { tried } : {}) });
  },
  tries: ({ tried }, desired) => (tried && !desired.untried ? triedProbe(tried, desired) : undefined),
  objection: (reply, { tried }, desired) => tried && triedProblem(reply, tried, desired),
  steps: (planned, desired) => {
    const steps = [];
    const place = { path: confPath(desired), owner: desired.instance.owner };
    // First: what is tried behind it is tried without that.
    if (planned.reset.length > 0)
      steps.push({
        title: 'take back ALTER SYSTEM',
        script: planned.held
          ? holdScript(desired, planned.held)
          : `printf '%s' ${quote(planned.reset.map((name) => `ALTER SYSTEM RESET ${name};`).join('\n'))} | sql`,
      });
    if (planned.file !== undefined)
      steps.push({
        title: `settings '${desired.name}'`,
        outdated: 'the controller is at work',
        script: writeScript(desired, planned.file),
      });
    if (planned.access)
      steps.push({
        title: `owner and mode of ${confPath(desired)}`,
        script: ownFile({ ...place, mode: '0600', content: '' }),
      });
    return steps;
  },
};

/** A standby lowers such a value only after the primary: once it has replayed that the primary did. */
function aboveFloor(values: Desired['values'], floor: ReadonlyMap<string, number>): Desired['values'] {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const least = floor.get(name.toLowerCase());
      return [name, least !== undefined && Number(value) < least ? String(least) : value];
    }),
  );
}

/** Of a server that was there before: what stands in our block, and what is not good enough. */
function stillNeeded(desired: Desired, seen: Seen): Desired['values'] {
  if (!desired.adopted) return desired.values;
  const { names } = judge(desired.values, inForce(desired, seen), desired.adopted.logging);
  const block = namesInBlock(seen.text, heading);
  return Object.fromEntries(
    Object.entries(desired.values).filter(
      ([name]) => names.includes(name) || block.includes(name.toLowerCase()),
    ),
  );
}

/** What a server that does not run has neither in its file nor in force is as it was on the server it was copied from. */
function inForce(desired: Desired, seen: Seen): ValuesInForce {
  const { live } = seen;
  if (live)
    return new Map(
      Object.entries(live.settings).map(([name, setting]) => [
        name.toLowerCase(),
        { value: '', raw: '', source: '', unit: null, ...setting },
      ]),
    );
  const standing = effectiveConf(seen.text);
  // ALTER SYSTEM may hold another value than the file. More than its primary has is not wanted on a standby: once it is
  // primary, the other one could not follow it.
  const floor = readLimits(seen.extra);
  return new Map(
    Object.entries(desired.values).map(([name, wanted]) => {
      const lower = name.toLowerCase();
      return [lower, asInForce(floor.get(lower)?.toString() ?? standing.get(lower)?.value ?? wanted)];
    }),
  );
}

/** PostgreSQL starts with no logical slot below logical WAL ("logical replication slot exists, but wal_level < logical"). */
function slotsNeedLogical(values: Desired['values'], live: Live | undefined) {
  const wanted = Object.entries(values).find(([name]) => name.toLowerCase() === 'wal_level')?.[1];
  const slots = live?.logicalSlots ?? [];
  const lowers = wanted !== undefined && wanted.toLowerCase() !== 'logical';
  if (!lowers || live?.settings.wal_level?.value !== 'logical' || slots.length === 0) return undefined;
  return refuse({
    code: 'INV013',
    what: `wal_level cannot be ${wanted}: the server has logical slots (${slots.join(', ')})`,
    why: 'it would not start with them below wal_level = logical',
    fix: "Write wal_level: logical into postgres.settings; or, if nobody needs the slots: select pg_drop_replication_slot('…') for each on the primary, and run the same command again.",
  });
}

const unknownSetting = (name: string) =>
  refuse({
    code: 'INV013',
    what: `the server knows no setting '${name}'`,
    why: 'it would not start with it',
    fix: 'Correct the name in the inventory (postgres.settings), or remove it; an extension has to be loaded before its settings are known.',
  });

function describeChange(desired: Desired, seen: Seen, found: Found): SettingsChange {
  const { wrong, reset, stale, effects, access } = found;
  const touched = [...wrong, ...stale];
  const path = confPath(desired);
  const what = touched.length === 1 ? touched[0] : `${touched.length} settings`;
  const only = access && reset.length + effects.length === 0;
  return {
    summary:
      touched.length > 0
        ? `set ${what} in ${path}`
        : only
          ? `give ${path} its owner and mode`
          : `bring ${path} into force`,
    reason: reasonFor(found),
    reset,
    ...(reset.length > 0 && !seen.live ? { held: heldChange(seen, reset) } : {}),
    // A file that is written anew gets them with that.
    access: access && touched.length === 0,
    effects: reconnectsByTls(desired, seen, wrong)
      ? effects.map((one) => ({ ...one, inTurn: true }))
      : effects,
    ...(touched.length > 0 ? fileChange(desired, seen, found) : {}),
  };
}

function reasonFor({ wrong, reset, stale, effects, pending }: Found): string {
  if (reset.length > 0) return `ALTER SYSTEM holds other values: ${reset.join(', ')}`;
  if (wrong.length > 0) return 'the file holds other values';
  if (stale.length > 0) return `declared no more: ${stale.join(', ')}`;
  if (pending.length > 0 && effects.length > 0)
    return `the server has to be restarted for ${pending.join(', ')}`;
  if (effects.length > 0) return 'the server has not read the file since it was written';
  return 'the file belongs to somebody else, or is open to others';
}
