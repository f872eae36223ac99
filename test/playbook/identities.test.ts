/** Whose public key is laid where (ADR 30): each comes from its own host, and what nobody sees stays as it stands. */
import { describe, expect, it } from 'vitest';
import { parseIdentities } from '../../src/base/identities.ts';
import type { Intent } from '../../src/intent/intent.ts';
import type { HostView, View } from '../../src/observe/survey.ts';
import { arbiterIdentities, identitiesVariables } from '../../src/playbook/variables/identities.ts';
import { arbiterInventory, clusterOf, threeInventory } from '../observe/cluster.ts';

const provision: Intent = { kind: 'provision' };

async function on(
  name: string,
  hosts: Readonly<Record<string, HostView>>,
  over: Partial<View> = {},
): Promise<{ readonly laid: unknown; readonly peers: readonly string[] }> {
  const cluster = await clusterOf(threeInventory);
  const server = cluster.servers.find((it) => it.name === name);
  if (!server) throw new Error(name);
  const view = { hosts: new Map(Object.entries(hosts)), primary: 'server1', ...over };
  const { text, peers } = identitiesVariables({ cluster, view, intent: provision }, server);
  return { laid: parseIdentities(text), peers };
}

describe('the keys of the controllers', () => {
  const all = {
    server1: { identity: 'one' },
    server2: { identity: 'two' },
    server3: { identity: 'three' },
  };
  const laid = { server1: 'one', server2: 'two', server3: 'three' };

  it('are laid on each server, which waits for all others', async () => {
    expect(await on('server1', all)).toEqual({ laid, peers: ['server2', 'server3'] });
    expect(await on('server3', all)).toEqual({ laid, peers: ['server1', 'server2'] });
  });

  it('are none before one was made: nobody is waited for', async () => {
    expect(await on('server1', { server1: {}, server2: {}, server3: {} })).toEqual({ laid: {}, peers: [] });
    expect((await on('server1', { ...all, server1: {} })).peers).toEqual([]);
  });

  it('a host that is not seen keeps its entry on each host as it stands there', async () => {
    const absent = new Set(['server3']);
    const hosts = {
      server1: { identity: 'one', identities: { server3: 'three', server2: 'former' } },
      server2: { identity: 'two', identities: { server3: 'another' } },
    };
    expect(await on('server1', hosts, { absent })).toEqual({ laid, peers: ['server2'] });
    expect((await on('server2', hosts, { absent })).laid).toEqual({ ...laid, server3: 'another' });
  });

  it('what one host says of another one is not spread', async () => {
    const hosts = {
      server1: { identity: 'one' },
      server2: { identity: 'two', identities: { server1: 'forged' } },
    };
    expect((await on('server2', hosts)).laid).toEqual({ server1: 'one', server2: 'two' });
    expect((await on('server1', { server2: hosts.server2 })).laid).toEqual({ server2: 'two' });
  });

  it('nobody waits for a server in maintenance, or one that a person has stopped', async () => {
    const seen = { number: 1, by: 'alice', since: '2026-11-30T10:00:00.000Z', until: null, reason: 'disks' };
    const maintained = new Map([['server2', seen]]);
    expect(await on('server1', all, { maintained })).toEqual({ laid, peers: ['server3'] });
    const stopped = { by: 'alice', since: '2026-11-30T10:00:00.000Z' } as never;
    expect(await on('server1', { ...all, server3: { ...all.server3, stopped } })).toEqual({
      laid,
      peers: ['server2'],
    });
  });
});

describe('the keys of an arbiter and its servers', () => {
  const all = { server1: { identity: 'one' }, server2: { identity: 'two' }, arb1: { identity: 'arb' } };

  async function seen(hosts: Readonly<Record<string, HostView>>, over: Partial<View> = {}) {
    const cluster = await clusterOf(arbiterInventory);
    const [server] = cluster.servers;
    if (!server) throw new Error('no server');
    const view = { hosts: new Map(Object.entries(hosts)), primary: 'server1', ...over };
    const { text, peers, arbiter } = identitiesVariables({ cluster, view, intent: provision }, server);
    return {
      onServer: parseIdentities(text),
      onArbiter: parseIdentities(arbiterIdentities(cluster, view)),
      waitsFor: { peers, arbiter },
    };
  }

  it('are laid on both sides, and the arbiter is waited for', async () => {
    expect(await seen(all)).toEqual({
      onServer: { server1: 'one', server2: 'two', arb1: 'arb' },
      onArbiter: { server1: 'one', server2: 'two' },
      waitsFor: { peers: ['server2'], arbiter: 'arb1' },
    });
  });

  it('an arbiter that is away keeps its entry, and is not waited for', async () => {
    const hosts = { ...all, server1: { identity: 'one', identities: { arb1: 'arb' } }, arb1: {} };
    const absent = new Set(['arb1']);
    expect(await seen(hosts, { absent })).toMatchObject({
      onServer: { server1: 'one', server2: 'two', arb1: 'arb' },
      waitsFor: { peers: ['server2'], arbiter: '' },
    });
  });

  it('a server that is away keeps its entry on the arbiter, as it stands there alone', async () => {
    const arb1 = { identity: 'arb', identities: { server2: 'two', server1: 'former' } };
    const server1 = { identity: 'one', identities: { server2: 'another' } };
    const { onArbiter, onServer } = await seen({ server1, arb1 }, { absent: new Set(['server2']) });
    expect(onArbiter).toEqual({ server1: 'one', server2: 'two' });
    expect(onServer).toEqual({ server1: 'one', server2: 'another', arb1: 'arb' });
  });

  it('an arbiter without a key is not waited for, nor by a server without one', async () => {
    expect((await seen({ ...all, arb1: {} })).waitsFor).toEqual({ peers: ['server2'], arbiter: '' });
    expect((await seen({ ...all, server1: {} })).waitsFor).toEqual({ peers: [], arbiter: '' });
  });
});
