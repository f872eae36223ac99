/**
 * What is looked at on the server that stays before it becomes a single one: what is ours on it, what was recorded, its files
 * byte for byte, who has started it, and what the running server says, wherever it listens now. In: a place. Out: plain data. Pure.
 */

import { environmentFile } from '../../base/environment-file.ts';
import { quote } from '../../base/shell.ts';
import { type SettingRow, settingRow } from '../../postgres/setting-row.ts';
import type { ProbeReply } from '../contract/kind.ts';
import { controllerPidFile } from '../contract/preamble.ts';
import { fromBase64, replyLines } from '../contract/replies.ts';
import { systemFile } from '../data/data-directory.ts';
import { findDropIns, formerMark, guardCondition, recordProbe } from '../data/record.ts';
import { type RecordSeen, readRecord } from '../data/record-form.ts';
import { findUnit, keptBeside, unitFile } from '../system/unit-files.ts';
import { liveSql } from './holds.ts';

export interface SinglePlace {
  readonly id: string;
  readonly managementDir: string;
  readonly dataDir: string;
  readonly owner: string;
  readonly mcCtl: string;
  /** The controller's unit and the one that takes over where there was none before; absent where there is no systemd. */
  readonly unit?: string;
  readonly plainUnit?: string;
  readonly roles: readonly string[];
  readonly slots: readonly string[];
}

export interface SeenFile {
  readonly mode: string;
  /** "user:group" */
  readonly owner: string;
  readonly text: string;
}

export interface SeenService {
  readonly enabled: string;
  readonly active: string;
  /** It asks for our mark. */
  readonly dropIn: boolean;
  /** Of the plain unit: its text. */
  readonly text?: string;
}

/** What the running server says. */
export interface SingleLive {
  readonly timeline: number;
  readonly recovering: boolean;
  /** The postgresql.conf that it reads. */
  readonly configFile: string;
  /** Of ours; `owns`: what depends on it. */
  readonly roles: Readonly<Record<string, number>>;
  readonly slots: readonly string[];
  /** Slots of others that are there at the next start, too. */
  readonly others?: readonly { readonly name: string; readonly logical: boolean }[];
  /** Transactions that wait for their second phase. */
  readonly prepared?: number;
  /** Settings that only a restart changes: the value in force, and what it is without any line for it. */
  readonly restart: Readonly<Record<string, SettingRow>>;
}

export interface SingleObservation extends RecordSeen {
  /** Directory of PostgreSQL's programs. */
  readonly programs: string;
  /** The management directory says that the data is ours. */
  readonly ours: boolean;
  readonly mark: boolean;
  readonly controller: boolean;
  /** The controller's unit is there; `guarded`: the mark keeps it from starting. */
  readonly unit: boolean;
  readonly guarded: boolean;
  /** Drop-ins of that unit that a person has written. */
  readonly beside: readonly string[];
  readonly files: ReadonlyMap<string, SeenFile>;
  /** Recorded paths in directories where the instance administrator may not write. */
  readonly barred: readonly string[];
  readonly services: ReadonlyMap<string, SeenService>;
  /** The postmaster, and the control group that it runs in. */
  readonly server?: { readonly ready: boolean; readonly cgroup: string };
  readonly live?: SingleLive;
  /** Why the running server gave no answer. */
  readonly problem?: string;
  /** It is started with variables of its own. */
  readonly environment: boolean;
  /** Left by a base backup, by pg_rewind, or by the controller. */
  readonly leftovers: readonly string[];
}

const literals = (names: readonly string[]): string =>
  `array[${names.map((name) => `'${name.replaceAll("'", "''")}'`).join(', ')}]::text[]`;

const liveQuery = ({
  roles,
  slots,
}: SinglePlace): string => `select json_build_object('timeline', (select timeline_id from pg_control_checkpoint()), 'recovering', pg_is_in_recovery(), 'configFile', current_setting('config_file'),
 'roles', (select coalesce(json_object_agg(rolname, (select count(*) from pg_shdepend where refclassid = 'pg_authid'::regclass and refobjid = r.oid and deptype = 'o')), '{}') from pg_roles r where rolname = any (${literals(roles)})),
 'slots', (select coalesce(json_agg(slot_name order by slot_name), '[]') from pg_replication_slots where slot_name = any (${literals(slots)}) and not active),
 'others', (select coalesce(json_agg(json_build_object('name', slot_name, 'logical', slot_type = 'logical') order by slot_name), '[]') from pg_replication_slots where not temporary and slot_name <> all (${literals(slots)})),
 'prepared', (select count(*) from pg_prepared_xacts),
 'restart', (select json_object_agg(name, ${settingRow}) from pg_settings where context = 'postmaster'))`;

export const dataFiles = ['postgresql.conf', 'postgresql.auto.conf', 'pg_hba.conf', 'pg_ident.conf'] as const;

/**
 * Prints "word value" lines; texts in base64, so that every byte comes over. What the instance administrator could have written
 * is one line, and goes through no `echo`, which makes a line break of "\n".
 */
