/** Who is primary for a look that goes on although a host is away, or shows little. */
import { beforeAll, describe, expect, it } from 'vitest';
import { rolesOf } from '../../src/check/roles.ts';
import type { Cluster } from '../../src/inventory/cluster.ts';
import type { HostView } from '../../src/observe/survey.ts';
import type { DataDirectory } from '../../src/resources/data/data-directory.ts';
import { clusterOf, pairInventory } from '../observe/cluster.ts';

let pair: Cluster;
beforeAll(async () => {
  pair = await clusterOf(pairInventory);
});

const data = (more: Partial<DataDirectory>): HostView => ({
  data: {
    content: 'cluster',
    files: [],
    version: 15,
    recorded: '77',
    standbySignal: false,
    running: true,
    ...more,
  },
});
const leads = data({});
const follows = data({ standbySignal: true });
/** Reached, and the login may not look into the data directory. */
const blind: HostView = {};

/** Undefined: not reached. The server's own word: true is a standby. */
function look(one: HostView | undefined, two: HostView | undefined, words: Record<string, boolean> = {}) {
  const hosts = new Map([
    ...(one ? [['server1', one] as const] : []),
    ...(two ? [['server2', two] as const] : []),
  ]);
  const { view, primary, refused } = rolesOf(pair, hosts, new Map(Object.entries(words)));
  return { compiled: view.primary, primary, refused: refused?.code, absent: [...(view.absent ?? [])] };
}

describe('the roles of a pair', () => {
  it.each([
    ['both are seen', leads, follows, {}, 'server1'],
    ['they are the other way round', follows, leads, {}, 'server2'],
    ['the standby is away', leads, undefined, {}, 'server1'],
    ['the standby may not be looked into', blind, leads, {}, 'server2'],
    [
      'neither may be looked into, and the servers tell',
      blind,
      blind,
      { server1: true, server2: false },
      'server2',
    ],
  ] as const)('are known when %s', (_, one, two, words, primary) => {
    expect(look(one, two, words)).toMatchObject({ primary, compiled: primary, refused: undefined });
  });

  it.each([
    ['the primary is away', undefined, follows, {}, 'server1'],
    ['the preferred standby is away', follows, undefined, {}, 'server2'],
    ['both are away', undefined, undefined, {}, 'server1'],
    ['one says that it is a standby, and the other nothing', blind, blind, { server1: true }, 'server2'],
  ] as const)('are guessed, and nobody is called primary, when %s', (_, one, two, words, likeliest) => {
    expect(look(one, two, words)).toMatchObject({ primary: undefined, compiled: likeliest });
  });

  it('are refused when two lead, or none of those that were all seen', () => {
    expect(look(leads, leads)).toMatchObject({ refused: 'SAF003', primary: undefined });
    expect(look(follows, follows)).toMatchObject({ refused: 'SAF004', primary: undefined });
  });

  it('leave out whoever is away, and nobody else', () => {
    expect(look(leads, undefined).absent).toEqual(['server2']);
    expect(look(leads, blind).absent).toEqual([]);
  });

  it('name the data of the cluster by what a reached server has recorded, so that a standby is not taken for a stranger', () => {
    const recorded = data({ standbySignal: true, recorded: '77' });
    const identifier = (two: HostView) =>
      rolesOf(pair, new Map([['server2', two]]), new Map()).view.systemIdentifier;
    expect(identifier(recorded)).toBe('77');
    expect(identifier(blind)).toBeUndefined();
  });
});
