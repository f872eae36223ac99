/**
 * How a person starts and stops the controller of a server, and with it the instance: by what starts services on its host. In: the server and what the hosts
 * show. Out: a command. Pure.
 */
import { type Command, here, onHost } from '../base/command.ts';
import { initScriptFile, initScriptOf, type ServiceManager } from '../base/service-managers.ts';
import type { Host, Server } from '../inventory/cluster.ts';
import type { HostView } from './survey.ts';

type Hosts = ReadonlyMap<string, HostView>;

/** What starts services on the host, as far as pgduet may tell it. Of a host that was not seen yet systemd is supposed. */
export const serviceManagerOn = (host: Host, hosts: Hosts): ServiceManager =>
  host.privileged
    ? (host.serviceManager ?? hosts.get(host.name)?.facts?.serviceManager ?? 'systemd')
    : 'none';

export function serviceCommand(server: Server, hosts: Hosts, word: 'start' | 'stop'): Command {
  const { name, unit, host, multiplexing, postgres } = server;
  const manager = serviceManagerOn(host, hosts);
  if (manager === 'systemd') return onHost(name)`systemctl ${word} ${unit}`;
  if (manager !== 'none') return onHost(name)`${initScriptFile(initScriptOf(unit))} ${word}`;
  return { ...here`mc_ctl ${word} -M ${multiplexing.managementDir}`, on: name, as: postgres.owner };
}
