/** Who is primary: every combination of what two and three hosts can show, and what else a survey learns. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Cluster } from '../../src/inventory/cluster.ts';
import { factsProbe, readFacts } from '../../src/observe/facts.ts';
import {
  type HostView,
  preferredView,
  readHostView,
  survey,
  surveyProbes,
  surveyReplies,
} from '../../src/observe/survey.ts';
import type { DataDirectory } from '../../src/resources/data/data-directory.ts';
import { clusterOf, pairInventory, serverNamed, threeInventory } from './cluster.ts';

let pair: Cluster;
let three: Cluster;
beforeAll(async () => {
  pair = await clusterOf(pairInventory);
  three = await clusterOf(threeInventory);
});

const control = (state: string) => ({
  systemIdentifier: '77',
  state,
  timeline: 1,
  checkpoint: '0/3000060',
  checksums: true,
  reached: { position: '0/3000060', timeline: 1 },
});
const unrecorded = { content: 'cluster', files: [], version: 15 } as const;
const cluster = { ...unrecorded, recorded: '77' } as const;

/** Everything that may stand on a host, by a short name. */
const states: Readonly<Record<string, DataDirectory>> = {
  absent: { content: 'absent', files: [], standbySignal: false, running: false },
  empty: { content: 'empty', files: [], standbySignal: false, running: false },
  foreign: { content: 'foreign', files: ['x'], standbySignal: false, running: false },
  stranger: { ...unrecorded, standbySignal: false, running: true },
  making: {
    ...cluster,
    recorded: undefined as never,
    making: 'initdb',
    standbySignal: false,
    running: false,
  },
  copying: { ...unrecorded, making: 'copy', standbySignal: true, running: false },
  leads: { ...cluster, standbySignal: false, running: true, control: control('in production') },
  stopped: { ...cluster, standbySignal: false, running: false, control: control('shut down') },
  follows: { ...cluster, standbySignal: true, running: true, control: control('in archive recovery') },
  sleeps: { ...cluster, standbySignal: true, running: false, control: control('shut down in recovery') },
};

function look(of: Cluster, names: readonly string[]) {
  const views = new Map<string, HostView>(
    of.hosts.map((host, index) => {
      const data = states[names[index] ?? ''];
      return [host.name, data ? { data } : {}];
    }),
  );
  const found = survey(of, views);
  return 'refused' in found ? found.refused.code : found.view.primary;
}

describe('of two hosts, of which the first is preferred,', () => {
  const fresh = ['absent', 'empty', 'foreign', 'making', 'copying', 'stranger'];
  const rows: [string, string, string][] = [
    // Nobody has data of ours: the inventory decides.
    ...fresh.flatMap((a) => fresh.map((b): [string, string, string] => [a, b, 'server1'])),
    // One leads, running or not: it is primary, whichever the inventory prefers.
    ...fresh.flatMap((other) =>
      ['leads', 'stopped'].flatMap((one): [string, string, string][] => [
        [one, other, 'server1'],
        [other, one, 'server2'],
      ]),
    ),
    ...['follows', 'sleeps'].flatMap((other) =>
      ['leads', 'stopped'].flatMap((one): [string, string, string][] => [
        [one, other, 'server1'],
        [other, one, 'server2'],
      ]),
    ),
    // A former primary that is down does not make two of it.
    ['leads', 'stopped', 'server1'],
    ['stopped', 'leads', 'server2'],
    ['leads', 'leads', 'SAF003'],
    ['stopped', 'stopped', 'SAF003'],
    // Standbys and nobody to follow: a new primary would not fit them.
    ...['follows', 'sleeps'].flatMap((one) =>
      [...fresh, 'follows', 'sleeps'].flatMap((other): [string, string, string][] => [
        [one, other, 'SAF004'],
        [other, one, 'SAF004'],
      ]),
    ),
  ];

  it.each(rows)('%s and %s give %s', (a, b, expected) => {
    expect(look(pair, [a, b])).toBe(expected);
  });

  it('are all combinations of states in the table', () => {
    const names = Object.keys(states);
    const told = new Set(rows.map(([a, b]) => `${a} ${b}`));
    expect(names.flatMap((a) => names.map((b) => `${a} ${b}`)).filter((both) => !told.has(both))).toEqual([]);
  });
});

