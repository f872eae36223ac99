/**
 * What a running server works with, and what it would work with behind a reload or a restart: since when it runs, when it and its controller
 * have read their files, what of these cannot be read, what waits for a restart. Shared by the kinds `reloaded` and `restarted`, and by
 * the view that says whom a command is about. In: a place. Out: a probe, and plain data. Pure.
 */
import { quote } from '../../base/shell.ts';
import { limitNames, limitScript, readLimits } from '../../postgres/limits.ts';
import { quoteLiteral } from '../../postgres/quote.ts';
import { configuredRows, notApplied } from '../../postgres/setting-row.ts';
import { versionFacts } from '../../postgres/versions.ts';
import { openRuleError } from '../../postgres/withheld.ts';
import { type Observed, type Probe, type ProbeReply, present, unknown } from '../contract/kind.ts';
import { controllerPidFile } from '../contract/preamble.ts';
import { replyLines } from '../contract/replies.ts';
import { closed } from '../contract/stat.ts';
import { type Sessions, sessionsQuery } from './sessions.ts';

export interface RunningPlace {
  readonly id: string;
  readonly dataDir: string;
  readonly managementDir: string;
  readonly owner: string;
  readonly version: number;
}

interface FileError {
  readonly name: string | null;
  readonly file: string;
  readonly line: number;
  readonly error: string;
  /** Of the setting; null where the server knows none, or it is no setting. */
  readonly context: string | null;
}

/** What the instance says of itself. */
interface Live extends Sessions {
  /** Seconds since 1970, as text: they are only compared with each other. */
  readonly started: string;
  readonly loaded: string;
  readonly recovery: boolean;
  readonly errors: readonly FileError[];
  readonly rules: readonly FileError[];
  readonly pending: readonly string[];
  /** What its files say of the settings of which a standby needs as much as its primary. */
  readonly limits: Readonly<Record<string, string>>;
}

export interface RunningServer {
  readonly instance: boolean;
  /** When its controller has read its files, seconds since 1970; absent where none runs. */
  readonly controllerRead?: number;
  /** When the files of the instance, and those of the controller, were written. */
  readonly written: number;
  readonly configured: number;
  /** Its controller leaves what fails to a person. */
  readonly failoverOff: boolean;
  /** Standbys that commits wait for, or would wait for next, as its controller has heard it. */
  readonly inSync: readonly string[];
  /** Of a standby: what its primary has. */
  readonly floor: ReadonlyMap<string, number>;
  /** Why the server would not start with its settings, in its own words; empty where it would. */
  readonly wrong: readonly string[];
  readonly live?: Live;
}

const fileErrors = (view: string, line: string, file: string): string =>
  `(select coalesce(json_agg(json_build_object('name', null, 'file', ${file}, 'line', ${line}, 'error', error, 'context', null)), '[]') from ${view} r where error is not null and error not like '%cannot match because%')`;

const query = (version: number): string => `select json_build_object(
 'started', extract(epoch from pg_postmaster_start_time())::text, 'loaded', extract(epoch from pg_conf_load_time())::text, 'recovery', pg_is_in_recovery(),
 'errors', (select coalesce(json_agg(json_build_object('name', f.name, 'file', coalesce(f.sourcefile, current_setting('config_file')), 'line', coalesce(f.sourceline, 0),
   'error', f.error, 'context', s.context) order by f.seqno), '[]') from pg_file_settings f left join pg_settings s on lower(s.name) = lower(f.name) where f.error is not null),
 'rules', ${fileErrors('pg_hba_file_rules', 'line_number', "coalesce(to_jsonb(r) ->> 'file_name', current_setting('hba_file'))")},
 'idents', ${versionFacts(version).identFileView ? fileErrors('pg_ident_file_mappings', 'line_number', "coalesce(to_jsonb(r) ->> 'file_name', current_setting('ident_file'))") : "'[]'::json"},
 'pending', (select coalesce(json_agg(name order by name), '[]') from pg_settings where pending_restart),
 'limits', (select coalesce(json_object_agg(c.name, c.setting), '{}') from (${configuredRows}) c where c.name in (${limitNames.map(quoteLiteral).join(', ')})),
 ${sessionsQuery})`;

const newest = (word: string, paths: readonly string[]): string =>
  `echo "${word} $(stat -c %.6Y ${paths.join(' ')} 2>/dev/null | sort -n | tail -n 1)"`;

