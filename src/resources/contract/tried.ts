/**
 * Shell that asks PostgreSQL itself whether it would start with a configuration, without starting the server that it is for. Settings
 * are asked for by `postgres -C`, which reads all of them and ends. Client rules are read by a server that starts, and by nothing
 * else: one is started without data, in a directory of its own, with no port and for a moment; it ends by itself, since it finds no
 * WAL, and reads the rules before that. Pure text.
 */
import { quote, sh } from '../../base/shell.ts';
import type { Instance } from './context.ts';

/** Directories that a server of any version wants to see before it reads its rules. */
const wanted = ['global', 'pg_notify', 'pg_tblspc', 'base'];

const barely = [
  'listen_addresses=',
  'shared_buffers=16',
  'max_connections=10',
  'max_wal_senders=0',
  'max_worker_processes=2',
  'autovacuum=off',
  'huge_pages=off',
  'logging_collector=off',
  'log_destination=stderr',
  'log_line_prefix=',
  'lc_messages=C',
];

/**
 * Defines, for whom the server belongs to: `settings_load FILE` and `rules_load FILE [IDENT]`. They fail where a server in this
 * data directory would not start with the file, and say its lines on standard error; what cannot be tried is taken for right. They
 * know PGBIN, and change nothing.
 */
export const tryFunctions = (dataDir: string): string => `tried_data=${quote(dataDir)}
settings_load() { "$PGBIN/postgres" -D "$tried_data" -C data_directory -c config_file="$1" >/dev/null; }
rules_load() {
  tried=$(umask 077; mktemp -d) || return 0
  tried_said=$(umask 077; exec 2>&1; cd "$tried" && mkdir ${wanted.join(' ')} && : > none && cp "$tried_data/PG_VERSION" . && cp "$tried_data/global/pg_control" global/ &&
    timeout 20 "$PGBIN/postgres" -D "$tried" ${barely.map((one) => `-c ${one}`).join(' ')} -c unix_socket_directories="$tried" -c config_file="$tried/none" -c ident_file="\${2:-$tried/none}" -c hba_file="$1") || :
  rm -rf "$tried"
  case $tried_said in *'FATAL:  could not load '*) ;; *) return 0;; esac
  printf '%s\\n' "$tried_said" | grep -vE '^(LOG:  (starting|listening|skipping|could not open directory|database system|too many background)|HINT:  Consider)' | grep -E '^(LOG|CONTEXT|DETAIL|FATAL|HINT):' >&2
  return 1
}`;

/**
 * Shell: the server would start with the files in its data directory, and read no other ones; otherwise it says why, and the step
 * ends before anything is stopped.
 */
export const startable = ({ dataDir, owner }: Pick<Instance, 'dataDir' | 'owner'>): string => {
  const script = `${tryFunctions(dataDir)}
cd "$tried_data"
settings_load "$tried_data/postgresql.conf"
for tried_name in hba ident; do
  tried_at=$("$PGBIN/postgres" -D "$tried_data" -C "\${tried_name}_file")
  if [ "$tried_at" != "$tried_data/pg_$tried_name.conf" ] && [ ! "$tried_at" -ef "pg_$tried_name.conf" ]; then
    echo "with $tried_data/postgresql.conf the server would read $tried_at in place of pg_$tried_name.conf in its data directory" >&2
    exit 1
  fi
done
rules_load "$tried_data/pg_hba.conf" "$tried_data/pg_ident.conf"`;
  return `printf '\\004' | ${sh`acting ${`${dataDir}/postgresql.conf`} ${owner} received eval ${script}`} || { echo 'the server is not restarted: it would not start with its files as they are' >&2; exit 1; }`;
};
