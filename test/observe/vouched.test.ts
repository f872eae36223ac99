/** Who vouches for a server whose management directory is lost: each fact that is needed is missing once. */
import { describe, expect, it } from 'vitest';
import { rolesOf } from '../../src/check/roles.ts';
import { type HostView, readHostView, survey, surveyProbes } from '../../src/observe/survey.ts';
import { readStreams, streamsProbe, vouchedIn } from '../../src/observe/vouched.ts';
import type { DataDirectory } from '../../src/resources/data/data-directory.ts';
import { clusterOf, pairInventory, serverNamed, threeInventory } from './cluster.ts';

const pair = await clusterOf(pairInventory);
const port = serverNamed(pair, 'server1').postgres.port;

interface Shown {
  readonly data?: Partial<DataDirectory>;
  readonly streams?: HostView['streams'] | null;
}

const control = (systemIdentifier: string) => ({
  systemIdentifier,
  state: 'in production',
  timeline: 1,
  checkpoint: '0/3000060',
  checksums: true,
  reached: { position: '0/3000060', timeline: 1 },
});

const host = (more: Shown, base: Partial<DataDirectory>, streams: HostView['streams']): HostView => {
  const seen = more.streams === undefined ? streams : (more.streams ?? undefined);
  return {
    data: {
      ...{ content: 'cluster', files: [], version: 15, standbySignal: false, running: true, started: true },
      ...{ control: control('77'), ...base, ...more.data },
    },
    ...(seen ? { streams: seen } : {}),
  };
};
const lost = { directoryLost: true } as const;
const sends = (name: string, state = 'streaming') => ({ name, state, address: '192.0.2.110' });
const receives = { host: '192.0.2.100', port, status: 'streaming' };

/** server1 is primary, and server2 its standby, which streams from it. */
const hosts = (lostOne: 'server1' | 'server2', one: Shown = {}, two: Shown = {}) =>
  new Map([
    [
      'server1',
      host(one, lostOne === 'server1' ? lost : { recorded: '77' }, {
        receiver: null,
        senders: [sends('server2')],
      }),
    ],
    [
      'server2',
      host(
        two,
        { standbySignal: true, ...(lostOne === 'server2' ? lost : { recorded: '77' }) },
        {
          receiver: receives,
          senders: [],
        },
      ),
    ],
  ]);

const both = ['server1', 'server2'] as const;
const otherOf = (name: (typeof both)[number]) => (name === 'server1' ? 'server2' : 'server1');

