/** hba: pg_hba.conf as a whole, in force in the running server. It is never written with a rule that lets anyone in without proof. */

import type { Diagnostic } from '../../base/diagnostic.ts';
import { quote, sh } from '../../base/shell.ts';
import { withoutOurRules } from '../../postgres/hba-file.ts';
import { openRuleError } from '../../postgres/withheld.ts';
import { optional, template, text } from '../contract/field.ts';
import { fieldsOnServer } from '../contract/fields.ts';
import {
  type Change,
  change,
  type Instance,
  type ResourceKind,
  refuse,
  same,
  type Verdict,
} from '../contract/kind.ts';
import { ownFile } from '../contract/preamble.ts';
import { tryFunctions } from '../contract/tried.ts';
import {
  accessDifference,
  type ConfigurationFile,
  checksum,
  closedFile,
  configurationProbe,
  isStale,
  readConfiguration,
  unreadDifference,
} from './configuration-file.ts';
import {
  type HbaRow,
  hbaRules,
  isTrust,
  keepsFromStarting,
  rowDifferences,
  ruleDifferences,
  rulesText,
} from './hba-differences.ts';

interface Desired {
  readonly instance: Instance;
  readonly content: string;
  /** Who cannot come again once it is written. */
  readonly lockedOut?: string;
}

interface Live {
  readonly loaded: number;
  /** An error in the other configuration files keeps the server from telling when it read this one. */
  readonly broken: boolean;
  readonly rows: readonly HbaRow[];
}

const path = (desired: Desired): string => `${desired.instance.dataDir}/pg_hba.conf`;
/** Rules that a server had before are not ours to judge here; the migration has named them. */
const ownPart = (text: string): string => text.slice(0, text.length - (withoutOurRules(text) ?? '').length);

interface HbaChange extends Change {
  readonly write: boolean;
  /** The file gets its owner and mode. */
  readonly access: boolean;
  /** As it was seen; absent where it could not be read. */
  readonly before?: string;
}

const unreadable: Live = { loaded: 0, broken: true, rows: [] };

const isForeign = ({ instance }: Desired, { owner, mode }: ConfigurationFile<Live>): boolean =>
  owner !== instance.owner || !/^[4567]/.test(mode);

/** What is right needs no words; the path stands there from PostgreSQL 16 on. */
const liveQuery = `select json_build_object('loaded', extract(epoch from pg_conf_load_time()),
 'broken', exists (select from pg_file_settings where error is not null and error <> 'setting could not be applied'),
 'rows', (select coalesce(json_agg(json_build_object('file', to_jsonb(r) ->> 'file_name', 'line', line_number, 'method', auth_method, 'error', error)), '[]')
   from pg_hba_file_rules r where error is not null or to_jsonb(r) ->> 'file_name' <> current_setting('hba_file')))`;

const fields = fieldsOnServer(
  {
    template: template('template of the whole file; a rule with `trust` is an error'),
    locked_out: optional(text('who cannot come again once it is written: the plan says so')),
  },
  ({ template: content, lockedOut }, { server: instance }, problem): Desired => {
    if (hbaRules(ownPart(content)).some(isTrust))
      problem('template', "a rule uses 'trust'", "Use 'peer' on the socket and 'scram-sha-256' elsewhere.");
    return { instance, content, ...(lockedOut ? { lockedOut } : {}) };
  },
);

export const hba: ResourceKind<Desired, ConfigurationFile<Live>, HbaChange> = {
  kind: 'hba',
  summary: 'pg_hba.conf as a whole, from a template, in force in the running server.',
  fields,
  key: (desired) => path(desired),
  inside: path,
  describe: (desired) => `client rules in ${path(desired)}`,
  probe: (desired) => ({
    shell: configurationProbe(desired.instance.dataDir, 'pg_hba.conf'),
    sql: liveQuery,
  }),
  read: (reply, desired) => {
    const observed = readConfiguration<Live>(reply, 'pg_hba.conf');
    if (observed.state !== 'unknown' || reply.sql !== undefined) return observed;
    // A file that the server cannot read makes its view fail as a whole; what is wrong with it can be seen all the same.
    const blind = readConfiguration<Live>({ ...reply, sql: unreadable }, 'pg_hba.conf');
    return blind.state === 'present' && blind.value.live && isForeign(desired, blind.value)
      ? blind
      : observed;
  },
  diff: (desired, observed) => {
    if (observed.state === 'absent') return same('nothing to say');
    return judge(desired, observed.value);
  },
  steps: (planned, desired) => {
    const { owner } = desired.instance;
    const file = { path: path(desired), mode: '0600', owner, content: desired.content };
    if (planned.write)
      return [
        {
          title: `client rules ${path(desired)}`,
          script: rulesScript(desired.instance, desired.content, planned.before),
        },
      ];
    return planned.access ? [{ title: `owner and mode of ${path(desired)}`, script: ownFile(file) }] : [];
  },
};

