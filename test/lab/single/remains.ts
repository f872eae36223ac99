/**
 * What on a host has a name of pgduet's: files by their name and by their text, units, sockets, roles and slots. In: a host
 * and, where one runs, its server. Out: one line for each. Only what is there more than before counts; it only reads.
 */
import type { Host } from '../harness/lab.ts';
import { type Server, sql } from '../support/instance.ts';
import { filesNaming } from '../support/naming.ts';
import { clusterName, controllerPort } from './forms.ts';

/** In names of files and units, and in texts: programs, units, roles, slots, the cluster and its port. */
const words = `pgduet|mcoi|mc_ctl|Mirroring.Controller|${clusterName}|\\b${controllerPort}\\b`;

export async function remains(host: Host, server?: Server): Promise<string[]> {
  const script = `systemctl list-units --all --no-legend --plain |
  grep -iE '${words}' | awk '{ print "unit " $1 }'
ss -Hltn 'sport = :${controllerPort}' | sed 's/^/listens /'
ps -eo comm=,args= | awk '$1 !~ /^(sh|awk|grep|ps|sed|runuser)$/' | grep -iE '${words}' | sed 's/^/process /'
getent passwd | grep -iE '${words}' | sed 's/^/account /'
:`;
  const { stdout } = await host.sh(script, { check: true });
  const lines = stdout.split('\n').filter((line) => line !== '');
  return [
    ...new Set([
      ...lines,
      ...filesNaming(host, new RegExp(words, 'i')),
      ...(server ? await inServer(server) : []),
    ]),
  ].sort();
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
