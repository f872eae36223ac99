/** The shipped playbooks with an arbiter: what is declared on its host, what comes before what, and the files that are written. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import type { Intent } from '../../src/intent/intent.ts';
import { type Cluster, serversOnly } from '../../src/inventory/cluster.ts';
import type { Facts } from '../../src/observe/facts.ts';
import { preferredView, type View } from '../../src/observe/survey.ts';
import type { Resource } from '../../src/plan/plan.ts';
import { compile } from '../../src/playbook/compile.ts';
import { parsePlaybook } from '../../src/playbook/playbook.ts';
import { kinds } from '../../src/resources/registry.ts';
import { shippedTemplate } from '../../src/shipped.ts';
import { included } from '../../src/verbs/playbook-files.ts';
import { certificate } from '../inventory/lookups.ts';
import { arbiterInventory, clusterOf, pairInventory, threeInventory } from '../observe/cluster.ts';

const root = join(import.meta.dirname, '../../playbooks');
const key = new Secret('5a'.repeat(32));
const arbiterKey = new Secret('6b'.repeat(32));

function compiled(
  name: string,
  cluster: Cluster,
  view: View = preferredView(cluster),
  intent: Intent = { kind: 'provision' },
): readonly Resource[] {
  const path = join(root, `${name}.yml`);
  const playbook = parsePlaybook({ path, text: readFileSync(path, 'utf8') }, [...kinds.keys()], included);
  if (!playbook.ok) throw new Error(JSON.stringify(playbook.diagnostics));
  const result = compile(
    playbook.value,
    { cluster, view, intent },
    {
      kinds,
      template: shippedTemplate,
      asset: () => 'bundle',
      secret: (name) => (name === 'arbiter_key' ? arbiterKey : key),
      entropy: '00'.repeat(16),
    },
  );
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics));
  return result.value;
}

const idsOn = (host: string, resources: readonly Resource[]): readonly string[] =>
  resources.filter((resource) => resource.host === host).map(({ id }) => id);

const found = (resources: readonly Resource[], host: string, id: string): Resource => {
  const resource = resources.find((one) => one.host === host && one.id === id);
  if (!resource) throw new Error(`no ${id} on ${host}: ${idsOn(host, resources).join('; ')}`);
  return resource;
};

const contentOf = (resource: Resource): string => {
  const { content } = resource.desired as { readonly content: string | Secret };
  return typeof content === 'string' ? content : content.reveal();
};

const managed = [
  'names mean the same everywhere',
  'firewall mcarb_arbiter opened',
  'port 27541',
  'package nodejs',
  'program node',
  'user mcarb',
  'directory /mcarb/arbiter',
  'directory /mcarb/arbiter/clusters',
  'directory /mcarb/arbiter/clusters/inst1',
  'directory /usr/local/lib/pgduet',
  'file /usr/local/bin/mc_arb',
  'file /usr/local/lib/pgduet/mc.cjs',
  'file /mcarb/arbiter/arbitration.conf',
  'file /mcarb/arbiter/clusters/inst1/arbiter.key',
  'identity_key made',
  'file /mcarb/arbiter/clusters/inst1/identities.json',
  'file /mcarb/arbiter/clusters/inst1/network.conf',
  'unit mcarb_arbiter',
  'arbiter /mcarb/arbiter',
];

const network = `server1 192.0.2.100 27540
server2 192.0.2.110 27540
arb1 192.0.2.120 27541 arbiter
`;
const lines = (text: string): string => text.replace(/^#.*\n/gm, '').replace(/\n+$/, '\n');

describe('a pair with an arbiter', () => {
  it('gets all of it on its host, and nothing of PostgreSQL', async () => {
    const cluster = await clusterOf(arbiterInventory);
    expect(idsOn('arb1', compiled('provision', cluster))).toEqual(managed);
    expect(idsOn('arb1', compiled('migrate', cluster))).toEqual(managed);
  });

  it('names it on every server and on itself by the same lines, and on the servers only once it runs', async () => {
    const resources = compiled('provision', await clusterOf(arbiterInventory));
    const own = found(resources, 'arb1', 'file /mcarb/arbiter/clusters/inst1/network.conf');
    expect(lines(contentOf(own))).toBe(network);
    for (const host of ['server1', 'server2']) {
      const file = found(resources, host, 'file /mcdir/inst1/network.conf');
      expect(contentOf(file)).toBe(contentOf(own));
      expect(file.after).toEqual([{ host: 'arb1', id: 'arbiter /mcarb/arbiter' }]);
      expect(contentOf(found(resources, host, `file /mcdir/inst1/${host}.conf`))).toContain(
        'heartbeat_error_action = arbitration',
      );
      const named = found(resources, host, 'register named');
      expect(named.desired).toMatchObject({ places: ['arb1'] });
      expect(named.after).toEqual([
        { host: 'server1', id: 'file /mcdir/inst1/server1.conf' },
        { host: 'server2', id: 'file /mcdir/inst1/server2.conf' },
        { host: 'arb1', id: 'arbiter /mcarb/arbiter' },
      ]);
    }
  });

  it('restarts no instance and no controller for it', async () => {
    const before = compiled('provision', await clusterOf(pairInventory));
    const after = compiled('provision', await clusterOf(arbiterInventory));
    const changed = after.filter((resource) => {
      const former = before.find(({ host, id }) => host === resource.host && id === resource.id);
      return resource.host !== 'arb1' && JSON.stringify(former?.desired) !== JSON.stringify(resource.desired);
    });
    const effects = changed.map(({ host, id, desired }) => [
      host,
      id,
      (desired as { readonly effects?: unknown }).effects,
    ]);
    const reload = [{ action: 'reload', target: 'controller' }];
    expect(effects).toEqual(
      ['server1', 'server2'].flatMap((host) => [
        [host, 'names mean the same everywhere', undefined],
        [host, 'file /mcdir/inst1/network.conf', reload],
        [host, `file /mcdir/inst1/${host}.conf`, reload],
        [host, 'register named', undefined],
      ]),
    );
  });

  it('has a key of its own for the directory of the cluster, which nobody else may read', async () => {
    const resources = compiled('provision', await clusterOf(arbiterInventory));
    const file = found(resources, 'arb1', 'file /mcarb/arbiter/clusters/inst1/arbiter.key');
    expect(contentOf(file)).toBe(arbiterKey.reveal());
    expect(file.desired).toMatchObject({ owner: 'mcarb', mode: '0600' });
  });

  it('hears by the keys of the servers before any of them speaks by its own', async () => {
    const resources = compiled('provision', await clusterOf(arbiterInventory));
    const made = ['server1', 'server2'].map((host) => ({ host, id: 'identity_key made' }));
    const own = found(resources, 'arb1', 'file /mcarb/arbiter/clusters/inst1/identities.json');
    expect([own.after, own.late]).toEqual([made, true]);
    const ids = idsOn('arb1', resources);
    expect(ids.indexOf(own.id)).toBeLessThan(ids.indexOf('arbiter /mcarb/arbiter'));
    for (const host of ['server1', 'server2']) {
      const file = found(resources, host, 'file /mcdir/inst1/identities.json');
      expect(file.after).toEqual([...made, { host: 'arb1', id: 'arbiter /mcarb/arbiter' }]);
    }
  });

  it('has files that another cluster on the same arbiter would write word for word', async () => {
    const one = compiled('provision', await clusterOf(arbiterInventory));
    const other = compiled(
      'provision',
      await clusterOf(
        arbiterInventory
          .replace('cluster: inst1', 'cluster: sales')
          .replaceAll('192.0.2.1', '198.51.100.1')
          .replace('198.51.100.120', '192.0.2.120'),
      ),
    );
    for (const id of [
      'file /mcarb/arbiter/arbitration.conf',
      'unit mcarb_arbiter',
      'file /usr/local/bin/mc_arb',
    ])
      expect(contentOf(found(other, 'arb1', id))).toBe(contentOf(found(one, 'arb1', id)));
    expect(idsOn('arb1', other)).toContain('directory /mcarb/arbiter/clusters/sales');
  });

  it('has a unit that runs it as its own user, hardened, and with a mark', async () => {
    const text = contentOf(
      found(compiled('provision', await clusterOf(arbiterInventory)), 'arb1', 'unit mcarb_arbiter'),
    );
    expect(text).toContain(
      'ExecStart=/usr/bin/node /usr/local/lib/pgduet/mc.cjs arbiter-daemon -M /mcarb/arbiter\n',
    );
    expect(text).toContain('User=mcarb\n');
    expect(text).toContain('ReadWritePaths=/mcarb/arbiter\n');
    expect(text).toMatch(/^Environment=PGDUET_UNIT=[0-9a-f]{12}$/m);
    expect(text).not.toContain('{{');
  });

  it('is done with mc_arb where systemd is not, in the directory of the arbiter', async () => {
    const cluster = await clusterOf(
      arbiterInventory.replace('role: arbiter', 'role: arbiter, service_manager: none'),
    );
    const resources = compiled('provision', cluster);
    expect(idsOn('arb1', resources)).toContain('file /mcarb/arbiter/mc_arb');
    expect(idsOn('arb1', resources)).not.toContain('unit mcarb_arbiter');
    const runs = found(resources, 'arb1', 'arbiter /mcarb/arbiter');
    expect(runs.desired).not.toHaveProperty('unit');
    expect(contentOf(found(resources, 'arb1', 'file /mcarb/arbiter/mc_arb'))).toContain(
      'exec /usr/bin/node /mcarb/arbiter/mc.cjs arb "$@"',
    );
  });

  it('is started by an init script where the host runs those', async () => {
    const cluster = await clusterOf(arbiterInventory);
    const facts = { serviceManager: 'update-rc.d' } as Facts;
    const view = { ...preferredView(cluster), hosts: new Map([['arb1', { facts }]]) };
    const resources = compiled('provision', cluster, view);
    expect(idsOn('arb1', resources)).toEqual(
      managed.map((id) => (id === 'unit mcarb_arbiter' ? 'init_script rc_mcarb_arbiter' : id)),
    );
    const runs = found(resources, 'arb1', 'arbiter /mcarb/arbiter');
    expect(runs.desired).toMatchObject({ unit: 'update-rc.d/rc_mcarb_arbiter' });
    const text = contentOf(found(resources, 'arb1', 'init_script rc_mcarb_arbiter'));
    expect(text).toContain('# Provides:          rc_mcarb_arbiter\n');
    expect(text).toMatch(/^owner=mcarb\ndir=\/mcarb\/arbiter\n[\s\S]*^program=\/usr\/local\/bin\/mc_arb$/m);
    expect(text).not.toMatch(/local-server|\{\{|making/);
  });

  it('shares a machine with a server: each host declares what it needs', async () => {
    const cluster = await clusterOf(arbiterInventory.replace('192.0.2.120', '192.0.2.110'));
    const resources = compiled('provision', cluster);
    expect(idsOn('arb1', resources)).toEqual(managed);
    expect(contentOf(found(resources, 'server1', 'file /mcdir/inst1/network.conf'))).toContain(
      'arb1 192.0.2.110 27541 arbiter\n',
    );
  });

  it('is left alone by a switch and a rebuild, which go on while its host is away', async () => {
    const cluster = serversOnly(await clusterOf(arbiterInventory));
    for (const [name, intent] of [
      ['switch', { kind: 'switch', to: 'server2' }],
      ['rebuild', { kind: 'rebuild', host: 'server2', copy: false }],
    ] as const)
      expect(idsOn('arb1', compiled(name, cluster, preferredView(cluster), intent))).toEqual([]);
  });
});

describe('a pair with an etcd', () => {
  const etcdInventory = pairInventory.replace(', on_heartbeat_loss: fallback', '').replace(
    'hosts:',
    `arbiter: { etcd: [https://192.0.2.121:2379, https://192.0.2.122:2379], ca: etcd-ca.pem, user: pgduet, password: !file etcd.password }
hosts:`,
  );

  it('has its password and certificates on every server before it is named, and nothing in the files of all', async () => {
    const resources = compiled('provision', await clusterOf(etcdInventory));
    for (const host of ['server1', 'server2']) {
      const password = found(resources, host, 'file /mcdir/inst1/etcd.password');
      expect(password.desired).toMatchObject({ owner: 'postgres', mode: '0600', opaque: true });
      expect(contentOf(found(resources, host, 'file /mcdir/inst1/etcd-ca.pem'))).toBe(certificate);
      const conf = contentOf(found(resources, host, `file /mcdir/inst1/${host}.conf`));
      expect(lines(conf)).toContain(`etcd_endpoints = 'https://192.0.2.121:2379, https://192.0.2.122:2379'
etcd_user = 'pgduet'
etcd_prefix = '/pgduet/inst1/'
`);
      expect(lines(contentOf(found(resources, host, 'file /mcdir/inst1/network.conf')))).toBe(
        network.replace(/^arb1.*\n/m, ''),
      );
      const ids = idsOn(host, resources);
      expect(ids.indexOf('file /mcdir/inst1/etcd-ca.pem')).toBeLessThan(
        ids.indexOf(`file /mcdir/inst1/${host}.conf`),
      );
      expect(found(resources, host, 'register named').desired).toMatchObject({ places: ['etcd'] });
    }
  });

  it('that has it no more forgets the password, once the promise names it no more', async () => {
    const resources = compiled('provision', await clusterOf(pairInventory));
    const ids = idsOn('server1', resources);
    expect(ids.indexOf('gone /mcdir/inst1/etcd.password')).toBeGreaterThan(ids.indexOf('register named'));
    expect(ids).not.toContain('file /mcdir/inst1/etcd.password');
  });
});

describe('clusters without an arbiter', () => {
  it('a pair is provisioned as ever, and nobody may be named', async () => {
    const resources = compiled('provision', await clusterOf(pairInventory));
    expect(found(resources, 'server1', 'file /mcdir/inst1/network.conf').after).toEqual([]);
    expect(found(resources, 'server1', 'register named').desired).toMatchObject({ places: [] });
    expect(new Set(resources.map(({ host }) => host))).toEqual(new Set(['server1', 'server2']));
  });

  it('three servers name themselves', async () => {
    const cluster = await clusterOf(threeInventory.replace(', on_heartbeat_loss: fallback', ''));
    const resources = compiled('provision', cluster);
    expect(found(resources, 'server3', 'register named').desired).toMatchObject({
      places: ['server1', 'server2', 'server3'],
    });
    expect(contentOf(found(resources, 'server3', 'file /mcdir/inst1/server3.conf'))).toContain(
      'heartbeat_error_action = arbitration',
    );
  });
});

describe('a host that is called arbiter, and is none', () => {
  it('is a server like any other', async () => {
    const cluster = await clusterOf(pairInventory.replace('server2', 'arbiter'));
    expect(idsOn('arbiter', compiled('provision', cluster))).not.toContain('user mcarb');
  });
});

describe('a teardown', () => {
  it.each([
    ["{ Log_Filename: 'sales %a.log' }", 'sales %a.log'],
    ['{ work_mem: 8MB }', undefined],
  ])('knows by which names the log stands in a management directory: %s', async (settings, filename) => {
    const cluster = await clusterOf(
      pairInventory.replace(
        'data_dir: /database/inst1 }',
        `data_dir: /database/inst1, settings: ${settings} }`,
      ),
    );
    const keep = {
      kind: 'teardown',
      keepData: false,
      allData: false,
      controllersOnly: false,
      moved: false,
      keep: 'server1',
    } as const;
    const resources = compiled('teardown', cluster, preferredView(cluster), keep);
    for (const host of ['server1', 'server2']) {
      const desired = found(resources, host, 'forgotten /mcdir/inst1').desired as { logFilename?: string };
      expect(desired.logFilename).toBe(filename);
    }
  });

  it('dismisses the arbiter at the very end, and takes its programs only from a machine that needs them no more', async () => {
    const cluster = await clusterOf(arbiterInventory);
    const view = preferredView(cluster);
    const intent = {
      kind: 'teardown',
      keepData: false,
      allData: false,
      controllersOnly: false,
      moved: false,
      keep: 'server1',
    } as const;
    const resources = compiled('teardown', cluster, view, intent);
    expect(idsOn('arb1', resources)).toEqual([
      'firewall mcarb_arbiter absent',
      'dismissed /mcarb/arbiter/clusters/inst1',
      'gone /usr/local/bin/mc_arb',
      'gone /etc/needrestart/conf.d/pgduet.conf',
      'gone /usr/local/lib/pgduet/mc.cjs',
      'gone /usr/local/lib/pgduet',
    ]);
    const last = found(resources, 'arb1', 'dismissed /mcarb/arbiter/clusters/inst1');
    expect(last.after).toEqual([
      { host: 'server2', id: 'forgotten /mcdir/inst1' },
      { host: 'server1', id: 'forgotten /mcdir/inst1' },
    ]);
    const bundle = found(resources, 'server1', 'gone /usr/local/lib/pgduet/mc.cjs');
    expect((bundle.desired as { readonly unless: string }).unless).toContain('mcarb_*.service');
  });
});
