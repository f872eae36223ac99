/** What a teardown may not do to a pair that was there before, and in which roles it comes back. */
import { describe, expect, it } from 'vitest';
import type { TeardownIntent } from '../../src/intent/intent.ts';
import { formerPrimary, pairObstacle } from '../../src/intent/pairs.ts';
import { surveyFor } from '../../src/intent/roles.ts';
import { lostRecord } from '../../src/intent/teardown.ts';
import type { Cluster } from '../../src/inventory/cluster.ts';
import type { View } from '../../src/observe/survey.ts';
import type { DataDirectory } from '../../src/resources/data/data-directory.ts';

const server = (over: Partial<DataDirectory>) => ({
  data: { content: 'cluster', files: [], standbySignal: false, running: true, ...over } as DataDirectory,
});
const was = (before: 'primary' | 'standby' | 'single') => server({ recorded: '7', before });
const viewOf = (hosts: Readonly<Record<string, ReturnType<typeof server>>>): View => ({
  hosts: new Map(Object.entries(hosts)),
  primary: 'server2',
});
const intent = (over: Partial<TeardownIntent> = {}): TeardownIntent => ({
  kind: 'teardown',
  keepData: false,
  allData: false,
  controllersOnly: false,
  moved: false,
  ...over,
});
const pair = viewOf({ server1: was('primary'), server2: was('standby') });

describe('a pair that was there before', () => {
  it('comes back in its former roles, whoever is primary now', () => {
    expect(formerPrimary(pair)).toBe('server1');
    expect(formerPrimary(viewOf({ server1: was('single'), server2: server({}) }))).toBeUndefined();
  });

  it.each([
    ['is not deleted', pair, intent(), 'SAF081'],
    ['is not deleted with the whole cluster', pair, intent({ allData: true }), 'SAF081'],
    [
      'is not deleted where the migration has not come to its standby',
      viewOf({ server1: was('primary'), server2: server({ standbySignal: true }) }),
      intent({ keep: 'server1' }),
      'SAF081',
    ],
    [
      'is no matter of what an earlier teardown has left, and does not run',
      viewOf({
        server1: server({ recorded: '7' }),
        server2: server({ standbySignal: true, running: false }),
      }),
      intent({ keep: 'server1' }),
      undefined,
    ],
    ['is left where it is', pair, intent({ keepData: true }), undefined],
    ['is given back', pair, intent({ controllersOnly: true }), undefined],
    [
      'is not given back beside one that has no record',
      viewOf({ server1: was('primary'), server2: server({ recorded: '7', standbySignal: true }) }),
      intent({ controllersOnly: true }),
      'SAF082',
    ],
    [
      'goes on being given back where one is done',
      viewOf({ server1: was('primary'), server2: server({ standbySignal: true }) }),
      intent({ controllersOnly: true }),
      undefined,
    ],
    [
      'is no matter of a server that was alone',
      viewOf({ server1: was('single'), server2: server({ recorded: '7' }) }),
      intent({ keep: 'server2' }),
      undefined,
    ],
  ])('%s', (_title, view, asked, code) => {
    expect(pairObstacle(asked, view)?.code).toBe(code);
  });
});

it('a teardown waits for a record that is lost, whoever stays and whatever is left', () => {
  const view = viewOf({
    server1: was('single'),
    server2: server({ recorded: '7', before: 'standby', standbySignal: true, recordLost: true }),
  });
  expect(lostRecord(view)).toMatchObject({ code: 'SAF085', host: 'server2' });
  expect(lostRecord(pair)).toBeUndefined();
  const servers = ['server1', 'server2'].map((name) => ({ name, preferredRole: 'primary' }));
  const cluster = { servers } as unknown as Cluster;
  for (const over of [{}, { keepData: true }, { controllersOnly: true }, { keep: 'server1' }])
    expect(surveyFor(intent(over), cluster, view.hosts)).toMatchObject({ refused: { code: 'SAF085' } });
});
