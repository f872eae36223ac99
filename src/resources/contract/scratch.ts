/**
 * Shell that asks a host whether a server would start there with a configuration that is not there yet: values by `postgres -C`, and
 * what lies around a server (certificates, groups, libraries) by an instance without data, in a directory of its own, that ends
 * before it has begun. In: settings. Out: shell, whose lines `trial.ts` reads. Must never touch the cluster of the host, and leaves
 * nothing: the reasons are in ADR 17. Pure text.
 */
import { quote } from '../../base/shell.ts';
import { confLine } from '../../postgres/conf-file.ts';
import { type Needed, neededOf } from '../../postgres/host-settings.ts';
import { bareLibrary, librariesIn } from '../../postgres/libraries.ts';
import { hasLibrary } from './library-directory.ts';

/** Directories that a server of any version wants to see before it reads its rules. */
export const scratchDirectories = ['global', 'pg_notify', 'pg_tblspc', 'base'];

/**
 * Over whatever the configuration says: next to no memory, nobody who connects, no command of others, no library, no log and no
 * file elsewhere. Shared memory that a kill leaves behind is a file in its directory.
 */
const barely = [
  'listen_addresses=',
  'unix_socket_permissions=0700',
  'shared_buffers=16',
  'min_dynamic_shared_memory=0',
  'dynamic_shared_memory_type=mmap',
  'wal_buffers=8',
  'max_connections=10',
  'superuser_reserved_connections=0',
  'max_wal_senders=0',
  'max_worker_processes=2',
  'max_prepared_transactions=0',
  'max_locks_per_transaction=10',
  'autovacuum=off',
  'huge_pages=off',
  'archive_mode=off',
  'shared_preload_libraries=',
  'external_pid_file=',
  'ssl_passphrase_command=touch asked; false',
  'log_destination=stderr',
  'log_line_prefix=',
  'log_min_messages=log',
  'log_error_verbosity=default',
];

/** Seconds that one process of PostgreSQL may take. One that has not ended by then is killed, and nothing is said of the host. */
const oneRun = 10;

/**
 * As the owner of the instance, in a session that nobody ends with the connection: it takes its own directory away, and what a kill
 * has left of an earlier one. Arguments: the version, whether TLS can be tried, the directory of the log, whether huge pages are a must.
 * The configuration stands on standard input.
 */
