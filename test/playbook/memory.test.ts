/** What `provision` declares, and plans, for a server whose management directory is lost and for which another one vouches. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import { type HostView, preferredView, type View, vouchedFor } from '../../src/observe/survey.ts';
import { makePlan, type Resource } from '../../src/plan/plan.ts';
import { compile } from '../../src/playbook/compile.ts';
import { parsePlaybook } from '../../src/playbook/playbook.ts';
import { present, unknown } from '../../src/resources/contract/kind.ts';
import { kinds } from '../../src/resources/registry.ts';
import { included } from '../../src/verbs/playbook-files.ts';
import { clusterOf, pairInventory } from '../observe/cluster.ts';

const root = join(import.meta.dirname, '../..');
const cluster = await clusterOf(pairInventory);
const [one, two] = cluster.servers;
const running = { content: 'cluster', files: [], running: true } as const;
const control = {
  ...{ systemIdentifier: '77', state: 'in production', timeline: 1, checkpoint: '0/1', checksums: true },
  reached: { position: '0/1', timeline: 1 },
};
/** The directory of server1 is lost, which sends to server2. */
const hosts: ReadonlyMap<string, HostView> = new Map([
  [
    'server1',
    {
      data: { ...running, standbySignal: false, directoryLost: true, control },
      streams: {
        receiver: null,
        senders: [{ name: 'server2', state: 'streaming', address: two?.logTransferAddress ?? null }],
      },
    },
  ],
  [
    'server2',
    {
      data: { ...running, standbySignal: true, recorded: '77', control },
      streams: {
        receiver: {
          host: one?.logTransferAddress ?? '',
          port: one?.postgres.port ?? 0,
          status: 'streaming',
        },
        senders: [],
      },
    },
  ],
]);
const lost = vouchedFor(cluster, hosts);

function declared(over: Partial<View>): readonly Resource[] {
  const path = join(root, 'playbooks/provision.yml');
  const playbook = parsePlaybook({ path, text: readFileSync(path, 'utf8') }, [...kinds.keys()], included);
  if (!playbook.ok) throw new Error(playbook.diagnostics.map(({ what }) => what).join('; '));
  const view = { ...preferredView(cluster), ...over };
  const result = compile(
    playbook.value,
    { cluster, view, intent: { kind: 'provision' } },
    {
      kinds,
      template: (name) => readFileSync(join(root, 'templates', name), 'utf8'),
      asset: () => 'bundle',
      secret: () => new Secret('canary-1'),
      entropy: '00'.repeat(16),
    },
  );
  if (!result.ok) throw new Error(result.diagnostics.map(({ what }) => what).join('; '));
  return result.value;
}

const idsOn = (host: string, over: Partial<View>): readonly string[] =>
  declared(over)
    .filter((one) => one.host === host)
    .map(({ id }) => id);

describe('a lost management directory', () => {
  it('is declared for the server alone that another one vouches for, by what that one is reached at', () => {
    const resources = declared(lost);
    const memories = resources.filter(({ kind }) => kind.kind === 'memory');
    const [, witness] = cluster.servers;
    expect(memories).toMatchObject([
      {
        host: 'server1',
        desired: {
          systemIdentifier: '77',
          by: 'server2',
          byAddress: witness?.logTransferAddress,
          byPort: witness?.postgres.port,
          unit: cluster.servers[0]?.unit,
        },
      },
    ]);
    expect(idsOn('server1', {})).not.toContain('memory server1');
  });

  it('is not declared where a provisioning would refuse it: another one is lost, too, or what it was before', () => {
    const server1 = hosts.get('server1');
    const more = { ...server1, data: { ...lost.hosts.get('server1')?.data, dropIns: ['/x/y.service.d/z'] } };
    for (const [name, view] of [
      ['server1', more as HostView],
      ['server2', { ...hosts.get('server2'), data: { ...hosts.get('server2')?.data, directoryLost: true } }],
    ] as [string, HostView][]) {
      const seen = new Map([...lost.hosts, [name, view]]);
      expect(idsOn('server1', { ...lost, hosts: seen })).not.toContain('memory server1');
    }
    expect(idsOn('server1', lost)).toContain('memory server1');
  });

  it('is made before all that lies in it, and before what would be refused without it', () => {
    const ids = idsOn('server1', lost);
    const kindsBefore = ids.slice(0, ids.indexOf('memory server1')).map((id) => id.split(' ')[0]);
    expect(kindsBefore.filter((kind) => kind !== 'names')).toEqual([]);
  });

  it('holds up what is refused as long as it is lost', () => {
    const resources = declared(lost).filter(({ host }) => host === 'server1');
    const data = { content: 'cluster', files: [], standbySignal: false, running: true, version: 15 };
    const control = { systemIdentifier: '77', reached: { timeline: 1 } };
    const seen = (kind: string): unknown => {
      if (kind === 'memory') return { data: { ...data, control, directoryLost: true }, mountedOn: '/' };
      if (kind === 'instance') return { ...data, control };
      return kind === 'port' ? { rightful: false, listener: '', orphan: '4711' } : undefined;
    };
    const plan = makePlan(
      resources.map((resource) => {
        const value = seen(resource.kind.kind);
        return { resource, observed: value ? present(value) : unknown('not asked') };
      }),
    );
    const decided = (id: string) => plan.decisions.find(({ resource }) => resource.id === id);
    const [server] = cluster.servers;
    expect(decided('memory server1')).toMatchObject({ kind: 'change' });
    for (const id of [`instance ${server?.postgres.dataDir}`, `port ${server?.multiplexing.port}`])
      expect(decided(id)).toMatchObject({ kind: 'deferred', waitsFor: { id: 'memory server1' } });
  });
});
