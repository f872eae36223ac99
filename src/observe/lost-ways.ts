/**
 * What is to be done about a management directory that is lost (ADR 25): `provision` brings it back where another server vouches for the data, and
 * everything else is up to a person. In: what the hosts show. Out: a refusal with what was seen and the way on, or nothing. Pure.
 */
import { type Advised, advised, type Command, commandWords, here, onHost } from '../base/command.ts';
import type { Diagnostic } from '../base/diagnostic.ts';
import { sh } from '../base/shell.ts';
import type { Cluster, Server } from '../inventory/cluster.ts';
import { binDirCandidates } from '../postgres/bindirs.ts';
import { walNumber } from '../postgres/controldata.ts';
import { isFinished, lacksDirectory, leads, systemFile } from '../resources/data/data-directory.ts';
import { beforeFile, unitOfDropIn } from '../resources/data/record.ts';
import { serviceCommand } from './service.ts';
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
  const { directoryAway: away, directoryLink: link } = view?.data ?? {};
  if (away !== undefined) return link === undefined ? isAway(server, away) : isBehindLink(server, away, link);
  if (wasThere(server, view)) return withoutRecord(cluster, hosts, server);
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

const isAway = ({ name, multiplexing }: Server, seen: string): Diagnostic => ({
  code: 'SAF008',
  what: `the management directory of ${name} is not there: ${seen}`,
  why: 'what stands on that file system says whose data this is, and what the controller has promised; a directory made in its place would be covered when it comes back',
  fix: `Mount it, then run the same command again. If it is gone for good, remove what says that it is to be there: its line of /etc/fstab (then systemctl daemon-reload), its unit, or an empty directory ${multiplexing.managementDir} that is not the administrator's.`,
  host: name,
});

/** It is made anew in its own place alone. The link itself holds nothing. */
function isBehindLink({ name }: Server, seen: string, link: string): Diagnostic {
  const remove: Command = {
    ...onHost(name)`rm ${link}`,
    onlyIf: 'what it led to is gone for good',
  };
  return {
    code: 'SAF008',
    what: `the management directory of ${name} is not there: ${seen}`,
    why: 'what stood behind the link says whose data this is, and what the controller has promised; pgduet follows no link to make it anew, since another user may have made that',
    ...advised`Mount what the link leads to, or move it back, then run the same command again. Or, ${remove}; then ${here`pgduet provision`} makes the directory anew in its own place, or says what is in the way.`,
    host: name,
  };
}

function withoutRecord(cluster: Cluster, hosts: Hosts, server: Server): Diagnostic {
  const file = beforeFile(placeOf(server));
  const restored = advised`${remade(server)}; put ${file} there from a backup, the administrator's, and nothing else from that backup; then run the same command again.`;
  const given: readonly Command[] = (hosts.get(server.name)?.data?.dropIns ?? []).map((path) => ({
    ...offBoot(server.name, unitOfDropIn(path), path),
    onlyIf: 'its way back is given up',
  }));
  const hand = byHand(cluster, hosts, server, {
    onlyIf: `its way back is given up, and ${server.postgres.dataDir} holds the data of this cluster`,
  });
  return {
    code: 'SAF085',
    what: `the management directory of ${server.name} is lost, and with it the record of what the server was before pgduet (${file})`,
    why: 'made anew without it, a later teardown would take the server for one that pgduet has made, and delete its data',
    fix: `${restored.fix} Or, where there is no backup, its way back is given up: ${[...given.map(commandWords), hand.fix].join('; ')}`,
    commands: [...restored.commands, ...given, ...hand.commands],
    host: server.name,
  };
}

/** Its former unit starts nothing beside the controller; a unit whose file stands where it would be masked is moved aside. */
function offBoot(host: string, unit: string, dropIn: string): Command {
  const file = `/etc/systemd/system/${unit}`;
  return onHost(
    host,
  )`if [ -f ${file} ] && [ ! -L ${file} ]; then mv -nT ${file} ${`${file}.before-pgduet`}; else systemctl mask ${unit}; fi && rm ${dropIn} && systemctl daemon-reload`;
}

