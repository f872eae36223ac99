/**
 * What is to be done about a management directory that is lost (ADR 25): `provision` brings it back where another server vouches for the data, and
 * everything else is up to a person. In: what the hosts show. Out: a refusal with what was seen and the way on, or nothing. Pure.
 */
import { type Advised, advised, type Command, here, onHost } from '../base/command.ts';
import type { Diagnostic } from '../base/diagnostic.ts';
import { initScriptFile, initScriptOf } from '../base/service-managers.ts';
import { sh } from '../base/shell.ts';
import type { Cluster, Server } from '../inventory/cluster.ts';
import { lacksDirectory, leads, systemFile } from '../resources/data/data-directory.ts';
import { beforeFile, unitOfDropIn } from '../resources/data/record.ts';
import { type HostView, vouchedFor } from './survey.ts';
import { evidence } from './who-leads.ts';

type Hosts = ReadonlyMap<string, HostView>;

/** The servers whose management directory is lost, or on a file system that is not mounted; in the order of the inventory. */
export const lostServers = ({ servers }: Cluster, hosts: Hosts): readonly Server[] =>
  servers.filter(({ name }) => lacksDirectory(hosts.get(name)?.data));

/** Why `provision` cannot bring it back; nothing where it can. */
export function lostObstacle(cluster: Cluster, looked: Hosts, server: Server): Diagnostic | undefined {
  const { hosts, vouched } = vouchedFor(cluster, looked);
  const view = hosts.get(server.name);
  if (view?.data?.directoryAway !== undefined) return isAway(server, view.data.directoryAway);
  if (wasThere(server, view)) return withoutRecord(server, view?.data?.dropIns ?? []);
  const lost = lostServers(cluster, hosts);
  if (lost.length === 1 && vouched?.has(server.name)) return undefined;
  const names = lost.map(({ name }) => name).join(' and ');
  return {
    code: 'SAF084',
    what:
      lost.length > 1
        ? `the management directories of ${names} are lost`
        : `the management directory of ${server.name} is lost (${server.multiplexing.managementDir}), and no server vouches for its data`,
    why: 'what stood there said whose data this is, and what the controller has promised; pgduet makes it anew for one server, which streams with a whole one now',
    ...(lost.length > 1 ? severalWays(cluster, hosts, lost, server) : wayOf(cluster, hosts, server)),
    host: server.name,
    evidence: [...evidence(cluster.servers, (name) => hosts.get(name)?.data), ...streamWords(cluster, hosts)],
  };
}

/** Root's drop-in, or what travels with the data, says so; its own record does not. */
const wasThere = ({ name }: Server, view: HostView | undefined): boolean =>
  view?.data?.before === undefined &&
  ((view?.data?.dropIns?.length ?? 0) > 0 || view?.adopted?.server === name);

const placeOf = ({ name, multiplexing, postgres }: Server) => ({
  dataDir: postgres.dataDir,
  managementDir: multiplexing.managementDir,
  id: name,
});

/** The administrator's directory, where even that is gone. */
const remade = ({ name, postgres, multiplexing }: Server): Command => ({
  ...onHost(
    name,
  )`install -d -m 0700 -o ${postgres.owner} -g "$(id -gn ${postgres.owner})" ${multiplexing.managementDir}`,
  onlyIf: 'it is not there',
});

const asOwner = ({ name, postgres }: Server, command: Command): Command => ({
  ...command,
  on: name,
  as: postgres.owner,
});

/** Its controller, and with it the instance, as the host starts and stops them. */
function service(hosts: Hosts, { name, unit }: Server, word: 'start' | 'stop'): Command {
  const command = onHost(name);
  return hosts.get(name)?.facts?.serviceManager === 'systemd'
    ? command`systemctl ${word} ${unit}`
    : command`${initScriptFile(initScriptOf(unit))} ${word}`;
}

const isAway = ({ name, multiplexing }: Server, seen: string): Diagnostic => ({
  code: 'SAF008',
  what: `the management directory of ${name} is not there: ${seen}`,
  why: 'what stands on that file system says whose data this is, and what the controller has promised; a directory made in its place would be covered when it comes back',
  fix: `Mount it, then run the same command again. If it is gone for good, remove what says that it is to be there: its line of /etc/fstab (then systemctl daemon-reload), its unit, or an empty directory ${multiplexing.managementDir} that is not the administrator's.`,
  host: name,
});