/** What is declared, or included, cannot be read: rewriting it would change nothing. */
const brokenRule = (name: string, { file, line, error }: HbaRow): Diagnostic => ({
  code: 'SAF046',
  what: `${file ?? name}:${line} cannot be read by the server: ${openRuleError(error ?? '')}`,
  why: 'the server takes no change of its rules over, and does not start the next time',
  fix: 'Correct the rule where it is declared (postgres.hba in the inventory), or in the file of that name, then run the same command again.',
});

/**
 * Tried before they take the place of the old ones: a server must always find rules that it can start with. Who edited the file since it
 * was seen (`before`) keeps the edit: nobody was told that it would go.
 */
export function rulesScript({ dataDir, owner }: Instance, content: string, before?: string): string {
  const to = `${dataDir}/pg_hba.conf`;
  const trial = `${dataDir}/.pg_hba.conf.trial`;
  // What is not UTF-8 arrives here with U+FFFD in its place, and cannot be compared.
  const isKnown = before !== undefined && !before.includes('\ufffd');
  const unchanged = isKnown
    ? `if [ "$(timeout 20 cat ${quote(to)} | sha256sum)" != ${quote(checksum(before))} ]; then
  rm -f ${quote(trial)}; echo 'pg_hba.conf was changed by someone else at this moment' >&2; exit 1; fi`
    : '';
  const script = `${tryFunctions(dataDir)}
${unchanged}
place ${quote(trial)} 0600 ${quote(`${owner}:`)}
if ! rules_load ${quote(trial)}; then rm -f ${quote(trial)}; exit 1; fi
${unchanged}
mv -fT ${quote(trial)} ${quote(to)}
sync ${quote(dataDir)}`;
  return `printf '%s\\004' ${quote(content)} | ${sh`acting ${to} ${owner} received eval ${script}`}`;
}

function judge(desired: Desired, seen: ConfigurationFile<Live>): Verdict<HbaChange> {
  const { text, written, live } = seen;
  const name = path(desired);
  const write = seen.closed || rulesText(text) !== rulesText(desired.content);
  const unread = isStale(seen) && live?.broken !== true;
  const wasThereBefore = withoutOurRules(desired.content) !== undefined;
  const open = wasThereBefore ? undefined : accessDifference('HBA006', name, desired.instance.owner, seen);
  if (seen.closed && !open) return refuse(closedFile(name, desired.instance.owner, seen));
  const observation = { path: name, text, written, rows: live?.rows ?? [] };
  const broken = write ? undefined : live?.rows.find(keepsFromStarting);
  if (broken) return refuse(brokenRule(name, broken));
  const differences = [
    ...(write && !seen.closed ? ruleDifferences(desired.content, observation) : []),
    ...rowDifferences(observation, write),
    ...(unread ? [unreadDifference('HBA003', name, seen)] : []),
    ...(open ? [open] : []),
  ];
  const common = { write, access: open !== undefined, differences, ...(seen.closed ? {} : { before: text }) };
  const effects = live ? ([{ action: 'reload', target: 'instance' }] as const) : [];
  if (write)
    return change({
      ...common,
      summary: `rewrite ${name}`,
      reason: seen.closed ? `${desired.instance.owner} cannot read it` : 'its rules differ',
      ...(desired.lockedOut ? { notes: [desired.lockedOut] } : {}),
      text: { before: `${rulesText(text)}\n`, after: `${rulesText(desired.content)}\n`, name },
      effects,
    });
  if (unread)
    return change({
      ...common,
      summary: `bring ${name} into force`,
      reason: 'the server has not read it since it was written',
      effects,
    });
  if (open)
    return change({
      ...common,
      summary: `give ${name} its owner and mode`,
      reason: `it is ${open.found}, and shall be ${open.declared}`,
    });
  return same(`${hbaRules(text).length} rules are in force${live ? '' : ' at the next start'}`, differences);
}
