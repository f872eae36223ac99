/** Inventories that load: what they become, and where their values stand. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { arbiterConf, patienceMs } from '../../src/controller/config-arbiter.ts';
import { type Cluster, registerOf, type Server, serverOn, withHosts } from '../../src/inventory/cluster.ts';
import { type LoadedInventory, loadInventory, parseInventory } from '../../src/inventory/load.ts';
import type { Lookups } from '../../src/inventory/lookups.ts';
import { giveUpMs } from '../../src/playbook/variables/controller.ts';
import { certificate, fakeLookups } from './lookups.ts';

const examples = join(import.meta.dirname, '../../inventories');

async function load(text: string, lookups: Partial<Lookups> = {}): Promise<LoadedInventory> {
  const result = await parseInventory(text, 'inv.yml', { ...fakeLookups(), ...lookups });
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics, null, 1));
  return result.value;
}

function server(cluster: Cluster, name: string): Server {
  const found = serverOn(cluster, name);
  if (found === undefined) throw new Error(`no server on ${name}`);
  return found;
}

const smallest = `cluster: inst1
postgres: { version: 15, data_dir: /database/inst1/ }
multiplexing: { management_dir: /mcdir/inst1, on_heartbeat_loss: fallback }
hosts:
  server1: { address: 192.0.2.100, role: primary }
  server2: { address: 192.0.2.110, role: standby }
`;

describe('the examples', () => {
  it.each(readdirSync(examples))('%s loads as it is', async (name) => {
    const result = await loadInventory(join(examples, name), { env: {} });
    expect(result.ok ? [] : result.diagnostics).toEqual([]);
  });

  it.each(readdirSync(examples))('%s names the schema for editors', (name) => {
    const first = readFileSync(join(examples, name), 'utf8').split('\n')[0];
    expect(first).toBe('# yaml-language-server: $schema=../schema/inventory.json');
  });
});

describe('what pgduet init writes', () => {
  const text = readFileSync(join(examples, 'pair.yml'), 'utf8');

  it('chooses the word that loses nothing, and says beside it what each word means', async () => {
    const { cluster, warnings } = await load(text);
    expect(server(cluster, 'server1').multiplexing.onHeartbeatLoss).toBe('message');
    expect(warnings).toEqual([]);
    for (const word of ['message', 'command', 'fallback'])
      expect(text).toMatch(new RegExp(`^ +# +${word} `, 'm'));
  });
});

describe('an etcd', () => {
  const pair = smallest.replace(', on_heartbeat_loss: fallback', '');
  const etcd = `arbiter:
  etcd: [https://192.0.2.121:2379, 'https://[2001:db8::2]:2379']
  ca: etcd-ca.pem
  user: pgduet
  password: !file etcd.password
`;
  const withEtcd = pair.replace('hosts:', `${etcd}hosts:`);

  it('decides where nothing else is said, about keys of this cluster, and no host is its own', async () => {
    const { cluster, warnings } = await load(withEtcd);
    expect(cluster.etcd).toMatchObject({
      endpoints: ['https://192.0.2.121:2379', 'https://[2001:db8::2]:2379'],
      ...{ ca: certificate, user: 'pgduet', prefix: '/pgduet/inst1/' },
    });
    expect(cluster.etcd?.password.reveal()).toBe('of etcd alone');
    expect(cluster.hosts).toHaveLength(2);
    expect(server(cluster, 'server1').multiplexing.onHeartbeatLoss).toBe('arbitration');
    expect(registerOf(cluster)).toEqual(['etcd']);
    expect(warnings).toEqual([]);
  });

  it('has its keys where the inventory says so', async () => {
    const { cluster } = await load(withEtcd.replace('  user:', '  prefix: /dba/pgduet/\n  user:'));
    expect(cluster.etcd?.prefix).toBe('/dba/pgduet/inst1/');
  });
});

describe('an arbiter', () => {
  const pair = smallest.replace(', on_heartbeat_loss: fallback', '');
  const withArbiter = `${pair}  arb1: { address: 192.0.2.120, role: arbiter }\n`;

  it('is a host without a server, and decides where nothing else is said', async () => {
    const { cluster, warnings } = await load(withArbiter);
    expect(cluster.hosts.map(({ name }) => name)).toEqual(['server1', 'server2', 'arb1']);
    expect(cluster.servers.map(({ name }) => name)).toEqual(['server1', 'server2']);
    expect(cluster.arbiter).toEqual({
      name: 'arb1',
      host: cluster.hosts[2],
      adminAddress: '192.0.2.120',
      port: 27541,
      managementDir: '/mcarb/arbiter',
      owner: 'mcarb',
      unit: 'mcarb_arbiter',
    });
    expect(server(cluster, 'server1').multiplexing.onHeartbeatLoss).toBe('arbitration');
    expect(registerOf(cluster)).toEqual(['arb1']);
    expect(warnings).toEqual([]);
  });

  it('has a place of its own where the inventory says so, and its unit is named after it', async () => {
    const { cluster } = await load(
      `${pair}  arb1: { address: 192.0.2.120, admin_address: 10.0.0.3, role: arbiter, multiplexing: { port: 27600, management_dir: /srv/mcarb/east/ } }\n`,
    );
    expect(cluster.arbiter).toMatchObject({
      adminAddress: '10.0.0.3',
      port: 27600,
      managementDir: '/srv/mcarb/east',
      unit: 'mcarb_east',
    });
  });

  it('runs as the login user where scripts do not run as root', async () => {
    const { cluster } = await load(
      withArbiter
        .replace('role: arbiter', 'role: arbiter, ssh: { user: deploy }')
        .replace('15,', '15, owner: deploy,'),
    );
    expect(cluster.arbiter?.owner).toBe('deploy');
  });

  it('may share the machine of a server, and of both; with one of two it is said what that means', async () => {
    const shared = withArbiter.replace('192.0.2.120', '192.0.2.110');
    const { cluster, warnings } = await load(shared);
    expect(cluster.hosts[2]?.machine).toBe(cluster.hosts[1]?.machine);
    expect(cluster.servers.map(({ unit }) => unit)).toEqual(['mcoi_inst1', 'mcoi_inst1']);
    expect(warnings.map(({ code, what }) => `${code} ${what}`)).toEqual([
      "INV021 the arbiter 'arb1' is on the machine of 'server2'",
    ]);
    const local = await load(`cluster: inst1
postgres: { version: 15, data_dir: /database/inst1 }
multiplexing: { management_dir: /mcdir/inst1 }
hosts:
  server1: { connection: local, role: primary }
  server2: { connection: local, role: standby, postgres: { port: 27501, data_dir: /database/two }, multiplexing: { port: 27542, management_dir: /mcdir/two } }
  arb1: { connection: local, role: arbiter }
`);
    expect(local.warnings).toEqual([]);
    expect(registerOf(local.cluster)).toEqual(['arb1']);
  });

  it('moves to other hosts with its cluster', async () => {
    const { cluster } = await load(withArbiter);
    const moved = withHosts(cluster, (host) => ({ ...host, address: '203.0.113.1' }));
    expect(moved.arbiter?.host).toBe(moved.hosts[2]);
    expect(moved.arbiter?.host.address).toBe('203.0.113.1');
  });
});

describe('three servers', () => {
  const three = `${smallest.replace(', on_heartbeat_loss: fallback', '')}  server3: { address: 192.0.2.130, role: standby }\n`;

  it('decide by their majority where nothing else is said', async () => {
    const { cluster } = await load(three);
    expect(server(cluster, 'server3').multiplexing.onHeartbeatLoss).toBe('arbitration');
    expect(registerOf(cluster)).toEqual(['server1', 'server2', 'server3']);
  });

  it('leave it to the arbiter that is declared, and to nobody under another policy', async () => {
    const { cluster } = await load(`${three}  arb1: { address: 192.0.2.120, role: arbiter }\n`);
    expect(registerOf(cluster)).toEqual(['arb1']);
    const other = await load(three.replace('/mcdir/inst1', '/mcdir/inst1, on_heartbeat_loss: message'));
    expect(registerOf(other.cluster)).toEqual([]);
  });
});

describe('what a server may do', () => {
  it('stands with the server, and an asynchronous copy does not vote', async () => {
    const { cluster, warnings } = await load(
      `${smallest.replace(', on_heartbeat_loss: fallback', '')}  server3: { address: 192.0.2.130, role: standby, failover: never }
  server4: { address: 192.0.2.140, role: standby, priority: 200 }
  far1: { address: 198.51.100.7, role: standby, replication: asynchronous }
`,
    );
    expect(cluster.servers.map(({ duty }) => Object.values(duty))).toEqual([
      ['automatic', 100, 'synchronous'],
      ['automatic', 100, 'synchronous'],
      ['never', 100, 'synchronous'],
      ['automatic', 200, 'synchronous'],
      ['automatic', 100, 'asynchronous'],
    ]);
    expect(registerOf(cluster)).toEqual(['server1', 'server2', 'server3', 'server4']);
    expect(warnings).toEqual([]);
  });
});

describe('the smallest inventory', () => {
  it('has every default', async () => {
    const { cluster } = await load(smallest);
    const host = {
      name: 'server2',
      connection: 'ssh',
      address: '192.0.2.110',
      machine: '192.0.2.110:22',
      privileged: true,
      ssh: { become: 'none', connectTimeoutMs: 10_000 },
    };
    expect(cluster.hosts[1]).toEqual(host);
    expect(server(cluster, 'server2')).toEqual({
      name: 'server2',
      host,
      adminAddress: '192.0.2.110',
      logTransferAddress: '192.0.2.110',
      preferredRole: 'standby',
      duty: { failover: 'automatic', priority: 100, replication: 'synchronous' },
      postgres: {
        version: 15,
        port: 27500,
        dataDir: '/database/inst1',
        owner: 'postgres',
        socketDir: '/var/run/postgresql',
        settings: {},
        hba: [],
      },
      multiplexing: {
        managementDir: '/mcdir/inst1',
        port: 27540,
        failover: 'automatic',
        heartbeat: { intervalMs: 800, timeoutMs: 1000, retries: 2 },
        onHeartbeatLoss: 'fallback',
        referenceAddresses: [],
        unitAllows: [],
        keys: {},
      },
      unit: 'mcoi_inst1',
    });
    expect(cluster.name).toBe('inst1');
    expect(cluster.file).toBe('inv.yml');
    expect(cluster.replicationUser).toBe('pgduet_repl');
    expect('replicationPassword' in cluster).toBe(false);
  });

  it.each([
    ['normal', { intervalMs: 800, timeoutMs: 1000, retries: 2 }],
    ['fast', { intervalMs: 200, timeoutMs: 500, retries: 2 }],
    ['{ timeout: 1500ms }', { intervalMs: 800, timeoutMs: 1500, retries: 2 }],
    ['', { intervalMs: 800, timeoutMs: 1000, retries: 2 }],
  ])('heartbeat: %s stands for times', async (heartbeat, times) => {
    const text = smallest.replace('management_dir:', `heartbeat: ${heartbeat}, management_dir:`);
    expect(server((await load(text)).cluster, 'server1').multiplexing.heartbeat).toEqual(times);
  });

  it('fast gives a silent server up after 2.1 s, and not before an arbiter does', async () => {
    const { cluster } = await load(smallest.replace('management_dir:', 'heartbeat: fast, management_dir:'));
    expect(giveUpMs(server(cluster, 'server1'))).toBe(2100);
    expect(patienceMs(arbiterConf({ myAddress: '192.0.2.120' }))).toBe(1800);
  });

  it('warns once of what fallback risks', async () => {
    const { warnings } = await load(smallest);
    expect(warnings.map((one) => one.code)).toEqual(['INV021']);
    expect(warnings[0]?.at).toMatchObject({ line: 3, length: 'fallback'.length });
  });

  it.each(['on_heartbeat_loss: message', 'on_heartbeat_loss: fallback, failover: manual'])(
    'does not warn with %s',
    async (policy) => {
      const text = smallest.replace('on_heartbeat_loss: fallback', policy);
      expect((await load(text)).warnings).toEqual([]);
    },
  );

  it('takes Windows line ends and a byte order mark', async () => {
    const { cluster } = await load(`\uFEFF${smallest.replaceAll('\n', '\r\n')}`);
    expect(cluster.hosts).toHaveLength(2);
    expect(cluster.positionOf('hosts', 'server2', 'role')?.text).toBe(
      '  server2: { address: 192.0.2.110, role: standby }',
    );
  });

  it('counts a key without a value as left out', async () => {
    const { cluster } = await load(
      `${smallest.replace('postgres: {', 'postgres: { wal_dir: ,')}ssh:\nsecrets:\n`,
    );
    expect(server(cluster, 'server1').postgres.walDir).toBeUndefined();
  });

  it('resolves aliases', async () => {
    const text = smallest
      .replace('cluster: inst1', 'cluster: &name inst1')
      .replace('version: 15', 'version: 15, owner: *name');
    expect(server((await load(text)).cluster, 'server1').postgres.owner).toBe('inst1');
  });
});

describe('overrides and details', () => {
  const local = `cluster: two
ssh: { user: deploy, identity_file: ~/.ssh/key, known_hosts: hosts, connect_timeout: 1.5s }
postgres:
  version: 17
  data_dir: /database/two
  settings: { unix_socket_permissions: 0700, work_mem: 4MB, log_min_duration_statement: -1, jit: off, checkpoint_completion_target: 0.90 }
  hba:
    - { type: host, database: app, user: app, address: 10.0.0.7, method: scram-sha-256 }
    - { type: local, database: all, user: all, method: peer }
multiplexing: { management_dir: /mcdir/two, on_heartbeat_loss: command, arbitration_command: /usr/local/bin/decide }
hosts:
  a: { connection: local, role: primary }
  b:
    connection: local
    role: standby
    service_manager: systemd
    postgres: { port: 27501, data_dir: /database/two-b, wal_dir: /wal/b, socket_dir: /tmp }
    multiplexing: { port: 27541, management_dir: /mcdir/two-b }
`;

  it('are those of each host', async () => {
    const { cluster } = await load(local);
    expect(server(cluster, 'a').unit).toBe('mcoi_two_a');
    expect(server(cluster, 'a').host).toMatchObject({ address: '127.0.0.1', privileged: false });
    expect(server(cluster, 'a').postgres).toMatchObject({
      port: 27500,
      dataDir: '/database/two',
      socketDir: '/mcdir/two',
    });
    expect(server(cluster, 'b')).toMatchObject({ unit: 'mcoi_two_b', host: { serviceManager: 'systemd' } });
    expect(server(cluster, 'b').postgres).toMatchObject({
      port: 27501,
      dataDir: '/database/two-b',
      walDir: '/wal/b',
      socketDir: '/tmp',
    });
    expect(server(cluster, 'b').multiplexing).toMatchObject({
      port: 27541,
      managementDir: '/mcdir/two-b',
      arbitrationCommand: '/usr/local/bin/decide',
    });
    expect(server(cluster, 'a').host.ssh).toEqual({
      user: 'deploy',
      identityFile: '/home/me/.ssh/key',
      knownHosts: '/work/hosts',
      become: 'none',
      connectTimeoutMs: 1500,
    });
  });

  it('keep the form of numbers, and give one address its mask', async () => {
    const { settings, hba } = server((await load(local)).cluster, 'a').postgres;
    expect(settings).toEqual({
      unix_socket_permissions: '0700',
      work_mem: '4MB',
      log_min_duration_statement: -1,
      jit: 'off',
      checkpoint_completion_target: '0.90',
    });
    expect(hba[0]?.address).toBe('10.0.0.7/32');
    expect(hba[1]).toEqual({ type: 'local', database: 'all', user: 'all', method: 'peer' });
  });

  it.each([
    ['ssh: { user: deploy }', false],
    ['ssh: { user: root }', true],
    ['ssh: { user: deploy, become: sudo }', true],
    ['ssh: { port: 2222 }', true],
  ])('%s makes privileged %s', async (ssh, privileged) => {
    expect(server((await load(`${ssh}\n${smallest}`)).cluster, 'server1').host.privileged).toBe(privileged);
  });

  it('a local host is privileged as this process is', async () => {
    const { cluster } = await load(local, { uid: 0 });
    expect(server(cluster, 'a').host).toMatchObject({ privileged: true });
    expect(server(cluster, 'a').postgres.socketDir).toBe('/var/run/postgresql');
  });

  it('are called as they are written, and keep their order', async () => {
    const named = (one: string, other: string) =>
      load(smallest.replace('server1:', `${one}:`).replace('server2:', `${other}:`));
    for (const [one, other] of [
      ['01', '1e3'],
      ['20', '3'],
      ['yes', 'null'],
      ['0x1F', 'True'],
    ] as const)
      expect((await named(one, other)).cluster.hosts.map(({ name }) => name)).toEqual([one, other]);
  });

  it('two hosts behind one address but other SSH ports are two machines', async () => {
    const text = smallest
      .replace(
        '192.0.2.100,',
        '192.0.2.1, log_transfer_address: 10.0.0.1, admin_address: 10.0.0.1, postgres: { port: 5001 }, ssh: { port: 2201 },',
      )
      .replace(
        '192.0.2.110,',
        '192.0.2.1, log_transfer_address: 10.0.0.2, admin_address: 10.0.0.2, ssh: { port: 2202 },',
      );
    const { cluster } = await load(text);
    expect(server(cluster, 'server2').unit).toBe('mcoi_inst1');
    expect(cluster.hosts.map(({ machine }) => machine)).toEqual(['192.0.2.1:2201', '192.0.2.1:2202']);
  });

  it('one machine is not cut off from itself: who decides need not be said', async () => {
    const silent = local.replace(
      ', on_heartbeat_loss: command, arbitration_command: /usr/local/bin/decide',
      '',
    );
    const { cluster, warnings } = await load(silent);
    expect(cluster.servers.map(({ multiplexing }) => multiplexing.onHeartbeatLoss)).toEqual([
      'fallback',
      'fallback',
    ]);
    expect(warnings).toEqual([]);
  });

  it('two servers of this machine have a host each, and one machine', async () => {
    const { cluster } = await load(local);
    expect(cluster.hosts.map(({ machine }) => machine)).toEqual(['this machine', 'this machine']);
    expect(cluster.servers.map(({ host }) => host)).toEqual(cluster.hosts);
  });

  it('hosts that are reached in another way carry the same servers', async () => {
    const { cluster } = await load(smallest);
    const other = withHosts(cluster, (host) => ({ ...host, address: `${host.name}.example` }));
    expect(other.hosts.map(({ address }) => address)).toEqual(['server1.example', 'server2.example']);
    expect(other.servers.map(({ host }) => host)).toEqual(other.hosts);
    expect(other.servers[0]).toMatchObject({ name: 'server1', postgres: cluster.servers[0]?.postgres });
  });
});

describe('positions', () => {
  it('are those of values; of the nearest parent for a default', async () => {
    const { cluster } = await load(smallest);
    expect(cluster.positionOf('hosts', 'server1', 'address')).toEqual({
      file: 'inv.yml',
      line: 5,
      column: 23,
      length: 11,
      text: '  server1: { address: 192.0.2.100, role: primary }',
    });
    expect(cluster.positionOf('postgres', 'port')).toMatchObject({ line: 2, column: 1, length: 8 });
    expect(cluster.positionOf('hosts', 'server2')).toMatchObject({ line: 6, column: 3, length: 7 });
    expect(cluster.positionOf('multiplexing', 'heartbeat', 'interval')).toMatchObject({ line: 3, column: 1 });
    expect(cluster.positionOf('secrets')).toMatchObject({ line: 1, column: 1 });
    expect(cluster.positionOf()).toMatchObject({ line: 1, column: 1 });
  });
});

describe('a file that cannot be read', () => {
  it.each([
    ['ENOENT', /no such file/],
    ['EACCES', /mode/],
    ['EISDIR', /directory/],
    ['EIO', /EIO/],
  ])('%s is told in words', async (code, why) => {
    const readFile = () => Promise.reject(Object.assign(new Error('x'), { code }));
    const result = await loadInventory('none.yml', { readFile });
    expect(result).toMatchObject({
      ok: false,
      diagnostics: [{ code: 'INV001', why: expect.stringMatching(why) }],
    });
  });

  it('is told for a directory of this machine too', async () => {
    const result = await loadInventory(examples);
    expect(result).toMatchObject({ ok: false, diagnostics: [{ code: 'INV001' }] });
  });
});

describe('arguments of a command', () => {
  const problems = async (command: string): Promise<readonly string[]> => {
    const text = `cluster: inst1
postgres: { version: 15, data_dir: /database/inst1 }
multiplexing:
  management_dir: /mcdir/inst1
  on_heartbeat_loss: message
  fencing_command: ${JSON.stringify(command)}
hosts:
  server1: { address: 192.0.2.100, role: primary }
  server2: { address: 192.0.2.110, role: standby }
`;
    const result = await parseInventory(text, 'inv.yml', fakeLookups());
    return result.ok ? [] : result.diagnostics.map(({ code, at }) => `${code} ${at?.text ?? ''}`);
  };

  it.each([
    '/bin/fence --password=hunter2',
    '/bin/fence --password hunter2',
    '/usr/bin/env PGPASSWORD=hunter2 /bin/fence',
    '/bin/fence https://me:hunter2@bmc.example.com/',
    '/bin/fence -H "Authorization: Bearer hunter2"',
  ])('%s: a secret is refused, and not shown', async (command) => {
    const told = await problems(command);
    expect(told.map((one) => one.slice(0, 6))).toEqual(['INV012']);
    expect(told.join()).not.toContain('hunter2');
  });

  it.each([
    '/bin/fence --key /etc/fence.key --password-file=/etc/fence.pw',
    '/bin/fence --no-password --verbose',
    '/bin/fence "say \\"two\\" words" --address 192.0.2.9',
  ])('%s: is no secret', async (command) => {
    expect(await problems(command)).toEqual([]);
  });
});
