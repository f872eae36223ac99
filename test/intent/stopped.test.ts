/** What a server that a person has stopped forbids, and who is meant by a stop: decisions over views. */
import { beforeAll, describe, expect, it } from 'vitest';
import { type Intent, settle, targetOf } from '../../src/intent/intent.ts';
import { stoppedObstacle } from '../../src/intent/stopped.ts';
import type { Cluster } from '../../src/inventory/cluster.ts';
import type { View } from '../../src/observe/survey.ts';
import { clusterOf, threeInventory } from '../observe/cluster.ts';

const names = ['server1', 'server2', 'server3'];
let cluster: Cluster;
beforeAll(async () => {
  cluster = await clusterOf(threeInventory);
});

const record = { since: '2026-11-30T09:12:00Z', by: 'anna@desk' };

/** server1 is primary. */
const view = (stopped: readonly string[], down: readonly string[] = stopped): View => ({
  primary: 'server1',
  hosts: new Map(
    names.map((name) => [
      name,
      {
        data: {
          content: 'cluster',
          files: [],
          standbySignal: name !== 'server1',
          running: !down.includes(name),
        },
        ...(stopped.includes(name) ? { stopped: record } : {}),
      },
    ]),
  ),
});

const made = { replicationPassword: undefined, clusterKey: undefined } as never;
const rebuild = (host: string): Intent => ({ kind: 'rebuild', host, copy: false });
const start = (...hosts: string[]): Intent => ({ kind: 'start', hosts });

describe('a server that was stopped', () => {
  it.each([
    ['a rebuild of it', rebuild('server2'), view(['server2']), 'SAF062'],
    ['a rebuild of another one', rebuild('server3'), view(['server2']), undefined],
    ['new secrets', { kind: 'renew', made }, view(['server2']), 'SAF062'],
    ['new secrets, where all run', { kind: 'renew', made }, view([]), undefined],
    ['its provisioning', { kind: 'provision' }, view(['server2']), undefined],
    ['its stop', { kind: 'stop', hosts: [], switchFirst: false, by: 'bob' }, view(['server2']), undefined],
    ['the start of all', start(), view(names), undefined],
    ['the start of a standby, whose primary runs', start('server2'), view(['server2']), undefined],
    ['the start of a standby, whose primary was stopped', start('server2'), view(names), 'SAF064'],
    ['the start of a standby, whose primary is down', start('server2'), view([], names), 'SAF064'],
    ['the start of both', start('server1', 'server2'), view(names), undefined],
    ['a switch, where all were stopped', { kind: 'switch' }, view(names), 'SAF062'],
    ['a switch to it', { kind: 'switch', to: 'server2' }, view(['server2']), 'SAF062'],
    ['a switch to another one', { kind: 'switch', to: 'server3' }, view(['server2']), undefined],
    ['a switch to anybody', { kind: 'switch' }, view(['server2']), undefined],
    ['a switch, where no standby is left', { kind: 'switch' }, view(['server2', 'server3']), 'SAF062'],
    ['a switch, where it was started by hand', { kind: 'switch' }, view(names, []), undefined],
  ] satisfies [string, Intent, View, string | undefined][])('and %s', (_, intent, seen, code) => {
    const found = stoppedObstacle(intent, seen);
    expect(found?.code).toBe(code);
    if (code && seen.hosts.get('server1')?.stopped) expect(found?.what).toContain('anna@desk');
  });

  it('names who has stopped it, and what ends that', () => {
    expect(stoppedObstacle(rebuild('server2'), view(['server2']))).toMatchObject({
      what: 'server2 is not to run: stopped with pgduet stop by anna@desk, 2026-11-30 09:12:00 UTC',
      commands: [{ run: 'pgduet start server2' }],
    });
    expect(stoppedObstacle({ kind: 'switch' }, view(names))).toMatchObject({
      what: 'the cluster is not to run: stopped with pgduet stop by anna@desk, 2026-11-30 09:12:00 UTC',
      commands: [{ run: 'pgduet start' }],
    });
  });
});

describe('a stop with a switch before', () => {
  const stop = (switchFirst: boolean, ...hosts: string[]): Intent => ({
    kind: 'stop',
    hosts,
    switchFirst,
    by: 'anna@desk',
  });
  const settled = (intent: Intent) => settle({ cluster, view: view([]), intent });

  it.each([
    ['a standby takes over from the primary', stop(true, 'server1'), 'server2'],
    ['one that goes on does', stop(true, 'server1', 'server2'), 'server3'],
    ['nobody does where all stop', stop(true), undefined],
    ['nobody has to where the primary goes on', stop(true, 'server2'), undefined],
    ['nobody does without being asked', stop(false, 'server1'), undefined],
  ] satisfies [string, Intent, string | undefined][])('%s', (_, intent, to) => {
    const first = settled(intent);
    expect('to' in first ? first.to : undefined).toBe(to);
    if (to) expect(targetOf({ cluster, view: view([]), intent: first })).toBe(to);
    // Whoever is primary later, the same servers are meant.
    expect(settle({ cluster, view: { ...view([]), primary: 'server2' }, intent: first })).toBe(first);
  });
});