const script = `umask 077
LANGUAGE=C; export LANGUAGE
ulimit -c 0
trap '' HUP PIPE
for old in /tmp/pgduet-scratch.*; do
  if [ -O "$old" ] && [ ! -L "$old" ] && [ -n "$(find "$old" -maxdepth 0 -type d -mmin +60)" ]; then rm -rf "$old"; fi
done
s=$(mktemp -d /tmp/pgduet-scratch.XXXXXXXXXX) || exit 1
trap 'cd /; rm -rf "$s"' EXIT
trap 'exit 1' INT TERM
cd "$s" || exit 1
cat > conf
: > empty; : > postgresql.auto.conf; echo 'local all all reject' > hba
mkdir ${scratchDirectories.join(' ')} pg_dynshmem pg_wal pg_wal/archive_status pg_wal/summaries || exit 1
echo "$1" > PG_VERSION
: > global/pg_control
# A server wants a control file of its own build. The WAL beside it goes again, so that nothing can begin to live here.
"$PGBIN/pg_resetwal" -f --wal-segsize=1 -D "$s" >/dev/null 2>&1 || exit 1
rm -rf pg_wal
run() {
  if [ -e slow ]; then return 1; fi
  timeout -s INT -k 2 ${oneRun} "$PGBIN/postgres" -D "$s" "$@" </dev/null || { rc=$?; case $rc in 124 | 137) : > slow;; esac; return $rc; }
}
told() { printf '%s %s\\n' "$1" "$(printf %s "$2" | base64 -w 0)"; }
# Whether a server with this file comes as far as to look for its data; what it says is in said.
starts() {
  starts_with=$1; shift
  said=$(run -c config_file="$s/$starts_with" -c hba_file="$s/hba" -c ident_file="$s/empty" -c unix_socket_directories="$s" \\
    ${barely.map((one) => `-c '${one}'`).join(' ')} "$@" 2>&1) || :
  case $said in *'startup process'*) return 0;; esac
  return 1
}
size() {
  name=$1; shift
  run -c config_file="$s/conf" -c ssl=off -c log_line_prefix= -c log_min_messages=fatal "$@" -C "$name" 2>said
}
if ! said=$(run -c config_file="$s/conf" -c log_line_prefix= -C data_directory 2>&1); then
  told values "$said"
  # Without the lines that were named the rest can be tried.
  sed 's/ = .*//' conf | while IFS= read -r name; do case $said in *"\\"$name\\""*) echo "^$name = ";; esac; done > bad
  if [ -s bad ]; then grep -v -f bad conf > good || :; else : > good; fi
  mv good conf
fi
off='-c logging_collector=off'
if ! starts conf $off -c "ssl=$2"; then
  first=$said
  # What this host cannot even do without the configuration is no word about it.
  starts empty $off || exit 1
  # A key with a passphrase is not opened here.
  if [ ! -e asked ]; then told start "$first"; fi
  if ! starts conf $off -c ssl=off && { [ -e asked ] || [ "$said" != "$first" ]; }; then told start "$said"; fi
fi
if [ -n "$3" ]; then
  at=$3; if [ ! -e "$at" ] && [ ! -L "$at" ]; then at=\${at%/*}; at=\${at:-/}; fi
  # Where it could log, it does not: nothing may be left there.
  if [ ! -d "$at" ] || [ ! -w "$at" ] || [ ! -x "$at" ]; then
    if starts conf -c ssl=off -c logging_collector=on -c log_filename="\${s##*/}.log"; then rm -f "$3/\${s##*/}.log"; else told log "$said"; fi
  fi
fi
# Libraries are loaded, and do not begin to work: the answer is how much memory a server with them would take.
if [ "$1" -ge 15 ]; then
  if ! memory=$(size shared_memory_size); then
    first=$(cat said)
    if memory=$(size shared_memory_size -c shared_preload_libraries=); then told libraries "$first"; fi
  fi
  echo "memory $memory"
  if [ "$4" = on ]; then echo "pages $(size shared_memory_size_in_huge_pages -c shared_preload_libraries=)"; fi
fi
sed -n 's/^\\([A-Za-z_]*\\): *\\([0-9]*\\).*/has \\1 \\2/p' /proc/meminfo | grep -E ' (MemTotal|SwapTotal|HugePages_Total|HugePages_Free) '
if [ ! -e slow ]; then echo tried; fi`;

const preload = 'shared_preload_libraries';

/** Who the server belongs to, and which one it is. */
export interface TrialPlace {
  readonly owner: string;
  readonly version: number;
  /** Where files with relative names are; absent: they come with the copy. */
  readonly dataDir?: string;
  /** Libraries that a package brings before a server is started with them; as long as one of them is not there, none is asked for. */
  readonly brought?: readonly string[];
}

/**
 * Shell: tries this configuration as the owner of the instance, and prints lines for `readTrial`, each behind the word "trial". Where
 * it cannot be tried (no programs, another login, no room) it prints nothing of use. Needs the functions of `preamble.ts`.
 */
export function trialScript(settings: Readonly<Record<string, string>>, place: TrialPlace): string {
  const needed = neededOf(settings, place.dataDir);
  const { tls, log, hugePages } = needed;
  const words = [String(place.version), tls ? 'on' : 'off', log, hugePages ? 'on' : 'off'];
  return `if [ -n "$PGBIN" ] && [ -n "$OWNER_HOME" ] && { [ -n "$ROOT" ] || [ "$ME" = ${quote(place.owner)} ]; }; then
  { printf '%s' ${quote(confText(needed))}; ${withoutBrought(needed, place.brought ?? [])}; } | reader env PGBIN="$PGBIN" setsid sh -c ${quote(script)} sh ${words.map(quote).join(' ')} 2>/dev/null | sed 's/^/trial /'
fi`;
}

const confText = ({ settings }: Needed): string =>
  Object.entries(settings)
    .map(([name, value]) => `${confLine(name, value)}\n`)
    .join('');

/** Shell: the line that counts in place of the one before, where a library has yet to come. */
function withoutBrought({ settings }: Needed, brought: readonly string[]): string {
  const list = librariesIn(settings[preload] ?? '');
  const coming = list.map(bareLibrary).filter((name) => brought.includes(name));
  if (coming.length === 0) return ':';
  const others = list.filter((name) => !coming.includes(bareLibrary(name)));
  const line = `${confLine(preload, others.join(', '))}\n`;
  return `if ! { ${coming.map((name) => `{ ${hasLibrary(name)}; }`).join(' && ')}; }; then printf '%s' ${quote(line)}; fi`;
}