/** Whether the server would start with its settings is asked of PostgreSQL itself, which ends without having opened its data. */
export function runningProbe({ id, dataDir, managementDir, owner, version }: RunningPlace): Probe {
  const pidFile = quote(controllerPidFile({ managementDir, id }));
  const own = ['network.conf', `${id}.conf`, 'cluster.key'].map((name) => quote(`${managementDir}/${name}`));
  const files = ['postgresql.conf', 'postgresql.auto.conf', 'pg_hba.conf', 'pg_ident.conf'];
  const status = quote(`${managementDir}/${id}.status.json`);
  return {
    shell: `unseen ${pidFile}
case $unseen in closed*) echo "$unseen"; exit;; esac
d=${quote(dataDir)}
if postmaster "$d"; then echo 'instance runs'; fi
${newest(
  'written',
  files.map((name) => `"$d/${name}"`),
)}
if controller ${pidFile}; then echo "controller $(stat -c %.6Y ${pidFile})"; fi
${newest('configured', own)}
if [ -f ${status} ]; then echo "status $(text_of ${status} | tr -d '\n')"; fi
if [ -f "$d/standby.signal" ] && [ -n "$PGBIN" ]; then ${limitScript('"$d"')} | sed 's/^/limit /'; fi
if [ -n "$PGBIN" ] && { [ -n "$ROOT" ] || [ "$ME" = ${quote(owner)} ]; }; then
said=$(peek "$PGBIN/postgres" -D "$d" -C data_directory 2>&1 >/dev/null) || printf '%s\\n' "$said" | sed 's/^/wrong /'
fi
echo looked`,
    sql: query(version),
  };
}

export function readRunning(reply: ProbeReply): Observed<RunningServer> {
  const hidden = closed(reply.stdout.split('\n')[0] ?? '');
  if (hidden) return unknown(hidden);
  const lines = replyLines(reply.stdout);
  if (lines.last !== 'looked') return unknown(reply.stderr.trim() || 'the server could not be looked at');
  const instance = lines.has('instance runs');
  const live = reply.sql as (Live & { readonly idents: readonly FileError[] }) | undefined | null;
  if (instance && !live) return unknown(reply.sqlProblem ?? 'the server did not answer');
  const read = lines.first('controller');
  return present({
    instance,
    ...(read === undefined ? {} : { controllerRead: Number(read) }),
    written: Number(lines.first('written') ?? 0),
    configured: Number(lines.first('configured') ?? 0),
    ...readStatusFile(lines.first('status')),
    floor: readLimits(lines.all('limit')),
    wrong: lines.all('wrong'),
    ...(instance && live ? { live: { ...live, rules: [...live.rules, ...live.idents] } } : {}),
  });
}

interface StatusFile {
  readonly failover?: string;
  readonly servers?: readonly { readonly server_id: string; readonly sync_state: string | null }[];
}

/** Words of pg_stat_replication. */
const waitedFor: readonly string[] = ['sync', 'quorum', 'potential'];

/** What is not there, or just being written, tells nothing. */
function readStatusFile(text = ''): Pick<RunningServer, 'failoverOff' | 'inSync'> {
  try {
    const { failover, servers = [] } = JSON.parse(text) as StatusFile;
    return {
      failoverOff: failover === 'disabled',
      inSync: servers.flatMap(({ server_id, sync_state }) =>
        waitedFor.includes(sync_state ?? '') ? [server_id] : [],
      ),
    };
  } catch (error) {
    if (error instanceof SyntaxError) return { failoverOff: false, inSync: [] };
    throw error;
  }
}

const syncSeconds = 120;

/**
 * Shell: waits until these standbys are in sync, as the controller of this host shows it in the file that it keeps, where a server is an object
 * without any other one in it.
 */
export const untilInSync = (
  { managementDir, id }: Pick<RunningPlace, 'managementDir' | 'id'>,
  names: readonly string[],
): string => {
  const file = quote(`${managementDir}/${id}.status.json`);
  const patterns = names.map((name) =>
    quote(`"server_id":"${name.replaceAll('.', '[.]')}"[^}]*"sync_state":"(${waitedFor.join('|')})"`),
  );
  return `in_sync() {
text=$(contents ${file}) || return 1
for pattern in ${patterns.join(' ')}; do printf '%s' "$text" | grep -qE "$pattern" || return 1; done
}
n=0
until in_sync; do
  n=$((n + 1))
  if [ $n -gt ${syncSeconds * 10} ]; then echo ${quote(`${names.join(', ')}: not in sync within ${syncSeconds} s`)} >&2; exit 1; fi
  sleep 0.1
done`;
};

/** It is right, and comes into force with a restart only. */
const isPending = ({ error, context }: FileError): boolean =>
  error === notApplied && context === 'postmaster';

/** Settings that wait for a restart, also those that the server has not read yet. */
export const waitingForRestart = ({ live }: RunningServer): readonly string[] => [
  ...new Set([
    ...(live?.pending ?? []),
    ...(live?.errors ?? []).filter(isPending).flatMap(({ name }) => name ?? []),
  ]),
];

/** What of the files the server cannot read, each with its place: with such a line it takes over nothing, or does not start. */
export function fileProblems({ live, wrong }: RunningServer): readonly string[] {
  if (!live) return [];
  const settings = live.errors
    .filter((one) => !isPending(one))
    .map(
      ({ file, line, name, error }) => `${place(file, line)}: ${name === null ? '' : `${name}: `}${error}`,
    );
  const rules = live.rules.map(({ file, line, error }) => `${place(file, line)}: ${openRuleError(error)}`);
  const found = [...settings, ...rules];
  return found.length > 0 ? found : wrong.slice(-5);
}

const place = (file: string, line: number): string => (line === 0 ? file : `${file}:${line}`);
