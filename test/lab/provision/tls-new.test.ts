/**
 * A new cluster whose inventory has TLS: it is demanded from the first copy on, of servers and clients, on real hosts. One of them has what `pgduet
 * init` writes: which points of an auditor it fails, with `hardening: cis`, too, and that what is undone by hand is told, mended, and gone at the end.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { failed, failing } from '../support/audit-points.ts';
import { Authority, lay, tlsFiles } from '../support/certificates.ts';
import { freshPair, type LabCluster } from '../support/cluster.ts';
import { fileText, sql } from '../support/instance.ts';
import { dataDir, managementDir, type YamlMap } from '../support/inventory.ts';
import { expectRowsTravel } from '../support/multiplexed.ts';
import { type CheckDocument, expectExit, findingsOf } from '../support/pgduet.ts';

const shipped = readFileSync(join(import.meta.dirname, '../../../inventories/pair.yml'), 'utf8');
const written = (key: string): string =>
  new RegExp(`^  ${key}: (\\w+)`, 'm').exec(shipped)?.[1] ?? `no ${key} in pair.yml`;
/** What `pgduet init` writes, but for what a small host cannot have. */
const asInit: YamlMap = {
  tls: written('tls'),
  tls_clients: written('tls_clients'),
  hardening: written('hardening'),
  settings: { max_connections: 100, shared_buffers: '16MB' },
};
/** A network of its own for replication, with addresses of IPv6. */
const host = ({ address6 }: { readonly address6: string }) => ({ log_transfer_address: address6 });
const umaskFile = '/etc/profile.d/pgduet_inst1.sh';

describeLab('a new pair as pgduet init has it', () => {
  let pair: LabCluster;
  beforeAll(async () => {
    // It has a package source, on its own disk.
    pair = await freshPair({ postgres: asInit, host, image: 'debian12-bare' });
  });
  afterAll(() => pair?.close());

  labTest(
    'is made by one run, verifies from the first copy on, and a second run changes nothing',
    async () => {
      expectExit(await pair.provision(), 0);
      await pair.untilSwitchable();
      const source = await sql(pair.standby, 'select conninfo from pg_stat_wal_receiver');
      expect(source).toContain('sslmode=verify-full');
      expect(source).toContain(`host=${pair.primary.host.address6}`);
      const encrypted = 'select s.ssl, s.version from pg_stat_ssl s join pg_stat_replication r using (pid)';
      expect(await sql(pair.primary, encrypted)).toBe('t|TLSv1.3');
      for (const { host } of pair.servers) {
        expect(fileText(host, `${dataDir}/pg_hba.conf`)).toMatch(/^hostssl +replication/m);
        const names = (await host.sh(`ls ${managementDir}/tls`)).stdout.trim().split('\n');
        expect(names.filter((name) => !/^[0-9a-f]{16}$/.test(name))).toEqual(['ca.pem']);
        expect(names).toHaveLength(2);
        const modes = await host.sh(`find ${managementDir}/tls -printf '%m %u\\n' | sort -u`);
        expect(modes.stdout).toBe('600 postgres\n700 postgres\n');
      }
      await expectRowsTravel({ primary: pair.primary, standbys: pair.standbys, version: pair.version });
      expectExit(await pair.run('check'), 0);
      expectExit(await pair.provision('--check'), 0);
    },
  );

  labTest('fails the points of an auditor that docs/security.md says, and no more', async () => {
    expect(await failed(pair)).toEqual(failing('init'));
  });

  labTest('what is undone by hand is told, and mended', async () => {
    await sql(
      pair.primary,
      'GRANT USAGE ON SCHEMA public TO PUBLIC; ALTER ROLE pgduet_repl CONNECTION LIMIT -1',
    );
    await pair.standby.host.sh(`rm ${umaskFile}`, { check: true });
    const told = findingsOf(await pair.check()).map(({ code, object }) => `${code} ${object}`);
    expect(told.toSorted()).toEqual([`FIL001 ${umaskFile}`, 'ROL002 pgduet_repl', 'ROL008 postgres']);
    expectExit(await pair.provision(), 0);
    expect(await failed(pair)).toEqual(failing('init'));
    expectExit(await pair.run('check'), 0);
  });

  labTest('a database from template1 is closed, and its owner at home', async () => {
    await sql(pair.primary, 'CREATE ROLE app; CREATE DATABASE app OWNER app');
    const may = (role: string) => `has_schema_privilege('${role}', 'public', 'usage')`;
    await sql(pair.primary, 'CREATE ROLE other');
    expect(await sql(pair.primary, `select ${may('app')}, ${may('other')}`, 'app')).toBe('t|f');
    await sql(pair.primary, 'DROP DATABASE app; DROP ROLE app, other');
  });

  labTest('with cis it fails fewer, and check has nothing to tell', async () => {
    const cis = pair.inventory('cis.yml', { postgres: { ...asInit, hardening: 'cis' }, host });
    expectExit(await pair.command(['provision', '-i', cis, '--yes']), 0);
    expect(await failed(pair)).toEqual(failing('cis'));
    expectExit(await pair.command(['check', '-i', cis]), 0);
    await sql(pair.primary, "CREATE ROLE audited PASSWORD 'very-Secret-1'");
    await sql(pair.primary, 'DROP ROLE audited');
    const logs = (await pair.primary.host.sh(`grep -h AUDIT: ${managementDir}/*-log/*.log`)).stdout;
    expect(logs).toMatch(/AUDIT: SESSION,\d+,\d+,ROLE,CREATE ROLE,.*<REDACTED>/);
    expect(logs).not.toMatch(/very-Secret-1|SCRAM-SHA-256\$/);
  });

  labTest('what cis brought from packages is told when it is gone, and comes back', async () => {
    const cis = pair.inventory('cis.yml', { postgres: { ...asInit, hardening: 'cis' }, host });
    const remove = 'DEBIAN_FRONTEND=noninteractive apt-get remove -y postgresql-15-pgaudit';
    await pair.standby.host.sh(remove, { check: true });
    await sql(pair.primary, 'DROP EXTENSION set_user');
    const said = await pair.command(['check', '-i', cis, '--json']);
    const told = findingsOf(said.json<CheckDocument>()).map(({ code, object }) => `${code} ${object}`);
    expect(told.toSorted()).toEqual(['HRD001 set_user', 'PKG001 postgresql-15-pgaudit']);
    // The copy names a library that its host does not have any more.
    expectExit(await pair.command(['rebuild', pair.standby.host.name, '-i', cis, '--copy', '--yes']), 0);
    await pair.untilSwitchable();
    expect(await sql(pair.standby, 'SHOW shared_preload_libraries')).toMatch(/\bpgaudit, set_user$/);
    expectExit(await pair.command(['provision', '-i', cis, '--yes']), 0);
    expect(await failed(pair)).toEqual(failing('cis'));
    expectExit(await pair.command(['check', '-i', cis]), 0);
  });

  labTest('teardown leaves no file of it', async () => {
    expectExit(await pair.run('teardown', '--yes'), 0);
    for (const { host } of pair.servers) expect((await host.sh(`ls ${umaskFile}`)).status).not.toBe(0);
  });
});

