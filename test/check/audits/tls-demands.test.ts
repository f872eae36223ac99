/** Who follows by TLS a server that offers none, and what holds it up that TLS is demanded. */
import { expect, it } from 'vitest';
import { tlsDemands } from '../../../src/check/audits/tls-demands.ts';
import { clusterOf, pairInventory, threeInventory } from '../../observe/cluster.ts';
import { contextOf, pair, reply, tell } from './context.ts';

const says = (offers: boolean, demands: boolean) => reply({ offers, demands });
const told = (one: object, two: object) =>
  tell(tlsDemands, { server1: reply(one), server2: reply(two) }).map(
    ({ code, host, declared }) => `${code} ${host} ${declared}`,
  );

it('is nothing where nobody demands it, or all offer it', () => {
  for (const offers of [true, false])
    expect(told({ offers, demands: false }, { offers, demands: false })).toEqual([]);
  expect(told({ offers: true, demands: false }, { offers: true, demands: true })).toEqual([]);
});

it('is a server that offers none, and is followed by it', () => {
  expect(told({ offers: false, demands: false }, { offers: true, demands: true })).toEqual([
    'TLS040 server1 on: server2 follows by TLS',
  ]);
  // Its own word does not count against it.
  expect(told({ offers: true, demands: false }, { offers: false, demands: true })).toEqual([]);
});

it('asks only where the inventory says nothing of TLS', async () => {
  const on = await clusterOf(
    pairInventory.replace('data_dir: /database/inst1', 'data_dir: /database/inst1, tls: generated'),
  );
  expect(on.servers.map((server) => tlsDemands.probe(server, on))).toEqual([{}, {}]);
  expect(pair.servers.every((server) => tlsDemands.probe(server, pair).sql !== undefined)).toBe(true);
  expect(
    tell(tlsDemands, { server1: says(false, false), server2: says(true, true) }, { cluster: on }),
  ).toEqual([]);
});

it('says who holds it up, as long as a standby does not verify', async () => {
  const cluster = await clusterOf(
    threeInventory.replace('data_dir: /database/inst1', 'data_dir: /database/inst1, tls: generated'),
  );
  const { view, ...rest } = contextOf({ cluster });
  const verifies = (yes: boolean) => new Map([...view.hosts, ['server2', { verifies: yes }] as const]);
  const seen = (over: object) =>
    tlsDemands
      .judge({ ...rest, view: { ...view, ...over } }, new Map())
      .map(({ code, found }) => `${code} ${found}`);
  const absent = new Map([['server3', []]]);
  expect(seen({ hosts: verifies(false), absent })).toEqual([
    'TLS041 not yet: server3 is away, and was not seen to offer TLS; who verifies could not follow it',
  ]);
  expect(seen({ hosts: verifies(true), absent })).toEqual([]);
  expect(seen({ hosts: verifies(false) })).toEqual([]);
  const none = new Map([...verifies(false), ['server3', { tls: { nowMs: 0, served: 'none' } }] as const]);
  expect(seen({ hosts: none, maintained: new Map([['server3', {}]]) })).toEqual([
    'TLS041 not yet: server3 is in maintenance, and offers no TLS; who verifies could not follow it',
  ]);
  expect(seen({ hosts: none })).toEqual([]);
});
