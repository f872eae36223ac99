/**
 * settings: values in postgresql.conf, changed line by line; everything else in the file stays byte for byte.
 * Looks at the file and at the running server, so that a reload or restart that was missed is seen too.
 * What the Mirroring Controller has commented out (names of standbys that are out, the upstream of a primary) is its
 * business: the declared value behind a '#' counts as right, and is never put in force from here.
 */
import { createHash } from 'node:crypto';
import { quote } from '../base/shell.ts';
import {
  commentedOut,
  confLine,
  editConf,
  effectiveConf,
  ourHeading as heading,
  namesInBlock,
  parseConf,
  releaseConf,
} from '../postgres/conf-file.ts';
import { parseConninfo } from '../postgres/conninfo.ts';
import { quoteLiteral } from '../postgres/quote.ts';
import { asInForce, type InForce, judge, type Logging, type ValuesInForce } from './adopted-rules.ts';
import {
  type ConfigurationFile,
  configurationProbe,
  isStale,
  readConfiguration,
} from './configuration-file.ts';
import { type Fields, readFields } from './fields.ts';
import {
  type Change,
  change,
  type Effect,
  type Instance,
  outdated,
  type ParseContext,
  type ResourceKind,
  refuse,
  same,
} from './kind.ts';

interface Desired {
  readonly name: string;
  readonly instance: Instance;
  readonly values: Readonly<Record<string, string>>;
  /** Settings in our block that another resource declares; without this field the rest of the block is not ours. */
  readonly except?: readonly string[];
  /** Of a server that was there before: what is as good stays, see `adopted-rules.ts`. */
  readonly adopted?: {
    /** False as long as kind `takeover` has to hand the server to the controller: it brings restarts about. */
    readonly taken: boolean;
    /** Absent: not decided yet. */
    readonly logging?: Logging;
  };
}

interface Live {
  /** When the server last read its configuration, seconds since 1970. */
  readonly loaded: number;
  readonly settings: Readonly<Record<string, LiveSetting>>;
  /** Names that postgresql.auto.conf holds, in force already or at the next reload. */
  readonly auto: readonly string[];
}

/** The value is asked for by name only: what stands in the file besides needs no more than its context. */
type LiveSetting = Pick<InForce, 'context' | 'pending'> & Partial<InForce>;

type Seen = ConfigurationFile<Live>;

interface SettingsChange extends Change {
  /** The text of the file as it was seen and as it shall be; absent when the file is right already. */
  readonly file?: { readonly before: string; readonly after: string };
  /** Settings that ALTER SYSTEM holds over ours. */
  readonly reset: readonly string[];
}

/** On a standby: that it is one, and values of the primary below which it would not start ("Hot Standby", administrator's overview). */
const floorScript = `if [ -f "$d/standby.signal" ]; then printf 'standby '; fi
if [ -f "$d/standby.signal" ] && [ -n "$PGBIN" ]; then
"$PGBIN/pg_controldata" -D "$d" | sed -n 's/^\\(max_[a-z_]*\\) setting: */\\1=/p'; fi`;

/** As pg_controldata calls them, and as the settings are called. */
const floorNames: Readonly<Record<string, string>> = {
  max_connections: 'max_connections',
  max_worker_processes: 'max_worker_processes',
  max_wal_senders: 'max_wal_senders',
  max_prepared_xacts: 'max_prepared_transactions',
  max_locks_per_xact: 'max_locks_per_transaction',
};

const confPath = (desired: Desired): string => `${desired.instance.dataDir}/postgresql.conf`;

/** What the rules for a server that was there before ask besides. */
const judged: readonly string[] = ['data_checksums', 'log_destination'];

const liveQuery = (
  names: readonly string[],
): string => `select json_build_object('loaded', extract(epoch from pg_conf_load_time()),
 'settings', (select coalesce(json_object_agg(name, json_build_object('context', context, 'pending', pending_restart,
     'value', current_setting(name, true), 'raw', setting, 'unit', unit, 'source', source)), '{}')
   from pg_settings where sourcefile like '%/postgresql.conf' or name = any (array[${[...names, ...judged].map((name) => quoteLiteral(name.toLowerCase())).join(', ')}]::text[])),
 'auto', (select coalesce(json_agg(lower(name)), '[]') from pg_file_settings where sourcefile like '%/postgresql.auto.conf'))`;

