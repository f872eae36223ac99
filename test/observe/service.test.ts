/** The command by which a person starts or stops a controller fits what starts services on its host. */
import { expect, it } from 'vitest';
import type { Server } from '../../src/inventory/cluster.ts';
import { lastPrimary } from '../../src/observe/last-primary.ts';
import { serviceCommand } from '../../src/observe/service.ts';
import type { HostView } from '../../src/observe/survey.ts';
import { clusterOf, pairInventory } from './cluster.ts';

const cluster = await clusterOf(pairInventory);
const [server] = cluster.servers as readonly [Server, ...Server[]];
const of = (manager: string): ReadonlyMap<string, HostView> =>
  new Map([[server.name, { facts: { serviceManager: manager } as never }]]);
const byHand = { on: 'server1', as: 'postgres', run: `mc_ctl start -M ${server.multiplexing.managementDir}` };

it.each([
  ['systemd', { on: 'server1', run: 'systemctl start mcoi_inst1' }],
  ['update-rc.d', { on: 'server1', run: '/etc/init.d/rc_mcoi_inst1 start' }],
  ['none', byHand],
])('by %s', (manager, command) => {
  expect(serviceCommand(server, of(manager), 'start')).toEqual(command);
});

it('by nothing where the inventory says so, and by systemd where the host was not seen', () => {
  const declared: Server = { ...server, host: { ...server.host, serviceManager: 'none' } };
  expect(serviceCommand(declared, of('systemd'), 'start')).toEqual(byHand);
  expect(serviceCommand(server, new Map(), 'stop').run).toBe('systemctl stop mcoi_inst1');
});

it('stands in what is said where nobody can tell who was primary last', () => {
  const found = lastPrimary(cluster, of('update-rc.d'));
  const fix = 'refused' in found ? found.refused.fix : '';
  expect(fix).toContain('/etc/init.d/rc_mcoi_inst1 start on server1; systemctl start mcoi_inst1 on server2');
});