/**
 * One of them by hand: the one that leads, if there is one. It vouches for the other then. Of standbys alone the one that reaches furthest. What may only not be
 * mounted comes before any of that.
 */
function severalWays(
  cluster: Cluster,
  hosts: Hosts,
  lost: readonly Server[],
  server: Server,
): Partial<Advised> & Pick<Advised, 'fix'> {
  const leading = lost.filter(({ name }) => hosts.get(name)?.data?.standbySignal === false);
  const away = lost.find(({ name }) => hosts.get(name)?.data?.directoryAway !== undefined);
  const stranger = strangeLeader(cluster, hosts);
  if (away)
    return {
      fix: `First that of ${away.name}, as is said there; then the same command again, which names what is left, or brings it back.`,
    };
  if (runningPrimary(cluster, hosts, lost)) return besideWhole(cluster, hosts, lost, server);
  if (stranger) return besideStranger(stranger);
  if (leading.length === 0 && wholeStandby(cluster, hosts)) return wayOf(cluster, hosts, server);
  const down = downPrimary(cluster, hosts);
  if (leading.length === 0 && down)
    return advised`No primary runs, and nothing of ${server.name} is moved or emptied. ${serviceCommand(down, hosts, 'start')} brings ${down.name}, the primary, back; then run the same command again. Where that one is lost for good run it by an inventory without its host.`;
  if (leading.length > 1)
    return {
      fix: `${leading.map(({ name }) => name).join(' and ')} lead both: keep copies of the data of both, and see docs/runbooks/two-primaries.md. Nothing is written there before it is known which of them goes on.`,
    };
  const first = leading[0] ?? furthest(hosts, lost) ?? server;
  if (first === server) return byHand(cluster, hosts, server);
  return {
    fix:
      leading.length > 0
        ? `First the directory of ${first.name}, by hand, as is said there; ${first.name} then vouches for ${server.name} while that streams, and the same command brings it back.`
        : `First the directory of ${first.name}, by hand, as is said there: it reaches furthest, as far as the files say it. Then the same command again, which names what is left.`,
  };
}

/** Whose data is known to reach furthest; the first of several. */
const furthest = (hosts: Hosts, servers: readonly Server[]): Server | undefined =>
  servers.reduce<Server | undefined>(
    (best, one) => (best && !isAhead(hosts, one, best) ? best : one),
    undefined,
  );

function isAhead(hosts: Hosts, one: Server, other: Server): boolean {
  const [mine, theirs] = [one, other].map(({ name }) => hosts.get(name)?.data?.control?.reached);
  if (!mine || !theirs) return mine !== undefined;
  return mine.timeline === theirs.timeline
    ? walNumber(mine.position) > walNumber(theirs.position)
    : mine.timeline > theirs.timeline;
}

/** It runs, follows nobody, and nothing says that it is of this cluster, nor that it has lost what said so: it may be the primary. */
const strangeLeader = ({ servers }: Cluster, hosts: Hosts): Server | undefined =>
  servers.find(({ name }) => {
    const data = hosts.get(name)?.data;
    return data?.running && !data.standbySignal && !leads(data) && !lacksDirectory(data);
  });

const besideStranger = ({ name, multiplexing }: Server): Pick<Advised, 'fix'> => ({
  fix: `${name} runs as primary, and ${multiplexing.managementDir} does not say that it is of this cluster: nothing is written, moved or made primary beside it. Bring back what says so, or what tells that it is none of this cluster; then run the same command again.`,
});

/** A whole primary runs: one that streams with it is written down by hand, and the others need nobody's hand then. */
function besideWhole(
  cluster: Cluster,
  hosts: Hosts,
  lost: readonly Server[],
  server: Server,
): Partial<Advised> & Pick<Advised, 'fix'> {
  const { vouched } = vouchedFor(cluster, hosts);
  const by = vouched?.get(server.name)?.by;
  if (by === undefined) return wayOf(cluster, hosts, server);
  const first = lost.find(({ name }) => vouched?.has(name)) ?? server;
  return first === server
    ? byHand(cluster, hosts, server, { onlyIf: `it streams with ${by}, and ${by} is whole` })
    : {
        fix: `First the directory of ${first.name}, by hand, as is said there; then the same command again, which names what is left, or brings it back.`,
      };
}