export const settings: ResourceKind<Desired, Seen, SettingsChange> = {
  kind: 'settings',
  summary: 'Values in postgresql.conf, from a template or a map, in force in the running server too.',
  parse: (node, context) =>
    readFields(node, context, 'settings', (f) => {
      const values = wantedValues(f, context);
      const exceptions = f.list('except');
      const except = exceptions.length === 0 ? {} : { except: exceptions };
      const adopted = readAdoption(f.optionalText('adopted'), f.optionalText('logging'));
      return { name: f.text('name'), instance: context.instance, values, ...except, ...adopted };
    }),
  key: (desired) => desired.name,
  describe: (desired) => `settings '${desired.name}' in ${confPath(desired)}`,
  touches: confPath,
  inside: confPath,
  probe: (desired) => ({
    shell: configurationProbe(desired.instance.dataDir, 'postgresql.conf', floorScript),
    sql: liveQuery(Object.keys(desired.values)),
  }),
  read: (reply) => readConfiguration<Live>(reply, 'postgresql.conf'),
  diff: (desired, observed) => {
    if (observed.state === 'absent') return same('nothing to say');
    const seen = observed.value;
    const names = Object.keys(desired.values);
    const missing =
      seen.live &&
      names.find((name) => !(name.toLowerCase() in (seen.live?.settings ?? {})) && !name.includes('.'));
    if (missing !== undefined) return unknownSetting(missing);
    const raised = { ...desired, values: aboveFloor(desired.values, readFloor(seen.extra)) };
    const needed = { ...raised, values: stillNeeded(raised, seen) };
    const found = differences(needed, names, seen);
    if (found.wrong.length + found.reset.length + found.stale.length + found.effects.length === 0)
      return same(`${names.length} settings are in force${seen.live ? '' : ' at the next start'}`);
    return change(describeChange(needed, seen, found));
  },
  steps: (planned, desired) => {
    const steps = [];
    if (planned.file !== undefined)
      steps.push({ title: `settings '${desired.name}'`, script: writeScript(desired, planned.file) });
    if (planned.reset.length > 0)
      steps.push({
        title: 'take back ALTER SYSTEM',
        script: `printf '%s' ${quote(planned.reset.map((name) => `ALTER SYSTEM RESET ${name};`).join('\n'))} | sql`,
      });
    return steps;
  },
};

/** The values of a template and of a map, whose own ones win. */
export function wantedValues(f: Fields, context: ParseContext): Readonly<Record<string, string>> {
  const template = f.optionalText('template');
  const rendered = template === undefined ? undefined : context.render(template);
  if (rendered && !rendered.ok) for (const d of rendered.diagnostics) f.problem('template', d.what, d.fix);
  const lines = rendered?.ok ? parseConf(rendered.value).map((line) => [line.name, line.value] as const) : [];
  const values = { ...Object.fromEntries(lines), ...f.record('values') };
  for (const [name, value] of Object.entries(values))
    if (/[\r\n]/.test(value))
      f.problem('values', `'${name}' has a line break in it`, 'Write the value on one line.');
  return values;
}

function readAdoption(phase: string | undefined, logging: string | undefined): Pick<Desired, 'adopted'> {
  if (!phase) return {};
  const decided: { logging?: Logging } = logging === 'ours' || logging === 'theirs' ? { logging } : {};
  return { adopted: { taken: phase === 'taken', ...decided } };
}

function readFloor(words: readonly string[]): ReadonlyMap<string, number> {
  const pairs = words.map((word) => word.split('='));
  return new Map(
    pairs.flatMap(([label = '', value]) => {
      const name = floorNames[label];
      return name === undefined ? [] : [[name, Number(value)] as const];
    }),
  );
}

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
        { value: '', raw: '', source: '', ...setting },
      ]),
    );
  const standing = effectiveConf(seen.text);
  // ALTER SYSTEM may hold another value than the file. More than its primary has is not wanted on a standby: once it is
  // primary, the other one could not follow it.
  const floor = readFloor(seen.extra);
  return new Map(
    Object.entries(desired.values).map(([name, wanted]) => {
      const lower = name.toLowerCase();
      return [lower, asInForce(floor.get(lower)?.toString() ?? standing.get(lower)?.value ?? wanted)];
    }),
  );
}

const unknownSetting = (name: string) =>
  refuse({
    code: 'INV013',
    what: `the server knows no setting '${name}'`,
    why: 'it would not start with it',
    fix: 'Correct the name in the inventory (postgres.settings), or remove it; an extension has to be loaded before its settings are known.',
  });

interface Differences {
  /** The file has another value, or none. */
  readonly wrong: readonly string[];
  /** ALTER SYSTEM holds another value. */
  readonly reset: readonly string[];
  /** In our block, and declared no more. */
  readonly stale: readonly string[];
  readonly effects: readonly Effect[];
}

/** `declared`: all names, also of those settings that stay as they are. */
function differences(desired: Desired, declared: readonly string[], seen: Seen): Differences {
  const names = Object.keys(desired.values);
  const lower = new Set(declared.map((name) => name.toLowerCase()));
  const standing = effectiveConf(seen.text);
  const wrong = names.filter((name) => !isRight(name.toLowerCase(), desired.values[name] ?? '', seen));
  const reset = names.filter((name) => seen.live?.auto.includes(name.toLowerCase()));
  const floor = readFloor(seen.extra);
  // A standby keeps what its primary still has.
  const needed = (name: string): boolean => floor.get(name) === Number(standing.get(name)?.value);
  const stale = desired.except
    ? namesInBlock(seen.text, heading).filter(
        (name) => !lower.has(name) && !desired.except?.includes(name) && !needed(name),
      )
    : [];
  return { wrong, reset, stale, effects: effectsOf(desired, seen, [...wrong, ...reset, ...stale]) };
}

