/** Who is primary at a teardown, also where the management directories are gone already. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Cluster } from '../../src/inventory/cluster.ts';
import { keptSurvey } from '../../src/observe/kept.ts';
import type { HostView } from '../../src/observe/survey.ts';
import type { DataDirectory } from '../../src/resources/data/data-directory.ts';
import { clusterOf, pairInventory } from './cluster.ts';

let pair: Cluster;
beforeAll(async () => {
  pair = await clusterOf(pairInventory);
});

const data = (over: Partial<DataDirectory>): DataDirectory => ({
  content: 'cluster',
  files: [],
  standbySignal: false,
  running: true,
  recorded: '7',
  ...over,
});
const { recorded: _, ...unrecorded } = data({});
const states: Readonly<Record<string, DataDirectory>> = {
  nothing: { content: 'absent', files: [], standbySignal: false, running: false },
  primary: data({}),
  standby: data({ standbySignal: true }),
  single: unrecorded,
  stopped: { ...unrecorded, running: false },
  leftover: { ...unrecorded, running: false, standbySignal: true },
  erasing: data({ making: 'erase', running: false, standbySignal: true }),
};

function look(first: string, second: string, keep?: string, allData = false): string {
  const names = [first, second];
  const views = new Map<string, HostView>(
    pair.hosts.flatMap((host, index) => {
      const state = states[names[index] ?? ''];
      return state ? [[host.name, { data: state }] as const] : [];
    }),
  );
  const found = keptSurvey({ allData, ...(keep ? { keep } : {}) }, pair, views);
  return 'refused' in found ? found.refused.code : found.view.primary;
}

describe('who is primary at a teardown', () => {
  it.each([
    ['a whole pair', 'primary', 'standby', 'server1'],
    ['a pair whose roles are switched', 'standby', 'primary', 'server2'],
    ['two primaries', 'primary', 'primary', 'SAF003'],
    ['data that is being deleted', 'erasing', 'primary', 'server2'],
    ['one that is single already', 'nothing', 'single', 'server2'],
    ['one that is single, and stopped', 'nothing', 'stopped', 'server2'],
    ['one that is single, and the other has come back', 'standby', 'single', 'server2'],
    ['one that is single, and data that was left', 'leftover', 'single', 'server2'],
    ['standbys alone', 'standby', 'standby', 'SAF021'],
    ['a lost primary', 'not reached', 'standby', 'SAF021'],
    ['a lost standby', 'primary', 'not reached', 'server1'],
    ['nothing anywhere', 'nothing', 'nothing', 'server1'],
    ['nothing on the one that answers', 'not reached', 'nothing', 'SAF021'],
    ['nobody that answers', 'not reached', 'not reached', 'SAF021'],
  ])('with %s', (_title, first, second, found) => {
    expect(look(first, second)).toBe(found);
  });

  it('follows --keep where two are single, and refuses one that is not reached', () => {
    expect(look('single', 'single', 'server2')).toBe('server2');
    expect(look('primary', 'not reached', 'server2')).toBe('SAF021');
  });

  it('refuses nothing where all goes', () => {
    expect(look('standby', 'standby', undefined, true)).toBe('server1');
    expect(look('stopped', 'primary', undefined, true)).toBe('server2');
    expect(look('not reached', 'not reached', undefined, true)).toBe('SAF021');
  });
});
