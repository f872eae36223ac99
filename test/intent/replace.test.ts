/** Whether a host is a new one, and why nobody takes its place: decisions over views. */
import { beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import { type Intent, settle, targetOf } from '../../src/intent/intent.ts';
import { leftAlone } from '../../src/intent/maintenance.ts';
import { broughtPassword, type ReplaceIntent, replaceObstacles } from '../../src/intent/replace.ts';
import type { Cluster } from '../../src/inventory/cluster.ts';
import { isNew } from '../../src/observe/newcomers.ts';
import type { ControllerRecord } from '../../src/observe/record.ts';
import type { HostView, View } from '../../src/observe/survey.ts';
import type { DataDirectory } from '../../src/resources/data/data-directory.ts';
import { clusterOf, threeInventory } from '../observe/cluster.ts';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await clusterOf(threeInventory);
});

const password = new Secret('a');
const replace = (host = 'server3', stage?: ReplaceIntent['stage']): ReplaceIntent => ({
  kind: 'replace',
  host,
  by: 'anna',
  of: '',
  password,
  ...(stage ? { stage } : {}),
});

const all = ['server2', 'server3'];
/** Of the primary; server3 is out for everybody. */
const out: ControllerRecord = {
  primary: 'server1',
  timeline: 1,
  term: 1,
  members: all,
  voters: ['server2'],
  needed: 1,
  eligible: ['server2'],
  believers: ['server2'],
  bound: true,
  seen: 1,
  whole: true,
};
const control = { systemIdentifier: '7' } as NonNullable<DataDirectory['control']>;
const data = (more: Partial<DataDirectory> = {}): DataDirectory => ({
  content: 'cluster',
  files: [],
  standbySignal: true,
  running: true,
  started: true,
  recorded: '7',
  control,
  ...more,
});
const bare: HostView = { data: { content: 'absent', files: [], standbySignal: false, running: false } };
const standby: HostView = { data: data(), record: { ...out } };

const view = (record: ControllerRecord | undefined, third: HostView = bare): View => ({
  primary: 'server1',
  systemIdentifier: '7',
  hosts: new Map([
    ['server1', { data: data({ standbySignal: false }), ...(record ? { record } : {}) }],
    ['server2', standby],
    ['server3', third],
  ]),
});

const codesOf = (intended: Intent, seen: View): readonly string[] => {
  const intent = settle({ cluster, view: seen, intent: intended });
  return replaceObstacles({ intent, intended }, cluster, seen).map(({ code }) => code);
};

describe('a host', () => {
  it.each([
    ['that is bare', bare, true],
    ['that was not looked at', undefined, true],
    ['with a copy that is not finished', { data: data({ making: 'copy', running: false }) }, true],
    ['with a copy that was never started', { data: data({ started: false, running: false }) }, true],
    ['with a copy that was started', { data: data({ running: false }) }, false],
    ['with a server that runs', { data: data() }, false],
    [
      'with a former primary',
      { data: data({ standbySignal: false, running: false, started: false }) },
      false,
    ],
    ['with the record of a controller, and no data', { ...bare, record: out }, false],
  ] satisfies [string, HostView | undefined, boolean][])('%s', (_, host, is) => {
    expect(isNew(host)).toBe(is);
  });
});

describe('a replacement', () => {
  const counts = (more: Partial<ControllerRecord>) => view({ ...out, ...more });
  it.each([
    ['whose former host is out', replace(), view(out), []],
    ['of the primary', replace('server1'), view(out), ['SAF070']],
    ['of one that may take over', replace(), counts({ believers: all, voters: all }), ['SAF071']],
    ['of one that may believe so still', replace(), counts({ believers: all }), ['SAF071']],
    ['of one that commits wait for', replace(), counts({ voters: all }), ['SAF071']],
    ['beside a primary without a record', replace(), view(undefined), ['SAF071']],
    ['beside a primary that knows another one', replace(), counts({ primary: 'server2' }), ['SAF071']],
    [
      'behind the lock-out, and it is heard again',
      replace('server3', 'new'),
      counts({ voters: all }),
      ['SAF071'],
    ],
    ['that has entered, and counts by now', replace('server3', 'entered'), counts({ believers: all }), []],
    ['of a standby that runs', replace('server2'), view(out), []],
    [
      'of one that was there before, and is down',
      replace(),
      view(out, { data: data({ running: false }), record: out }),
      ['SAF072'],
    ],
    [
      'of one with the data of another cluster',
      replace(),
      view(out, { data: data({ control: { ...control, systemIdentifier: '8' } }) }),
      ['SAF072'],
    ],
    [
      'of a known one that the run itself restarts',
      replace('server3', 'known'),
      view(out, { data: data({ running: false }), record: out }),
      [],
    ],
  ] satisfies [string, Intent, View, string[]][])('%s', (_, intent, seen, codes) => {
    expect(codesOf(intent, seen)).toEqual(codes);
  });

  it('says what it found once, and brings a password only to a new host', () => {
    const settled = (third: HostView) => settle({ cluster, view: view(out, third), intent: replace() });
    expect(settled(bare)).toMatchObject({ stage: 'new' });
    expect(settled(standby)).toMatchObject({ stage: 'known' });
    expect(broughtPassword(settled(bare))).toBe(password);
    expect(broughtPassword(settled(standby))).toBeUndefined();
    expect(settle({ cluster, view: view(out, standby), intent: replace('server3', 'new') })).toMatchObject({
      stage: 'new',
    });
    expect(targetOf({ cluster, view: view(out), intent: replace() })).toBe('server3');
  });

  it('works on a server in maintenance', () => {
    const seen = { number: 1, by: 'bob', since: '', until: null, reason: '' };
    const maintained = new Map([
      ['server3', seen],
      ['server2', seen],
    ]);
    expect(leftAlone(replace(), { maintained })).toEqual(['server2']);
  });
});

describe('a provisioning', () => {
  const provision: Intent = { kind: 'provision' };
  it.each([
    ['of a new host whose server the primary has had', view(out), ['SAF073']],
    ['of a new host whose server it has not had', view({ ...out, members: ['server2'] }), []],
    ['of the first servers', view(undefined), []],
    ['of a standby that is there', view(out, standby), []],
  ] satisfies [string, View, string[]][])('%s', (_, seen, codes) => {
    expect(codesOf(provision, seen)).toEqual(codes);
  });

  it('leaves a new host alone whose server is in maintenance', () => {
    const seen = { number: 1, by: 'bob', since: '', until: null, reason: '' };
    expect(codesOf(provision, { ...view(out), maintained: new Map([['server3', seen]]) })).toEqual([]);
  });
});