function withoutRecord(server: Server, dropIns: readonly string[]): Diagnostic {
  const file = beforeFile(placeOf(server));
  const release = onHost(server.name);
  const given = dropIns.map((path) => ({
    ...release`systemctl mask ${unitOfDropIn(path)} && rm ${path} && systemctl daemon-reload`,
    onlyIf: 'its way back is given up',
  }));
  const restored = advised`${remade(server)}; put ${file} there from a backup, the administrator's, and nothing else from that backup; then run the same command again.`;
  const forgone =
    given.length > 0
      ? advised`Or, ${given[0] ?? ''}; then run the same command again.`
      : { fix: 'Without it nobody can give the server back as it was.', commands: [] };
  return {
    code: 'SAF085',
    what: `the management directory of ${server.name} is lost, and with it the record of what the server was before pgduet (${file})`,
    why: 'made anew without it, a later teardown would take the server for one that pgduet has made, and delete its data',
    fix: `${restored.fix} ${forgone.fix}`,
    commands: [...restored.commands, ...forgone.commands],
    host: server.name,
  };
}

/** One of them by hand: the one that leads, if there is one. It vouches for the other then. */
function severalWays(
  cluster: Cluster,
  hosts: Hosts,
  lost: readonly Server[],
  server: Server,
): Partial<Advised> & Pick<Advised, 'fix'> {
  const leading = lost.filter(({ name }) => hosts.get(name)?.data?.standbySignal === false);
  if (leading.length > 1)
    return {
      fix: `${leading.map(({ name }) => name).join(' and ')} lead both: keep copies of the data of both, and see docs/runbooks/two-primaries.md. Nothing is written there before it is known which of them goes on.`,
    };
  const first = leading[0] ?? lost[0] ?? server;
  return first === server
    ? byHand(cluster, hosts, server)
    : {
        fix: `First the directory of ${first.name}, by hand, as is said there; ${first.name} then vouches for ${server.name} while that streams, and the same command brings it back.`,
      };
}

function wayOf(cluster: Cluster, hosts: Hosts, server: Server): Partial<Advised> & Pick<Advised, 'fix'> {
  const data = hosts.get(server.name)?.data;
  const primary = cluster.servers.find(
    ({ name }) => name !== server.name && leads(hosts.get(name)?.data) && hosts.get(name)?.data?.running,
  );
  if (data?.standbySignal === false) return leaderWay(cluster, hosts, server, primary);
  if (!primary) return lastWay(cluster, hosts, server);
  return data?.running ? streamWay(hosts, server, primary) : asideWay(hosts, server, primary);
}

function leaderWay(
  cluster: Cluster,
  hosts: Hosts,
  server: Server,
  primary: Server | undefined,
): Partial<Advised> & Pick<Advised, 'fix'> {
  const runs = hosts.get(server.name)?.data?.running === true;
  if (runs && primary)
    return {
      fix: `${server.name} and ${primary.name} both run as primary: stop the clients, keep copies of the data of both, and see docs/runbooks/two-primaries.md. Nothing is written on ${server.name} before it is known which of them goes on.`,
    };
  const hand = byHand(cluster, hosts, server, primary);
  if (!runs) return hand;
  return {
    fix: `See why no standby streams from it (its log, the log of the standby); once one does, the same command brings the directory back. ${hand.fix}`,
    commands: hand.commands,
  };
}

/** Who is sure whose data it is writes it down: the mark first, so that no controller starts without it. */
function byHand(cluster: Cluster, hosts: Hosts, server: Server, primary?: Server): Advised {
  const { postgres, multiplexing, name } = server;
  const system = hosts.get(name)?.data?.control?.systemIdentifier;
  const mark = `${multiplexing.managementDir}/${name}.state.json.torn`;
  const record = systemFile(placeOf(server));
  const behind = primary ? here`pgduet rebuild ${name}` : here`pgduet provision -i ${cluster.file}`;
  const note = primary
    ? `, which keeps what ${name} alone may hold`
    : '; its controller waits for the word of all others then';
  if (system === undefined)
    return {
      fix: `PostgreSQL's programs do not say whose data stands in ${postgres.dataDir}: install PostgreSQL ${postgres.version} there, then run the same command again.`,
      commands: [],
    };
  const write: Command = {
    ...asOwner(server, here`umask 077 && : > ${mark} && printf %s ${system} > ${record}`),
    onlyIf: `${postgres.dataDir} holds the data of this cluster, and ${primary ? 'it is no clone' : 'no other server leads'}`,
  };
  return advised`${remade(server)}; ${write}; then ${behind}${note}.`;
}

