/** Orders and situations for tests of a rolling update. */
import type { Situation } from '../../src/rolling/next.ts';
import type { Order, Work } from '../../src/rolling/order.ts';
import { emptyRow } from '../../src/rolling/row.ts';

export const names = ['server2', 'server3', 'server1'];

/** server1 is primary, and gets its role back. */
export const orderFor = (work: Partial<Work>, more: Partial<Order> = {}): Order => ({
  format: 1,
  id: '0badcafe',
  cluster: 'shop',
  systemIdentifier: '7000',
  by: 'alice@desk',
  made: '2026-11-30T12:00:00.000Z',
  servers: names.map((name) => ({ name, machineId: `machine of ${name}` })),
  primary: 'server1',
  home: 'server1',
  to: null,
  work: { reboot: false, pause: false, ...work },
  expected: '30m',
  rebootMs: 60_000,
  agreed: { alone: false, rebuild: false, despite: [] },
  known: [],
  ...more,
});

export const situationFor = (order: Order, more: Partial<Situation> = {}): Situation => ({
  order,
  rows: new Map(order.servers.map(({ name }) => [name, emptyRow(order.id)])),
  primary: order.primary,
  out: new Set(),
  away: new Set(),
  held: new Set(),
  able: new Set(order.servers.map(({ name }) => name)),
  ...more,
});