function wayOf(cluster: Cluster, hosts: Hosts, server: Server): Partial<Advised> & Pick<Advised, 'fix'> {
  const data = hosts.get(server.name)?.data;
  const primary = runningPrimary(cluster, hosts, [server]);
  const stranger = strangeLeader(cluster, hosts);
  if (!primary && stranger) return besideStranger(stranger);
  if (data?.standbySignal === false) return leaderWay(cluster, hosts, server, primary);
  const whole = wholeStandby(cluster, hosts);
  if (!primary) return whole ? behindWhole(cluster, hosts, server, whole) : lastWay(cluster, hosts, server);
  return data?.running ? streamWay(hosts, server, primary) : asideWay(hosts, server, primary);
}

const runningPrimary = ({ servers }: Cluster, hosts: Hosts, but: readonly Server[]): Server | undefined =>
  servers.find((one) => {
    const data = hosts.get(one.name)?.data;
    return !but.includes(one) && leads(data) && data?.running;
  });

/** A standby whose directory and data are whole: it may hold what a lost one lacks. Of several the one that reaches furthest. */
const wholeStandby = ({ servers }: Cluster, hosts: Hosts): Server | undefined =>
  furthest(
    hosts,
    servers.filter(({ name }) => {
      const data = hosts.get(name)?.data;
      return isFinished(data) && !lacksDirectory(data) && data?.recorded !== undefined && data.standbySignal;
    }),
  );

/** No primary runs, and another standby is whole: the lost one is no candidate. The whole one is none either where the lost one reaches further. */
function behindWhole(
  cluster: Cluster,
  hosts: Hosts,
  server: Server,
  whole: Server,
): Partial<Advised> & Pick<Advised, 'fix'> {
  const { name } = server;
  const down = downPrimary(cluster, hosts);
  const back = down
    ? advised`${serviceCommand(down, hosts, 'start')} brings ${down.name}, the primary, back`
    : { fix: 'Bring the primary back', commands: [] };
  if (isAhead(hosts, server, whole)) {
    const hand = byHand(cluster, hosts, server);
    return {
      fix: `No primary runs. Make neither ${name} nor ${whole.name} primary: ${name} reaches further, as far as the files say it. ${back.fix}; then run the same command again. Where the primary is lost for good, by hand: ${hand.fix} Then pgduet status shows which of them is ahead.`,
      commands: [...back.commands, ...hand.commands],
    };
  }
  const forced: Command = {
    ...asOwner(whole, here`mc_ctl switch --force`),
    onlyIf: 'the primary is lost for good, and its host stays off',
  };
  const other = advised`${forced} makes ${whole.name} primary, whose directory is whole`;
  return {
    fix: `No primary runs. Make none of ${name}: ${whole.name} may hold what ${name} lacks. ${back.fix}. ${other.fix}. Then run the same command again.`,
    commands: [...back.commands, ...other.commands],
  };
}

const downPrimary = ({ servers }: Cluster, hosts: Hosts): Server | undefined =>
  servers.find((other) => leads(hosts.get(other.name)?.data));

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
  const hand = byHand(cluster, hosts, server, primary ? { primary } : {});
  if (!runs) return hand;
  return {
    fix: `See why no standby streams from it (its log, the log of the standby); once one does, the same command brings the directory back. ${hand.fix}`,
    commands: hand.commands,
  };
}