export function singleProbe(place: SinglePlace): string {
  const { dataDir, unit, plainUnit } = place;
  return `d=${quote(dataDir)}
echo "programs $PGBIN"
if [ -e ${quote(systemFile(place))} ]; then echo ours; fi
if [ -e ${quote(formerMark(place))} ]; then echo mark; fi
if controller ${quote(controllerPidFile(place))}; then echo controller; fi
if [ -s ${quote(environmentFile(place))} ]; then echo environment; fi
${
  unit
    ? `${findUnit(unit, 'unit')}
if cat ${quote(unitFile(unit))} ${quote(`${unitFile(unit)}.d`)}/*.conf 2>/dev/null | grep -qxF ${quote(guardCondition(place))}; then echo guarded; fi`
    : ''
}
file() { if [ -f "$1" ]; then text=$(peek base64 -w 0 "$1") || exit 1; printf 'file %s\\n' "$(stat -c '%a %U:%G' "$1") $text $1"; fi; }
${recordProbe(place)}
paths=$(printf '%s' "$record" | grep -o '"path": *"[^"]*"' | cut -d'"' -f4)
{ for n in ${dataFiles.join(' ')} pgduet.json; do echo "$d/$n"; done; printf '%s\\n' "$paths"; } | sort -u | while IFS= read -r p; do
  case $p in '' | "$d"/*) ;; *) peek test -w "\${p%/*}/" || printf 'barred %s\\n' "$p";; esac
  file "$p"
done || exit 1
postmaster "$d" || :
${
  plainUnit
    ? `formers=$(${findDropIns(place)} | tr '\\n' ' ')
main=
if [ -n "$pid" ]; then main=$(sed -n 's|.*/\\([^/]*\\.service\\)$|\\1|p' "/proc/$pid/cgroup" | tail -n 1); fi
if [ -n "$main" ] && [ "$(systemctl show -p MainPID --value -- "$main" 2>/dev/null)" = "$pid" ]; then printf 'main %s\\n' "$main"; else main=; fi
for s in $({ printf '%s\\n' ${quote(`${plainUnit}.service`)} "$main"; for f in $formers; do f=\${f%.d/*}; printf '%s\\n' "\${f##*/}"; done; } | sort -u); do
  # A systemd that gives no answer, as on a busy host, has not said that the unit is inactive.
  active=$(systemctl is-active -- "$s") || [ -n "$active" ] || exit 1
  echo "service $(systemctl is-enabled -- "$s" 2>/dev/null | head -n 1 | grep . || echo absent) $active $(case " $formers " in *"/$s.d/pgduet.conf"*) echo yes;; *) echo no;; esac) $s"
done
file ${quote(unitFile(plainUnit))}`
    : ''
}
for n in backup_manifest backup_label.old tablespace_map.old pgduet.json 'pgduet.before.*.json' .postgresql.conf.trial .pg_hba.conf.trial '.*.pgduet-tmp' pgsql_tmp_mc_disk_check pg_wal/pgsql_tmp_mc_disk_check pg_tblspc/*/pgsql_tmp_mc_disk_check; do for p in "$d"/$n; do if [ -e "$p" ]; then printf 'leftover %s\\n' "$(printf %s "$p" | base64 -w 0)"; fi; done; done
${liveSql(dataDir, place.owner)}
if [ -n "$pid" ]; then
  printf 'server %s\\n' "\${pid_state%% *} $(sed -n 's/^0:://p' "/proc/$pid/cgroup")"
  said=$(echo ${quote(liveQuery(place))} | live 2>&1) && printf 'live %s' "$said" | tr '\\n' ' ' || printf 'problem %s\\n' "$said" | head -n 1
fi
echo
echo looked`;
}

/** Undefined when the probe could not look. */
export function readSingle(reply: ProbeReply, place: SinglePlace): SingleObservation | undefined {
  const lines = replyLines(reply.stdout);
  const { all } = lines;
  if (lines.last !== 'looked') return undefined;
  const [server] = all('server').map((line) => /^(\S*) (.*)$/.exec(line));
  const live = readLive(all('live')[0]);
  const problem = all('problem')[0];
  const plainText = place.plainUnit ? readFiles(all('file')).get(unitFile(place.plainUnit))?.text : undefined;
  const services = readServices(all('service'), place, plainText);
  return {
    programs: all('programs')[0] ?? '',
    ours: lines.has('ours'),
    mark: lines.has('mark'),
    environment: lines.has('environment'),
    controller: lines.has('controller'),
    unit: lines.has('unit'),
    guarded: lines.has('guarded'),
    beside: keptBeside(lines, 'unit'),
    files: readFiles(all('file')),
    barred: all('barred'),
    services,
    leftovers: all('leftover').map(fromBase64),
    ...readRecord(lines, [
      ...all('main'),
      ...[...services].flatMap(([name, { dropIn }]) => (dropIn ? [name] : [])),
    ]),
    ...(server ? { server: { ready: server[1] === 'ready', cgroup: server[2] ?? '' } } : {}),
    ...(live ? { live } : {}),
    ...(problem ? { problem } : {}),
  };
}

/** "644 root:root BASE64 PATH"; an empty file has an empty third field. */
function readFiles(lines: readonly string[]): ReadonlyMap<string, SeenFile> {
  return new Map(
    lines.flatMap((line): readonly [string, SeenFile][] => {
      const match = /^(\d+) (\S+) (\S*) (\/.*)$/.exec(line);
      return match
        ? [
            [
              match[4] ?? '',
              { mode: match[1] ?? '', owner: match[2] ?? '', text: fromBase64(match[3] ?? '') },
            ],
          ]
        : [];
    }),
  );
}

function readServices(
  lines: readonly string[],
  { plainUnit }: SinglePlace,
  plainText: string | undefined,
): ReadonlyMap<string, SeenService> {
  return new Map(
    lines.flatMap((line): readonly [string, SeenService][] => {
      const [enabled = '', active = '', dropIn = '', name = ''] = line.split(' ');
      const text = name === `${plainUnit}.service` && plainText !== undefined ? { text: plainText } : {};
      return [[name, { enabled, active, dropIn: dropIn === 'yes', ...text }]];
    }),
  );
}

function readLive(text: string | undefined): SingleLive | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as SingleLive;
  } catch {
    return undefined;
  }
}