describe.each(both)('%s, which is lost,', (name) => {
  const other = otherOf(name);
  const told = (one?: Shown, two?: Shown) => vouchedIn(pair, hosts(name, one, two)).get(name);
  const own = (shown: Shown) => (name === 'server1' ? told(shown) : told({}, shown));
  const others = (shown: Shown) => (name === 'server1' ? told({}, shown) : told(shown));

  it('is vouched for by the one that streams with it', () => {
    expect(told()).toEqual({ by: other, systemIdentifier: '77' });
    const found = survey(pair, hosts(name));
    expect('view' in found && found.view).toMatchObject({ primary: 'server1', systemIdentifier: '77' });
    expect('view' in found && found.view.vouched?.get(name)?.by).toBe(other);
    expect('view' in found && found.view.hosts.get(name)?.data).toMatchObject({
      recorded: '77',
      directoryLost: true,
    });
  });

  it.each([
    ['does not run', { data: { running: false } }],
    ['is unfinished', { data: { making: 'rewind' } }],
    ['has data without a control file', { data: { control: undefined as never } }],
    ['has other data', { data: { control: control('78') } }],
    ['is not lost, and has no record', { data: { directoryLost: false } }],
    ['has its directory on a disk that is away', { data: { directoryLost: false, directoryAway: 'away' } }],
    ['gives no answer', { streams: null }],
    ['shows no stream', { streams: { receiver: null, senders: [] } }],
  ] satisfies [string, Shown][])('is vouched for by nobody where it %s', (_, shown) => {
    expect(own(shown)).toBe(undefined);
  });

  it.each([
    ['does not run', { data: { running: false } }],
    ['is lost, too', { data: { directoryLost: true } }],
    ['has no record', { data: { recorded: undefined as never } }],
    ['has a record that does not tell', { data: { recorded: 'unreadable' } }],
    ['has the record of another cluster', { data: { recorded: '78' } }],
    ['has the data of another cluster', { data: { control: control('78') } }],
    ['has data without a control file', { data: { control: undefined as never } }],
    ['is unfinished', { data: { making: 'copy' } }],
    ['gives no answer', { streams: null }],
    ['shows no stream', { streams: { receiver: null, senders: [] } }],
  ] satisfies [string, Shown][])('is vouched for by nobody where the other one %s', (_, shown) => {
    expect(others(shown)).toBe(undefined);
  });

  it('is vouched for by nobody who was not reached', () => {
    const seen = hosts(name);
    seen.delete(other);
    expect(vouchedIn(pair, seen).size).toBe(0);
  });

  it.each([
    ['waits', { ...receives, status: 'waiting' }],
    ['comes from another address', { ...receives, host: '192.0.2.99' }],
    ['comes from another port', { ...receives, port: port + 1 }],
  ])('is vouched for by nobody where the receiver %s', (_, receiver) => {
    expect(told({}, { streams: { receiver, senders: [] } })).toBe(undefined);
  });

  it.each([
    ['another name', [sends('server3')]],
    ['a base backup', [sends('server2', 'backup')]],
    ['a begin', [sends('server2', 'startup')]],
    ['one that catches up', [sends('server2', 'catchup')]],
    ['a row that the login may not read', [{ name: 'server2', state: null, address: null }]],
  ])('is vouched for by nobody where the sender shows %s', (_, senders) => {
    expect(told({ streams: { receiver: null, senders } })).toBe(undefined);
  });
});

it('an address is the same in every spelling', async () => {
  const three = await clusterOf(threeInventory);
  const seen = hosts('server2', { streams: { receiver: null, senders: [sends('server3')] } });
  seen.set(
    'server3',
    host(
      {},
      { standbySignal: true, ...lost },
      { receiver: { ...receives, host: '192.0.2.100' }, senders: [] },
    ),
  );
  expect([...vouchedIn(three, seen).keys()]).toEqual(['server3']);
  const from = { receiver: { ...receives, host: '2001:DB8:0::3' }, senders: [] };
  const turned = new Map([
    ['server2', host({}, { standbySignal: true, ...lost }, from)],
    ['server3', host({}, { recorded: '77' }, { receiver: null, senders: [sends('server2')] })],
  ]);
  expect(vouchedIn(three, turned).get('server2')?.by).toBe('server3');
});

describe('without a vouch', () => {
  it('nobody is primary where the primary is lost', () => {
    const found = survey(pair, hosts('server1', { streams: null }));
    expect('refused' in found && found.refused.code).toBe('SAF004');
  });

  it('nothing is said of a server that is whole', () => {
    const seen = hosts('server2', {}, { data: { directoryLost: false, recorded: '77' } });
    const found = survey(pair, seen);
    expect('view' in found && 'vouched' in found.view).toBe(false);
    expect('view' in found && found.view.hosts).toBe(seen);
  });
});

it('a check finds the roles by it, too', () => {
  const roles = rolesOf(pair, hosts('server1'), new Map());
  expect(roles).toMatchObject({ primary: 'server1' });
  expect(roles.view.vouched?.get('server1')?.by).toBe('server2');
});

describe('what a server says of its streams', () => {
  it('is asked with the survey', () => {
    expect(Object.values(surveyProbes(pair, serverNamed(pair, 'server1')))).toContain(streamsProbe);
  });

  it('becomes part of the view of its host', () => {
    const sql = { receiver: receives, senders: [sends('server2')] };
    const reply = { status: 0, stdout: '', stderr: '' };
    expect(readHostView({ streams: { ...reply, sql } }).streams).toEqual(sql);
    expect(readHostView({ streams: { ...reply, sqlProblem: 'no server' } }).streams).toBe(undefined);
    expect(readStreams({ ...reply, sql: null })).toBe(undefined);
  });
});