describeLab('a new pair with TLS', () => {
  let pair: LabCluster;
  const authority = new Authority('lab CA');
  beforeAll(async () => {
    pair = await freshPair({ postgres: { tls: tlsFiles, tls_clients: 'required' } });
  });
  afterAll(async () => {
    authority.close();
    await pair?.close();
  });

  labTest('replicates by it from the beginning, and a second provision changes nothing', async () => {
    for (const server of pair.servers)
      await lay(server, authority.sign([`IP:${server.address}`]), authority.certificate);
    expectExit(await pair.provision(), 0);
    await pair.untilSwitchable();
    const encrypted = 'select s.ssl, s.version from pg_stat_ssl s join pg_stat_replication r using (pid)';
    expect(await sql(pair.primary, encrypted)).toBe('t|TLSv1.3');
    const source = await sql(pair.standby, 'select conninfo from pg_stat_wal_receiver');
    expect(source).toContain('sslmode=verify-full');
    expect(source).toContain('channel_binding=require');
    for (const { host } of pair.servers) {
      const rules = fileText(host, `${dataDir}/pg_hba.conf`);
      expect(rules).toMatch(/^hostssl +replication/m);
      expect(rules).toMatch(/^hostssl +app +app .*\nhostnossl +app +app .* reject$/m);
    }
    await expectRowsTravel({ primary: pair.primary, standbys: pair.standbys, version: pair.version });
    expectExit(await pair.run('check'), 0);
    expectExit(await pair.provision('--check'), 0);
  });

  labTest('is torn down to a server that goes on serving by these files, which stay', async () => {
    const { primary, standby } = pair;
    const laid = (server: typeof primary) =>
      Object.values(tlsFiles).map((path) => fileText(server.host, path));
    const before = [primary, standby].map(laid);
    expectExit(await pair.run('teardown', '--yes'), 0);
    await primary.host.sh('systemctl restart postgresql_inst1', { check: true });
    expect(await sql(primary, 'show ssl; show ssl_cert_file; show primary_conninfo')).toBe(
      `on\n${tlsFiles.certificate}\n`,
    );
    expect([primary, standby].map(laid)).toEqual(before);
    expect((await primary.host.sh(`ls -d ${managementDir}`)).stdout).toBe('');
  });
});