/** What is copied anew is moved aside, and nothing of it deleted. It is not started: it may be in the middle of a rebuild. */
function asideWay(hosts: Hosts, server: Server, primary: Server): Advised {
  const { name, postgres } = server;
  const spaces = (hosts.get(name)?.data?.tablespaces ?? []).filter((path) => path.startsWith('/'));
  const all = [postgres.dataDir, ...(postgres.walDir ? [postgres.walDir] : []), ...spaces];
  const moves = all.map((path) => sh`mv ${path} ${`${path}.lost`}`).join(' && ');
  const aside: Command = { on: name, run: moves, onlyIf: `${primary.name} is the primary, and whole` };
  // A server that the primary has had, and of which nothing is left, is a new one (ADR 22).
  const known = hosts.get(primary.name)?.record?.members.includes(name);
  const behind = known ? here`pgduet replace ${name}` : here`pgduet provision`;
  return advised`It does not run, and is not started: nobody can say whether a rebuild of it was under way. ${aside}; then ${behind}, which copies it anew from ${primary.name}.`;
}

const streamWay = (hosts: Hosts, server: Server, { name: primary }: Server): Advised =>
  advised`See why it does not stream from ${primary} (its log, primary_conninfo); once it does, the same command brings the directory back. Or stop it, ${service(hosts, server, 'stop')}, and run the same command again, which then says how it is copied anew.`;

/** It may be all that is left: nothing of it is moved or emptied. */
function lastWay(cluster: Cluster, hosts: Hosts, server: Server): Advised {
  const { name, postgres } = server;
  const program = `${postgres.binDir ? `${postgres.binDir}/` : ''}pg_ctl`;
  const down = cluster.servers.find((other) => leads(hosts.get(other.name)?.data));
  const lost = 'the primary is lost for good, and its host stays off';
  const start: Command = {
    ...asOwner(server, here`${program} start -w -D ${postgres.dataDir}`),
    onlyIf: `${lost}, and no rebuild of ${name} was under way`,
  };
  const promote: Command = {
    ...asOwner(server, here`${program} promote -w -D ${postgres.dataDir}`),
    onlyIf: lost,
  };
  const hand = byHand(cluster, hosts, server);
  const back = down
    ? advised`${service(hosts, down, 'start')} brings ${down.name}, the primary, back`
    : { fix: 'Bring the primary back', commands: [] };
  const running = hosts.get(name)?.data?.running === true;
  const forced = running
    ? advised`${promote}`
    : advised`end its controller (${service(hosts, server, 'stop')}), ${start}, then ${promote}`;
  return {
    fix: `No primary runs, and ${name} may be all that is left: nothing of it is moved or emptied. ${back.fix}; then run the same command again. Where that one is lost for good, commits may be missing, as behind any forced switch (docs/runbooks/lost-management-directory.md): ${forced.fix}; by hand: ${hand.fix} Use an inventory without the lost host there.`,
    commands: [...back.commands, ...forced.commands, ...hand.commands],
  };
}

/** What was seen of both ends. */
const streamWords = ({ servers }: Cluster, hosts: Hosts): readonly string[] =>
  servers.flatMap(({ name }) => {
    const { receiver, senders = [] } = hosts.get(name)?.streams ?? {};
    return [
      ...(receiver
        ? [`${name} receives from ${receiver.host}, port ${receiver.port}: ${receiver.status}`]
        : []),
      ...senders.map(
        (one) =>
          `${name} sends to ${one.name} at ${one.address ?? 'the socket'}: ${one.state ?? 'state unknown'}`,
      ),
    ];
  });