/** Who is sure whose data it is writes it down: the mark first, so that no controller starts without it. */
function byHand(
  cluster: Cluster,
  hosts: Hosts,
  server: Server,
  { primary, onlyIf }: { readonly primary?: Server; readonly onlyIf?: string } = {},
): Advised {
  const { postgres, multiplexing, name } = server;
  const system = hosts.get(name)?.data?.control?.systemIdentifier;
  // It leads as well, and does not run: which of both goes on is decided once both are known.
  const other = hosts.get(name)?.data?.standbySignal === false ? downPrimary(cluster, hosts) : undefined;
  const mark = `${multiplexing.managementDir}/${name}.state.json.torn`;
  const record = systemFile(placeOf(server));
  const isSplit = !primary && other !== undefined && hosts.get(name)?.data?.running === false;
  const behind = primary
    ? here`pgduet rebuild ${name}`
    : isSplit
      ? here`pgduet recover -i ${cluster.file}`
      : here`pgduet provision -i ${cluster.file}`;
  const note = primary
    ? `, which keeps what ${name} alone may hold`
    : isSplit
      ? `, which tells whether ${name} or ${other.name} is the one that goes on`
      : '; its controller waits for the word of all others then';
  if (system === undefined)
    return {
      fix: `PostgreSQL's programs do not say whose data stands in ${postgres.dataDir}: install PostgreSQL ${postgres.version} there, then run the same command again.`,
      commands: [],
    };
  const write: Command = {
    ...asOwner(server, here`umask 077 && : > ${mark} && printf %s ${system} > ${record}`),
    onlyIf:
      onlyIf ??
      `${postgres.dataDir} holds the data of this cluster, and ${primary || other ? 'it is no clone' : 'no other server leads'}`,
  };
  return advised`${remade(server)}; ${write}; then ${behind}${note}.`;
}

/** What is copied anew is moved aside, and nothing of it deleted. It is not started: it may be in the middle of a rebuild. */
function asideWay(hosts: Hosts, server: Server, primary: Server): Advised {
  const { name, postgres } = server;
  const spaces = (hosts.get(name)?.data?.tablespaces ?? []).filter((path) => path.startsWith('/'));
  const all = [postgres.dataDir, ...(postgres.walDir ? [postgres.walDir] : []), ...spaces];
  const moves = all
    .map((path) => sh`[ ! -e ${`${path}.lost`} ] && mv -T ${path} ${`${path}.lost`}`)
    .join(' && ');
  const aside: Command = { on: name, run: moves, onlyIf: `${primary.name} is the primary, and whole` };
  // A server that the primary has had, and of which nothing is left, is a new one (ADR 22).
  const known = hosts.get(primary.name)?.record?.members.includes(name);
  const behind = known ? here`pgduet replace ${name}` : here`pgduet provision`;
  return advised`It does not run, and is not started: nobody can say whether a rebuild of it was under way. ${serviceCommand(server, hosts, 'stop')} ends its controller; ${aside}; then ${behind}, which copies it anew from ${primary.name}.`;
}

const streamWay = (hosts: Hosts, server: Server, { name: primary }: Server): Advised =>
  advised`See why it does not stream from ${primary} (its log, primary_conninfo); once it does, the same command brings the directory back. Or stop it, ${serviceCommand(server, hosts, 'stop')}, and run the same command again, which then says how it is copied anew.`;

/** It may be all that is left: nothing of it is moved or emptied. */
function lastWay(cluster: Cluster, hosts: Hosts, server: Server): Advised {
  const { name, postgres } = server;
  const path = postgres.binDir ? [postgres.binDir] : binDirCandidates(postgres.version);
  const found = `${sh`PATH=${path.join(':')}`}:"$PATH"`;
  const down = downPrimary(cluster, hosts);
  const lost = 'the primary is lost for good, and its host stays off';
  const start: Command = {
    ...asOwner(server, {
      on: null,
      run: `${found} ${sh`pg_ctl start -w -D ${postgres.dataDir} -l /dev/null`}`,
    }),
    onlyIf: `${lost}, and no rebuild of ${name} was under way`,
  };
  const promote: Command = {
    ...asOwner(server, { on: null, run: `${found} ${sh`pg_ctl promote -w -D ${postgres.dataDir}`}` }),
    onlyIf: lost,
  };
  const hand = byHand(cluster, hosts, server);
  const back = down
    ? advised`${serviceCommand(down, hosts, 'start')} brings ${down.name}, the primary, back`
    : { fix: 'Bring the primary back', commands: [] };
  const running = hosts.get(name)?.data?.running === true;
  const forced = running
    ? advised`${promote}`
    : advised`end its controller (${serviceCommand(server, hosts, 'stop')}), ${start}, then ${promote}`;
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