describe('of three hosts', () => {
  it.each([
    [['leads', 'follows', 'follows'], 'server1'],
    [['follows', 'leads', 'absent'], 'server2'],
    [['stopped', 'follows', 'leads'], 'server3'],
    [['leads', 'leads', 'follows'], 'SAF003'],
    [['stopped', 'stopped', 'follows'], 'SAF003'],
    [['making', 'follows', 'sleeps'], 'SAF004'],
    [['making', 'absent', 'copying'], 'server1'],
  ])('%j give %s', (names, expected) => {
    expect(look(three, names)).toBe(expected);
  });
});

describe('a server whose data leads and whose management directory is lost', () => {
  const { recorded, ...bare } = states.leads as DataDirectory;
  const told = (data: DataDirectory, other: string) => {
    const found = survey(
      pair,
      new Map<string, HostView>([
        ['server1', { data }],
        ['server2', { data: states[other] as DataDirectory }],
      ]),
    );
    return 'refused' in found ? found.refused : undefined;
  };

  it.each(['follows', 'sleeps', 'absent'])('beside one that %s: nobody is to be promoted', (other) => {
    expect(recorded).toBeDefined();
    const refused = told({ ...bare, started: true, directoryLost: true }, other);
    expect(refused).toMatchObject({ code: 'SAF004' });
    expect(refused?.why).toContain('server1 runs as primary, and its management directory');
    expect(refused?.fix).toContain('Make no standby primary');
    expect(refused?.fix).not.toContain('mc_ctl switch');
  });

  it('names what brings it back, also where it may only not be mounted', () => {
    const way = 'pgduet provision brings the management directory back';
    expect(told({ ...bare, started: true, directoryLost: true }, 'absent')?.fix).toContain(way);
    const away = told({ ...bare, started: true, directoryAway: 'nothing is mounted on /mcdir' }, 'absent');
    expect(away).toMatchObject({ code: 'SAF004', why: expect.stringContaining('is lost') });
    expect(away?.fix).toContain(way);
    expect(told({ ...bare, started: true }, 'follows')?.fix).toContain('move it back');
  });

  it('is not told of one that pgduet has not made', () => {
    expect(told({ ...bare, started: true }, 'absent')).toBe(undefined);
    expect(told({ ...bare, started: true }, 'follows')?.why).toContain(
      'does not say that it is of this cluster',
    );
  });
});

it('a refusal says what was seen on each host', () => {
  const of = new Map<string, HostView>([
    ['server1', { data: states.leads as DataDirectory }],
    ['server2', { data: states.leads as DataDirectory }],
  ]);
  const found = survey(pair, of);
  expect('refused' in found && found.refused).toMatchObject({
    what: 'server1 and server2 are both primary',
    evidence: [
      'server1: running, in production, timeline 1, checkpoint 0/3000060',
      'server2: running, in production, timeline 1, checkpoint 0/3000060',
    ],
  });
});

it('of two that led and do not run the refusal names the verb that decides', () => {
  const stopped = { data: { ...(states.leads as DataDirectory), running: false } };
  const found = survey(
    pair,
    new Map<string, HostView>([
      ['server1', stopped],
      ['server2', stopped],
    ]),
  );
  expect('refused' in found && found.refused).toMatchObject({
    what: 'server1 and server2 were both primary, and none of them runs',
    fix: expect.stringContaining('`pgduet recover --check`'),
  });
});

it('the system identifier is that of the primary', () => {
  const of = new Map<string, HostView>([['server2', { data: states.leads as DataDirectory }]]);
  const found = survey(pair, of);
  expect('view' in found && found.view).toMatchObject({ primary: 'server2', systemIdentifier: '77' });
  expect(preferredView(pair)).toMatchObject({ primary: 'server1' });
});

