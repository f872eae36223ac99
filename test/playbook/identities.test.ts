/** Whose public key is laid where (ADR 30): each comes from its own host, and what nobody sees stays as it stands. */
import { describe, expect, it } from 'vitest';
import { parseIdentities } from '../../src/base/identities.ts';
import type { Intent } from '../../src/intent/intent.ts';
import type { HostView, View } from '../../src/observe/survey.ts';
import { identitiesVariables } from '../../src/playbook/variables/identities.ts';
import { clusterOf, threeInventory } from '../observe/cluster.ts';

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
