/** Who is primary where a migration finds a pair that was there before, and which standbys are of it. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Cluster } from '../../src/inventory/cluster.ts';
import { standingSurvey, wasThere } from '../../src/observe/standing.ts';
import type { HostView } from '../../src/observe/survey.ts';
import { parseControlData } from '../../src/postgres/controldata.ts';
import type { DataDirectory } from '../../src/resources/data/data-directory.ts';
import { clusterOf, pairInventory } from './cluster.ts';

let pair: Cluster;
beforeAll(async () => {
  pair = await clusterOf(pairInventory);
});

function data(over: Partial<DataDirectory>, system = '7'): DataDirectory {
  const control = parseControlData(`Database system identifier: ${system}
Database cluster state: in production
Latest checkpoint location: 0/2000028
Latest checkpoint's TimeLineID: 1
Minimum recovery ending location: 0/0
Min recovery ending loc's timeline: 0
Data page checksum version: 1
`);
  if (!control) throw new Error('no control data');
  return { content: 'cluster', files: [], standbySignal: false, running: true, control, ...over };
}

const states = (): Readonly<Record<string, DataDirectory>> => ({
  nothing: { content: 'absent', files: [], standbySignal: false, running: false },
  single: data({}),
  stopped: data({ running: false }),
  follower: data({ standbySignal: true }),
  stranger: data({ standbySignal: true }, '8'),
  'primary of ours': data({ recorded: '7', before: 'primary' }),
  'standby of the pair': data({ recorded: '7', before: 'standby', standbySignal: true }),
  'copy of ours': data({ recorded: '7', standbySignal: true }),
  'left over': data({ recorded: '6', standbySignal: true }, '6'),
});

function found(first: string, second: string): string {
  const names = [first, second];
  const views = new Map<string, HostView>(
    pair.hosts.flatMap((host, index) => {
      const state = states()[names[index] ?? ''];
      return state ? [[host.name, { data: state }] as const] : [];
    }),
  );
  const seen = standingSurvey(pair, views);
  if ('refused' in seen) return seen.refused.code;
  const there = pair.servers.map(({ name }) => name).filter((name) => wasThere(seen.view, name));
  return `${seen.view.primary}${there.length > 0 ? `, followed by ${there.join(', ')}` : ''}`;
}

describe('what a migration finds', () => {
  it.each([
    ['a single server', 'single', 'nothing', 'server1'],
    ['a pair', 'single', 'follower', 'server1, followed by server2'],
    ['a pair whose primary is not the preferred one', 'follower', 'single', 'server2, followed by server1'],
    ['a pair that is half taken in', 'primary of ours', 'follower', 'server1, followed by server2'],
    ['a pair that is taken in', 'primary of ours', 'standby of the pair', 'server1, followed by server2'],
    ['one that pgduet has copied', 'primary of ours', 'copy of ours', 'server1'],
    ['a standby of another cluster', 'single', 'stranger', 'SAF004'],
    ['what an earlier cluster has left', 'single', 'left over', 'SAF004'],
    ['a primary that does not run', 'stopped', 'follower', 'SAF004'],
    ['two images of one server', 'single', 'single', 'server1'],
    ['standbys alone', 'follower', 'follower', 'SAF004'],
  ])('%s', (_title, first, second, wanted) => {
    expect(found(first, second)).toBe(wanted);
  });
});