describe('the view of a host', () => {
  const ok = (stdout: string) => ({ status: 0, stdout, stderr: '' });
  const facts =
    '1700000000.5\nDebian GNU/Linux 12 (bookworm)\ndebian \nx86_64\nserver1\nroot\nsystemd\nb00t\n/usr/bin/node\n';

  it('holds facts, data and secrets, each as a secret', () => {
    const view = readHostView({
      facts: ok(facts),
      data: ok('content empty\n'),
      passfile: ok('h:1:replication:repl:canary-1\n'),
      clusterKey: ok('canary-2\n'),
    });
    expect(view.facts).toMatchObject({
      distributions: ['debian'],
      clockMs: 1_700_000_000_500,
      serviceManager: 'systemd',
      node: '/usr/bin/node',
    });
    expect(view.data?.content).toBe('empty');
    expect(view.replicationPassword?.reveal()).toBe('canary-1');
    expect(view.clusterKey?.reveal()).toBe('canary-2');
    expect(JSON.stringify(view)).not.toContain('canary');
  });

  it('holds the public part of the key of its controller, and what stands of the others', () => {
    const key =
      'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE5w1o2xq0KXgxsGGQq+53GzF+XY9qRDCk7dO301m8N88fVQI1x2ORsTWnfmbpLR+2q1f+CHrpNPqsmdEqn4NMdg==';
    const pem = `-----BEGIN PUBLIC KEY-----\n${key}\n-----END PUBLIC KEY-----\n`;
    const view = readHostView({
      identity: ok(`regular file|600|postgres|postgres|1|2\n${pem}`),
      identities: ok('{"format":1,"servers":{"server2":"AAAA"}}'),
    });
    expect(view).toEqual({ identity: key, identities: { server2: 'AAAA' } });
    expect(readHostView({ identity: ok('absent\n'), identities: ok('{') })).toEqual({});
    // What no server could use is laid on none.
    const junk = pem.replace(key, 'A'.repeat(124));
    expect(readHostView({ identity: ok(`regular file|600|postgres|postgres|1|2\n${junk}`) })).toEqual({});
  });

  it('holds nothing that was not seen', () => {
    const nothing = { status: 255, stdout: '', stderr: 'no' };
    expect(readHostView({ facts: nothing, data: nothing })).toEqual({});
    expect(readHostView({})).toEqual({});
  });

  const all = ['passfile', 'clusterKey', 'environment', 'renewal', 'etcdCell', 'adopted'] as const;
  const about = ['replicationPassword', 'clusterKey', 'environment', 'renewal', 'etcdCell', 'adopted'];

  it.each([
    ['is denied', { status: 1, stdout: '', stderr: 'cat: cluster.key: Permission denied' }],
    ['fails', { status: 2, stdout: '', stderr: 'awk: Input/output error' }],
    ['ends too late', { status: 124, stdout: '', stderr: '' }],
  ])('a file whose read %s is unread, and not absent', (_how, reply) => {
    const view = readHostView(Object.fromEntries(all.map((name) => [name, reply])));
    expect(view.unread?.map((one) => one.about)).toEqual(about);
    expect(readHostView(Object.fromEntries(all.map((name) => [name, ok('')]))).unread).toBeUndefined();
  });

  it('a record that is not understood is unread', () => {
    const view = readHostView({ renewal: ok('{"format":2}\n'), adopted: ok('{"schema":9}\n') });
    expect(view.unread?.map((one) => one.about)).toEqual(['renewal', 'adopted']);
  });

  it('takes a host without systemd and without Node as it is', () => {
    const found = readFacts(ok('1700000000.000000000\n\n \naarch64\nh\nme\nnone\nid\n\n'));
    expect(found).toMatchObject({ serviceManager: 'none', architecture: 'aarch64', system: '' });
    expect(found).toMatchObject({ distributions: [] });
    expect(found).not.toHaveProperty('node');
  });

  it.each(['', 'date: not found\n', '1700000000\n'])(
    'does not take %j for the facts of a Linux host',
    (text) => {
      expect(readFacts(ok(text))).toBeUndefined();
    },
  );

  it('takes each answer for what its probe asks, in any order', () => {
    const server1 = serverNamed(pair, 'server1');
    const probes = surveyProbes(pair, server1);
    expect(probes.facts).toBe(factsProbe);
    const said = new Map(Object.entries(probes).map(([name, probe]) => [probe.shell ?? probe.sql, ok(name)]));
    const replies = surveyReplies(pair, server1, (probe) => said.get(probe.shell ?? probe.sql ?? ''));
    for (const name of Object.keys(probes)) expect(replies).toHaveProperty(name, ok(name));
    expect(replies.single).toBeUndefined();
  });
});
