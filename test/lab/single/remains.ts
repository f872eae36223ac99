/**
 * What on a host has a name of pgduet's: files by their name and by their text, units, sockets, roles and slots. In: a host
 * and, where one runs, its server. Out: one line for each. Only what is there more than before counts; it only reads.
 */
import type { Host } from '../harness/lab.ts';
import { type Server, sql } from '../support/instance.ts';
import { clusterName, controllerPort } from './forms.ts';

/** In names of files and units, and in texts: programs, units, roles, slots, the cluster and its port. */
const words = `pgduet|mcoi|mc_ctl|Mirroring.Controller|${clusterName}|\\b${controllerPort}\\b`;

/** Binary files of a data directory: deleted rows and old WAL keep words that nobody reads any more. */
const binary = ['base', 'global', 'pg_wal', 'pg_xact', 'pg_multixact', 'pg_stat', 'pg_stat_tmp', 'pg_tblspc'];
/** A log tells what has happened, and stays true. */
const logs = ["--exclude='*.log'", "--exclude='*.log.*'"];
const texts =
  '/etc /usr/local /root /home /opt /srv /database /mcdir /var/lib/postgresql /var/lib/systemd /var/spool /var/tmp /tmp /run';

export async function remains(host: Host, server?: Server): Promise<string[]> {
  const skip = [...binary.map((name) => `--exclude-dir=${name}`), ...logs].join(' ');
  // The journal's own files are told by the machine's number, and sockets of /run cannot be read.
  const script = `find / \\( -path /proc -o -path /sys -o -path /dev -o -path /var/log/journal \\) -prune -o -print 2>/dev/null |
  grep -iE '${words}' | sed 's/^/file /'
for place in ${texts}; do
  [ ! -e $place ] || grep -rIHiE --devices=skip ${skip} '${words}' $place 2>/dev/null
done | sed 's/^/text /'
{ systemctl list-unit-files --no-legend --plain; systemctl list-units --all --no-legend --plain; } |
  grep -iE '${words}' | awk '{ print "unit " $1 }'
ss -Hltn 'sport = :${controllerPort}' | sed 's/^/listens /'
ps -eo comm=,args= | awk '$1 !~ /^(sh|awk|grep|ps|sed|runuser)$/' | grep -iE '${words}' | sed 's/^/process /'
getent passwd | grep -iE '${words}' | sed 's/^/account /'
:`;
  const { stdout } = await host.sh(script, { check: true });
  const lines = stdout.split('\n').filter((line) => line !== '');
  return [...new Set([...lines, ...(server ? await inServer(server) : [])])].sort();
}

/** Names in the server: pgduet's are there, or slots and settings of databases that were not. */
async function inServer(server: Server): Promise<string[]> {
  const query = `SELECT 'role ' || rolname FROM pg_roles WHERE rolname ~* '${words.replaceAll('\\b', '')}'
UNION ALL SELECT 'slot ' || slot_name FROM pg_replication_slots
UNION ALL SELECT 'setting ' || name || ' = ' || setting FROM pg_settings WHERE setting ~* '${words.replaceAll('\\b', '')}'
UNION ALL SELECT 'standby name ' || setting FROM pg_settings WHERE name = 'synchronous_standby_names' AND setting <> ''
UNION ALL SELECT 'database ' || datname FROM pg_database WHERE datname ~* '${words.replaceAll('\\b', '')}'`;
  return (await sql(server, query)).split('\n').filter((line) => line !== '');
}

/** What is there now and was not before. */
export const more = (before: readonly string[], after: readonly string[]): string[] =>
  after.filter((line) => !before.includes(line));
