/**
 * settings: values in postgresql.conf, changed line by line; everything else in the file stays byte for byte.
 * Looks at the file and at the running server, so that a reload or restart that was missed is seen too.
 */
import { createHash } from 'node:crypto';
import { quote } from '../base/shell.ts';
import { confLine, editConf, effectiveConf, parseConf } from '../postgres/conf-file.ts';
import { quoteLiteral } from '../postgres/quote.ts';
import { readFields } from './fields.ts';
import {
  type Change,
  change,
  type Effect,
  type Instance,
  present,
  type ResourceKind,
  refuse,
  same,
  unknown,
} from './kind.ts';

interface Desired {
  readonly name: string;
  readonly instance: Instance;
  readonly values: Readonly<Record<string, string>>;
}

interface Live {
  /** When the server last read its configuration, seconds since 1970. */
  readonly loaded: number;
  readonly settings: Readonly<Record<string, { context: string; pending: boolean }>>;
  /** Names that postgresql.auto.conf holds, in force already or at the next reload. */
  readonly auto: readonly string[];
}

interface Seen {
  readonly text: string;
  /** When the file was written, seconds since 1970. */
  readonly written: number;
  /** Absent when no server runs. */
  readonly live?: Live;
}

interface SettingsChange extends Change {
  /** The text of the file as it was seen and as it shall be; absent when the file is right already. */
  readonly file?: { readonly before: string; readonly after: string };
  /** Settings that ALTER SYSTEM holds over ours. */
  readonly reset: readonly string[];
}

const heading = '# Written by pgduet. Edit the inventory instead: pgduet changes these lines back.';
const confPath = (desired: Desired): string => `${desired.instance.dataDir}/postgresql.conf`;

const liveQuery = (
  names: readonly string[],
): string => `select json_build_object('loaded', extract(epoch from pg_conf_load_time()),
 'settings', (select coalesce(json_object_agg(name, json_build_object('context', context, 'pending', pending_restart)), '{}')
   from pg_settings where name = any (array[${names.map((name) => quoteLiteral(name.toLowerCase())).join(', ')}]::text[])),
 'auto', (select coalesce(json_agg(lower(name)), '[]') from pg_file_settings where sourcefile like '%/postgresql.auto.conf'))`;

