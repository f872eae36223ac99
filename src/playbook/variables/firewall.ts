/** The variables of the firewall (ADR 31): who reaches which port of a host, whom this host has to reach, and what stands in the way. Pure. */
import type { Situation } from '../../intent/intent.ts';
import { leftAlone } from '../../intent/maintenance.ts';
import { isIP } from '../../inventory/addresses.ts';
import { type Cluster, type Server, serverOn } from '../../inventory/cluster.ts';
import { networksOfRules } from '../../inventory/firewall.ts';
import { serviceManagerOn } from '../../observe/service.ts';
import type { View } from '../../observe/survey.ts';
import { adoptedVariables } from './single.ts';

export interface FirewallVariables {
  /** `on`, `none`, or empty: the inventory says nothing of it. */
  readonly state: 'on' | 'none' | '';
  /** Of the unit whose ports they are. */
  readonly name: string;
  /** By port: networks and addresses with blanks between them, or `all`. */
  readonly ports: Readonly<Record<string, string>>;
  /** It is taken away: the inventory says so, or the cluster goes. */
  readonly goes: boolean;
  /** Why it cannot be as declared. */
  readonly problem: string;
  /** Ports of others that have to be reached through their firewalls, each as PORT@ADDRESS. */
  readonly reaches: readonly string[];
  /** What all tables of the cluster say. */
  readonly tables: string;
}

export function firewallVariables(situation: Situation, host: string): FirewallVariables {
  const { cluster } = situation;
  const server = serverOn(cluster, host);
  const by = cluster.firewall?.by;
  return {
    state: by === 'nftables' ? 'on' : (by ?? ''),
    name: server?.unit ?? cluster.arbiter?.unit ?? '',
    ports: server ? portsOf(cluster, server) : arbiterPorts(cluster),
    goes: by === 'none' || situation.intent.kind === 'teardown',
    problem: by === 'nftables' ? problemOf(situation, host, server) : '',
    reaches: reachesOf(situation, host),
    tables: tablesText(cluster),
  };
}

/** Every address that a server may come from; the job address may be a name. */
const serverSources = ({ servers, firewall }: Cluster): readonly string[] => [
  ...new Set([
    ...servers.flatMap(({ host, adminAddress, logTransferAddress }) =>
      [host.address, adminAddress, logTransferAddress].filter((address) => isIP(address) !== 0),
    ),
    ...(firewall?.servers ?? []),
  ]),
];

function portsOf(cluster: Cluster, { postgres, multiplexing }: Server): Readonly<Record<string, string>> {
  const servers = serverSources(cluster);
  const clients = cluster.firewall?.clients ?? networksOfRules(postgres.hba);
  return {
    [postgres.port]:
      clients === 'all' ? 'all' : [...new Set([...servers, ...clients.filter(isNumeric)])].join(' '),
    [multiplexing.port]: servers.join(' '),
  };
}

/** Where the inventory declares no firewall, rules with names are none of its mistakes. */
const isNumeric = (text: string): boolean => isIP(text.split('/')[0] ?? '') !== 0;

const arbiterPorts = (cluster: Cluster): Readonly<Record<string, string>> =>
  cluster.arbiter ? { [cluster.arbiter.port]: serverSources(cluster).join(' ') } : {};

const tablesText = (cluster: Cluster): string =>
  JSON.stringify([
    ...cluster.servers.map((each) => [each.name, portsOf(cluster, each)]),
    arbiterPorts(cluster),
  ]);

function problemOf({ cluster, view }: Situation, name: string, server: Server | undefined): string {
  const host = cluster.hosts.find((each) => each.name === name);
  // Who is not root cannot look, and says so.
  if (host?.privileged && serviceManagerOn(host, view.hosts) !== 'systemd')
    return 'the host has no systemd, which takes a trial back and loads the rules at boot';
  if (server && !cluster.firewall?.clients && wasThereBefore(view, server))
    return 'the server was there before pgduet, and has client rules that the inventory does not know; write firewall.clients with the networks of all its clients';
  return '';
}

const wasThereBefore = (view: View, { name }: Server): boolean => adoptedVariables(view, name).phase !== '';

/** Who is away, or in maintenance, has the table that it had. Who runs on this machine is reached by loopback. */
function reachesOf({ cluster, view, intent }: Situation, host: string): readonly string[] {
  const out = [...leftAlone(intent, view), ...(view.absent ?? [])];
  const others = cluster.servers.filter(({ name }) => name !== host && !out.includes(name));
  const { arbiter } = cluster;
  return [
    ...others.flatMap(({ adminAddress, logTransferAddress, postgres, multiplexing }) => [
      `${multiplexing.port}@${adminAddress}`,
      `${postgres.port}@${logTransferAddress}`,
    ]),
    ...(arbiter && arbiter.name !== host && !out.includes(arbiter.name)
      ? [`${arbiter.port}@${arbiter.adminAddress}`]
      : []),
  ];
}
