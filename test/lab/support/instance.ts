/**
 * Asks a lab host what is true there, without pgduet: SQL through its socket, the controller's own command, files.
 * In: a host and where its instance is. Out: plain values. It changes only what `sql` is told to change.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import type { Host } from '../harness/lab.ts';
import { until } from '../harness/run.ts';
import { dataDir, managementDir } from './inventory.ts';

/** One server on a lab host. */
export interface Server {
  readonly host: Host;
  /** The server identifier. */
  readonly id: string;
  readonly address: string;
  readonly port: number;
  readonly dataDir: string;
  readonly managementDir: string;
  readonly unit: string;
  /** The instance administrator, and where the server has its socket. */
  readonly owner: string;
  readonly socketDir: string;
}

/** The server that `inventory` makes of a host, with what differs. */
export const serverOf = (host: Host, differs: Partial<Server> = {}): Server => ({
  host,
  id: host.name,
  address: host.address,
  port: 27500,
  dataDir,
  managementDir,
  unit: 'mcoi_inst1.service',
  owner: 'postgres',
  socketDir: '/var/run/postgresql',
  ...differs,
});

/** The program itself: what stands in its place in /usr/bin is a Perl script, which costs three times as much. */
export const psqlPath = '/usr/lib/postgresql/*/bin/psql';

/** Runs SQL as the instance administrator and returns the unaligned rows without the last newline. */
export async function sql(server: Server, text: string, database = 'postgres'): Promise<string> {
  const psql = `runuser -u ${server.owner} -- ${psqlPath} -h ${server.socketDir} -p ${server.port} -d ${database} -XqAt -v ON_ERROR_STOP=1`;
  const { stdout } = await server.host.sh(psql, { input: text, check: true });
  return stdout.replace(/\n$/, '');
}

/** Many questions in one connection: the answer of each, by name. */
export async function answers<Name extends string>(
  server: Server,
  questions: Readonly<Record<Name, string>>,
): Promise<Record<Name, string>> {
  const names = Object.keys(questions) as Name[];
  const script = names.map((name) => `\\echo <${name}>\n${questions[name]};\n`).join('');
  const parts = `\n${await sql(server, script)}\n`.split(/\n<(\w+)>\n/).slice(1);
  const found = names.map((name) => [name, (parts[parts.indexOf(name) + 1] ?? '').replace(/\n$/, '')]);
  return Object.fromEntries(found) as Record<Name, string>;
}

export async function postmasterPid(server: Server): Promise<string> {
  const { stdout } = await server.host.sh(`head -n 1 ${server.dataDir}/postmaster.pid`, { check: true });
  return stdout.trim();
}

/** What `mc_ctl status` prints for the instance administrator of this server. */
export async function mcCtlStatus(server: Server, user = 'postgres'): Promise<string> {
  const command = `mc_ctl status -M ${server.managementDir} --local-server ${server.id}`;
  const result = await server.host.sh(command, { user });
  return `${result.stdout}${result.stderr}`;
}

/** The third line of `mc_ctl status`: the mirroring status alone. */
export const mirroringStatus = async (server: Server): Promise<string> =>
  (await mcCtlStatus(server)).split('\n')[2] ?? '';

/** A field of what the controller wrote at its last heartbeat; it costs no process, and is old where the controller has stopped. */
export function written(server: Server, field: 'mirroring_status' | 'failover'): string | undefined {
  const path = statusFile(server);
  return existsSync(path)
    ? new RegExp(`"${field}":"([^"]*)"`).exec(readFileSync(path, 'utf8'))?.[1]
    : undefined;
}

const statusFile = ({ host, managementDir, id }: Server): string =>
  host.at(`${managementDir}/${id}.status.json`);

/** The time of the last heartbeat that is written; of this machine, whatever clock its host has. */
const writtenAt = (server: Server): number =>
  statSync(statusFile(server), { throwIfNoEntry: false })?.mtimeMs ?? 0;

/**
 * Waits for a mirroring status. Where it does not come, the error says what stands in the way. `mc_ctl` is the truth; a start of it
 * costs as much as all of a wait, so it is asked at once when its controller has written what is waited for, seldom while that writes
 * something else at each heartbeat, and each second where it is silent.
 */
export async function untilMirroring(server: Server, wanted: string, withinMs = 60_000): Promise<void> {
  const begin = Date.now();
  let last = '';
  let asked = 0;
  const isTime = (): boolean => {
    const now = Date.now();
    const isSilent = now - writtenAt(server) > 3000;
    if (!isSilent && written(server, 'mirroring_status') === wanted) return now - asked >= 200;
    return now - Math.max(begin, asked) >= (isSilent ? 1000 : 5000);
  };
  await until(
    async () => `${server.id} does not become ${wanted}; mc_ctl status:\n${last}${await lastWords(server)}`,
    withinMs,
    async () => {
      if (!isTime()) return undefined;
      last = await mcCtlStatus(server);
      asked = Date.now();
      return last.split('\n')[2] === wanted ? true : undefined;
    },
    50,
  );
}

export const untilSwitchable = (server: Server): Promise<void> => untilMirroring(server, 'switchable');

/** The end of what a controller has said, for the message of a test that waits for it in vain. */
export async function lastWords({ host }: Server): Promise<string> {
  const journal = await host.journal('mcoi*').catch(String);
  return `\nthe journal of ${host.name} ends so:\n${journal.split('\n').slice(-20).join('\n')}`;
}

/** Waits until a query of the standby gives the text: replication may be some milliseconds behind. */
export async function untilSql(
  server: Server,
  query: string,
  expected: string,
  database = 'postgres',
): Promise<void> {
  let last = '';
  await until(
    async () =>
      `${server.id} does not answer '${expected}' to: ${query}\nits last answer: ${last}${await lastWords(server)}`,
    20_000,
    async () => {
      last = await sql(server, query, database).catch(String);
      return last === expected ? true : undefined;
    },
    50,
  );
}

/** Lines of "path mode owner type", for example "/mcdir/inst1 700 postgres directory". */
export async function statOf(host: Host, paths: readonly string[]): Promise<string[]> {
  const { stdout } = await host.sh(`stat -c '%n %a %U %F' ${paths.join(' ')}`, { check: true });
  return stdout.trim().split('\n');
}

/** The text of a file as this machine sees the host's disks. */
export const fileText = (host: Host, path: string): string => readFileSync(host.at(path), 'utf8');

/** Every entry below the directories with kind, mode, owner, size and times to the nanosecond; by path. */
export async function listing(host: Host, directories: readonly string[]): Promise<Map<string, string>> {
  const format = String.raw`%p\t%y %m %u:%g %s %T@ %C@ %l\n`;
  const { stdout } = await host.sh(`find ${directories.join(' ')} -xdev -printf '${format}' 2>/dev/null`);
  return new Map(
    stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => [line.slice(0, line.indexOf('\t')), line.slice(line.indexOf('\t') + 1)]),
  );
}

/** Paths that are new, gone or different. */
export function changedPaths(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): string[] {
  const paths = [...new Set([...before.keys(), ...after.keys()])];
  return paths.filter((path) => before.get(path) !== after.get(path)).sort();
}
