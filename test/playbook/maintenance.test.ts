/** What the shipped playbooks declare while a server is in maintenance: nothing for it, and nothing that waits for it. */
import { describe, expect, it } from 'vitest';
import type { Intent } from '../../src/intent/intent.ts';
import type { Cluster } from '../../src/inventory/cluster.ts';
import { type HostView, preferredView } from '../../src/observe/survey.ts';
import type { Resource } from '../../src/plan/plan.ts';
import type { DataDirectory } from '../../src/resources/data/data-directory.ts';
import { clusterOf, pairInventory, threeInventory } from '../observe/cluster.ts';
import { declaredBy } from './declared.ts';

const seen = { number: 1, by: 'alice', since: '2026-11-30T10:00:00.000Z', until: null, reason: 'disks' };

function declared(
  cluster: Cluster,
  intent: Intent,
  out: readonly string[] = ['server2'],
  looks: Readonly<Record<string, HostView>> = {},
): readonly Resource[] {
  const maintained = new Map(out.map((name) => [name, seen]));
  const preferred = preferredView(cluster);
  const hosts = new Map([...preferred.hosts, ...Object.entries(looks)]);
  const view = { ...preferred, hosts, ...(out.length > 0 ? { maintained } : {}) };
  return declaredBy(intent, cluster, view);
}

const of = (resources: readonly Resource[], kind: string, host = 'server1'): readonly unknown[] =>
  resources.filter((one) => one.host === host && one.kind.kind === kind).map(({ desired }) => desired);

describe.each<Intent>([
  { kind: 'provision' },
  { kind: 'switch' },
  { kind: 'failover', state: 'on' },
  { kind: 'rebuild', host: 'server3', copy: false },
  { kind: 'start', hosts: [] },
  { kind: 'restart', hosts: [], pending: false, switchFirst: false },
  { kind: 'reload', hosts: [] },
])('$kind of three servers, one of them in maintenance', (intent) => {
  it('declares nothing for it, and waits for the others alone', async () => {
    const resources = declared(await clusterOf(threeInventory), intent);
    expect(resources.filter(({ host }) => host === 'server2')).toEqual([]);
    for (const desired of of(resources, 'replication'))
      expect(desired).toMatchObject({ standbys: ['server3'] });
    for (const desired of of(resources, 'mirroring')) expect(desired).toMatchObject({ alone: 'no' });
    expect(of(resources, 'slot')).not.toContainEqual(expect.objectContaining({ name: 'pgduet_server2' }));
  });
});

describe('a pair whose standby is in maintenance', () => {
  it('waits for nobody, and still lets it in', async () => {
    const pair = await clusterOf(pairInventory);
    const resources = declared(pair, { kind: 'provision' });
    expect(of(resources, 'replication')).toMatchObject([{ standbys: [] }, { standbys: [] }]);
    expect(of(resources, 'mirroring')).toMatchObject([{ alone: 'yes' }]);
    expect(of(resources, 'slot')).toEqual([]);
    expect(of(resources, 'passfile')).toHaveLength(1);
    expect(JSON.stringify(of(resources, 'hba'))).toContain('192.0.2.110/32');
    const whole = declared(pair, { kind: 'provision' }, []);
    expect(of(whole, 'mirroring')).toMatchObject([{ alone: 'no' }]);
    expect(of(whole, 'replication')).toMatchObject([{ standbys: ['server2'] }, { standbys: ['server2'] }]);
  });
});

describe('a server that comes back while a former primary is held back', () => {
  const leads = { content: 'cluster', standbySignal: false, recorded: '7000' } as unknown as DataDirectory;
  const held = { server3: { data: leads } };
  const back = {
    goal: 'end',
    by: 'alice',
    reason: '',
    expected: '',
    of: '',
    replace: false,
    alone: false,
  } as const;

  it.each<[Intent, readonly string[]]>([
    [{ kind: 'maintenance', host: 'server2', ...back }, ['server2']],
    [{ kind: 'rebuild', host: 'server2', copy: false }, ['server2']],
    // It is the one that comes back.
    [{ kind: 'rebuild', host: 'server3', copy: false }, ['server2', 'server3']],
    [{ kind: 'switch' }, ['server2', 'server3']],
  ])('%j waits for those who can come', async (intent, names) => {
    const resources = declared(await clusterOf(threeInventory), intent, [], held);
    const waits = of(resources, 'replication') as readonly { state: string; standbys: readonly string[] }[];
    expect(waits.filter(({ state }) => state === 'sync').map(({ standbys }) => standbys)).toContainEqual(
      names,
    );
  });
});