function isRight(name: string, wanted: string, seen: Seen): boolean {
  const value = effectiveConf(seen.text).get(name)?.value;
  if (value === wanted) return true;
  if (name === 'synchronous_standby_names') return commentedOut(seen.text, name).includes(wanted);
  if (name !== 'primary_conninfo') return false;
  if (seen.extra.includes('standby')) return value !== undefined && sameUpstream(value, wanted, []);
  // Nobody reads it on a primary. It waits there for the day when the server follows another one.
  const waiting = [...commentedOut(seen.text, name), ...(value === undefined ? [] : [value])];
  return waiting.some((one) => sameUpstream(one, wanted, ['host', 'port']));
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

/** A reload if the file is newer than what the server read, a restart if the server itself waits for one. */
function effectsOf(desired: Desired, seen: Seen, changing: readonly string[]): readonly Effect[] {
  if (!seen.live) return [];
  const { live } = seen;
  const facts = (name: string) => live.settings[name.toLowerCase()];
  const restart =
    changing.some((name) => facts(name)?.context === 'postmaster') ||
    Object.keys(desired.values).some((name) => facts(name)?.pending);
  if (restart && desired.adopted?.taken !== false) return [{ action: 'restart', target: 'instance' }];
  return changing.length > 0 || isStale(seen) ? [{ action: 'reload', target: 'instance' }] : [];
}

function describeChange(desired: Desired, seen: Seen, found: Differences): SettingsChange {
  const { wrong, reset, stale, effects } = found;
  const touched = [...wrong, ...stale];
  const path = confPath(desired);
  const what = touched.length === 1 ? touched[0] : `${touched.length} settings`;
  return {
    summary: touched.length > 0 ? `set ${what} in ${path}` : `bring ${path} into force`,
    reason: reasonFor(found),
    reset,
    effects,
    ...(touched.length > 0 ? fileChange(desired, seen, found) : {}),
  };
}

function reasonFor({ wrong, reset, stale }: Differences): string {
  if (reset.length > 0) return `ALTER SYSTEM holds other values: ${reset.join(', ')}`;
  if (wrong.length > 0) return 'the file holds other values';
  if (stale.length > 0) return `declared no more: ${stale.join(', ')}`;
  return 'the server has not read the file since it was written';
}

function fileChange(
  desired: Desired,
  seen: Seen,
  { wrong, stale }: Differences,
): Pick<SettingsChange, 'text' | 'file'> {
  const wanted = Object.fromEntries(wrong.map((name) => [name, desired.values[name]]));
  const after = releaseConf(editConf(seen.text, wanted, heading), stale, heading);
  const lines = (text: string): string => {
    const standing = effectiveConf(text);
    return [...wrong, ...stale]
      .flatMap((name) => {
        const line = standing.get(name.toLowerCase());
        return line ? [`${confLine(name, line.value)}\n`] : [];
      })
      .join('');
  };
  return {
    text: { before: lines(seen.text), after: lines(after), name: confPath(desired) },
    file: { before: seen.text, after },
  };
}

/** Lines that the controller edits by itself, at any time. */
const controlled = /^#*\s*(synchronous_standby_names|synchronized_standby_slots|primary_conninfo)\b/;
const controlledScript =
  "grep -Ev '^#*[[:space:]]*(synchronous_standby_names|synchronized_standby_slots|primary_conninfo)\\>'";

const checksum = (text: string): string => `${createHash('sha256').update(text).digest('hex')}  -`;

const withoutControlled = (text: string): string =>
  text
    .split('\n')
    .filter((line) => !controlled.test(line))
    .join('\n');

/**
 * The new file is tried before it takes the old one's place: a server must always find one that it can start with.
 * Who edited the file since it was seen keeps the edit, and nothing is written: a person's is an error, since only that
 * person knows what it was for; after the controller's the change is planned anew.
 */
function writeScript(desired: Desired, text: { readonly before: string; readonly after: string }): string {
  const { dataDir, owner } = desired.instance;
  const trial = `${dataDir}/.postgresql.conf.trial`;
  return `unchanged() {
  if [ "$(sha256sum < ${quote(confPath(desired))})" = ${quote(checksum(text.before))} ]; then return; fi
  rm -f ${quote(trial)}
  if [ "$(${controlledScript} ${quote(confPath(desired))} | sha256sum)" = ${quote(checksum(withoutControlled(text.before)))} ]; then exit ${outdated}; fi
  echo 'postgresql.conf was changed by someone else at this moment' >&2; exit 1
}
unchanged
put ${quote(trial)} 0600 ${quote(`${owner}:`)} ${quote(text.after)}
if ! as ${quote(owner)} "$PGBIN/postgres" -D ${quote(dataDir)} -C port -c config_file=${quote(trial)} >/dev/null; then rm -f ${quote(trial)}; exit 1; fi
sync ${quote(dataDir)}
unchanged
mv -f ${quote(trial)} ${quote(confPath(desired))}`;
}
