/**
 * Shell that tells which files below a data directory are the server's own log: by the settings as its configuration files give them, with what
 * these include. They are read as the instance administrator, in whatever case the names are written. Pure text.
 */
import { quote } from '../../base/shell.ts';
import { logNames, usualLog } from '../../postgres/log-names.ts';

const settings = 'include|include_if_exists|include_dir|log_directory|log_filename';

/** Program for `sed`: "name value" of the lines that count; of a value that is not plain only "name ". */
const values = `/^[[:space:]]*(${settings})([[:space:]]|=|')/I!d
s/^[[:space:]]*([A-Za-z_]+)[[:space:]]*=?[[:space:]]*'([^'\\\\]*)'[[:space:]]*(#.*)?$/\\L\\1\\E \\2/;t
s/^[[:space:]]*([A-Za-z_]+)([[:space:]]*=[[:space:]]*|[[:space:]]+)([^'#[:space:]]+)[[:space:]]*(#.*)?$/\\L\\1\\E \\3/;t
s/^[[:space:]]*([A-Za-z_]+).*/\\L\\1\\E /`;

/** The lines in the order in which the server reads them: the last one counts. */
const reading = `LC_ALL=C; export LC_ALL
conf() {
  if [ ! -f "$1" ] || [ "$2" -gt 10 ]; then return 0; fi
  sed -E ${quote(values)} "$1" | while IFS= read -r line; do
    name=\${line%% *}; value=\${line#* }
    case $name:$value in log_*) printf '%s\\n' "$line"; continue;; *:) continue;; *:/*) ;; *) value=\${1%/*}/$value;; esac
    if [ "$name" = include_dir ]; then for f in "$value"/*.conf; do conf "$f" $(($2 + 1)); done; else conf "$value" $(($2 + 1)); fi
  done
}
for f in "$@"; do conf "$f" 0; done`;

/** Defines \`own_logs DIR\`: the directory of the log below it into own_log, and into own_names an expression for its files. */
export const ownLogsFunction = `own_logs() {
  own_said=$(peek sh -c ${quote(reading)} sh "$1/postgresql.conf" "$1/postgresql.auto.conf" 2>/dev/null) || own_said=
  own_log=$(printf '%s\\n' "$own_said" | sed -n 's/^log_directory //p' | tail -n 1)
  case $own_log in '' | *[!A-Za-z0-9_-]*) own_log=log;; esac
  own_names=$(printf '%s\\n' "$own_said" | sed -n 's/^log_filename //p' | tail -n 1 | sed -E ${quote(logNames)})
  own_names="(${usualLog.replaceAll('\\', '\\\\')}\${own_names:+|$own_names})"
}`;