export const settings: ResourceKind<Desired, Seen, SettingsChange> = {
  kind: 'settings',
  summary: 'Values in postgresql.conf, from a template or a map, in force in the running server too.',
  parse: (node, context) =>
    readFields(node, context, 'settings', (f) => {
      const template = f.optionalText('template');
      const rendered = template === undefined ? undefined : context.render(template);
      if (rendered && !rendered.ok)
        for (const d of rendered.diagnostics) f.problem('template', d.what, d.fix);
      const lines = rendered?.ok
        ? parseConf(rendered.value).map((line) => [line.name, line.value] as const)
        : [];
      const values = { ...Object.fromEntries(lines), ...f.record('values') };
      return { name: f.text('name'), instance: context.instance, values };
    }),
  key: (desired) => desired.name,
  describe: (desired) => `settings '${desired.name}' in ${confPath(desired)}`,
  touches: confPath,
  probe: (desired) => ({
    shell: `d=${quote(desired.instance.dataDir)}
if [ ! -f "$d/postgresql.conf" ]; then echo absent; exit; fi
stat -c %.6Y "$d/postgresql.conf" || exit 1
pid=$(head -n 1 "$d/postmaster.pid" 2>/dev/null)
if [ -n "$pid" ] && [ "$(readlink "/proc/$pid/cwd")" = "$(cd "$d" && pwd -P)" ]; then echo running; else echo stopped; fi
cat "$d/postgresql.conf"`,
    sql: liveQuery(Object.keys(desired.values)),
  }),
  read: (reply) => {
    const [written = '', state, ...lines] = reply.stdout.split('\n');
    if (written === 'absent') return unknown('the instance is not there yet');
    if (reply.status !== 0 || (state !== 'running' && state !== 'stopped'))
      return unknown(reply.stderr.trim() || 'postgresql.conf could not be read');
    const text = lines.join('\n');
    if (state === 'stopped') return present({ text, written: Number(written) });
    if (typeof reply.sql !== 'object' || reply.sql === null)
      return unknown(reply.sqlProblem ?? 'the server did not answer');
    return present({ text, written: Number(written), live: reply.sql as Live });
  },
  diff: (desired, observed) => {
    if (observed.state === 'absent') return same('nothing to say');
    const seen = observed.value;
    const names = Object.keys(desired.values);
    const missing =
      seen.live &&
      names.find((name) => !(name.toLowerCase() in (seen.live?.settings ?? {})) && !name.includes('.'));
    if (missing !== undefined) return unknownSetting(missing);
    const standing = effectiveConf(seen.text);
    const wrong = names.filter((name) => standing.get(name.toLowerCase())?.value !== desired.values[name]);
    const reset = names.filter((name) => seen.live?.auto.includes(name.toLowerCase()));
    const effects = effectsOf(seen, wrong, reset, names);
    if (wrong.length === 0 && reset.length === 0 && effects.length === 0)
      return same(`${names.length} settings are in force${seen.live ? '' : ' at the next start'}`);
    return change(describeChange(desired, seen, wrong, reset, effects));
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

const unknownSetting = (name: string) =>
  refuse({
    code: 'INV013',
    what: `the server knows no setting '${name}'`,
    why: 'it would not start with it',
    fix: 'Correct the name in the inventory (postgres.settings), or remove it; an extension has to be loaded before its settings are known.',
  });

/** A reload if the file is newer than what the server read, a restart if the server itself waits for one. */
function effectsOf(
  seen: Seen,
  wrong: readonly string[],
  reset: readonly string[],
  names: readonly string[],
): readonly Effect[] {
  if (!seen.live) return [];
  const { live } = seen;
  const context = (name: string): string => live.settings[name.toLowerCase()]?.context ?? 'sighup';
  const restart =
    [...wrong, ...reset].some((name) => context(name) === 'postmaster') ||
    names.some((name) => live.settings[name.toLowerCase()]?.pending);
  if (restart) return [{ action: 'restart', target: 'instance' }];
  const stale = seen.written > live.loaded;
  return wrong.length > 0 || reset.length > 0 || stale ? [{ action: 'reload', target: 'instance' }] : [];
}

function describeChange(
  desired: Desired,
  seen: Seen,
  wrong: readonly string[],
  reset: readonly string[],
  effects: readonly Effect[],
): SettingsChange {
  const standing = effectiveConf(seen.text);
  const before = wrong.flatMap((name) => {
    const line = standing.get(name.toLowerCase());
    return line ? [confLine(name, line.value)] : [];
  });
  const after = wrong.map((name) => confLine(name, desired.values[name] ?? ''));
  const what =
    wrong.length > 0
      ? `set ${wrong.length === 1 ? wrong[0] : `${wrong.length} settings`} in ${confPath(desired)}`
      : `bring ${confPath(desired)} into force`;
  const reason =
    reset.length > 0
      ? `ALTER SYSTEM holds other values: ${reset.join(', ')}`
      : wrong.length > 0
        ? 'the file holds other values'
        : 'the server has not read the file since it was written';
  return {
    summary: what,
    reason,
    reset,
    effects,
    ...(wrong.length > 0
      ? {
          text: {
            before: before.map((line) => `${line}\n`).join(''),
            after: after.map((line) => `${line}\n`).join(''),
            name: confPath(desired),
          },
          file: {
            before: seen.text,
            after: editConf(
              seen.text,
              Object.fromEntries(wrong.map((name) => [name, desired.values[name]])),
              heading,
            ),
          },
        }
      : {}),
  };
}

/**
 * The new file is tried before it takes the old one's place: a server must always find one that it can start with.
 * Who edited the file since it was seen (a person, the controller) keeps the edit: then nothing is written.
 */
function writeScript(desired: Desired, text: { readonly before: string; readonly after: string }): string {
  const { dataDir, owner } = desired.instance;
  const trial = `${dataDir}/.postgresql.conf.trial`;
  const seen = createHash('sha256').update(text.before).digest('hex');
  return `if [ "$(sha256sum < ${quote(confPath(desired))})" != ${quote(`${seen}  -`)} ]; then echo 'postgresql.conf was changed by someone else at this moment' >&2; exit 1; fi
put ${quote(trial)} 0600 ${quote(`${owner}:`)} ${quote(text.after)}
if ! as ${quote(owner)} "$PGBIN/postgres" -D ${quote(dataDir)} -C port -c config_file=${quote(trial)} >/dev/null; then rm -f ${quote(trial)}; exit 1; fi
sync ${quote(dataDir)}
mv -f ${quote(trial)} ${quote(confPath(desired))}`;
}
