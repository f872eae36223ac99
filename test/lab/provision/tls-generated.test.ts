/**
 * TLS between the servers with certificates that pgduet makes, on one pair of real hosts: it is turned on under a client that writes, a wrong CA is
 * refused, and it holds through a failover, a rebuild and a lost management directory. Each test stands on what the one before has left.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { lose } from '../lost/losing.ts';
import { Authority, asClient } from '../support/certificates.ts';
import { type LabCluster, provisionedPair } from '../support/cluster.ts';
import { fileText, type Server, sql, untilMirroring, untilSwitchable } from '../support/instance.ts';
import { dataDir, managementDir } from '../support/inventory.ts';
import { expectRowsTravel } from '../support/multiplexed.ts';
import { type CheckDocument, expectExit, findingsOf } from '../support/pgduet.ts';
import { startWriter, writerSetup } from './writer.ts';

const conf = ({ host }: Server): string => fileText(host, `${dataDir}/postgresql.conf`);
/** Who is primary, and what is demanded of clients, does not matter here. */
const found = (document: CheckDocument): readonly string[] =>
  findingsOf(document)
    .filter(({ code }) => code !== 'PRF001' && code !== 'TLS030')
    .map(({ code, host }) => `${host} ${code}`);

const list = ({ host }: Server): string => fileText(host, `${managementDir}/tls/ca.pem`);

describeLab('TLS with certificates that pgduet makes', () => {
  let pair: LabCluster;
  let tls: LabCluster;
  let a: Server;
  let b: Server;
  const stranger = new Authority('somebody else');
  beforeAll(async () => {
    pair = await provisionedPair();
    [a, b] = [pair.primary, pair.standby];
    tls = pair.declared('generated.yml', { postgres: { tls: 'generated' } });
    await sql(a, `${writerSetup}; CREATE DATABASE app OWNER app`);
    await sql(a, 'CREATE TABLE written (n int PRIMARY KEY); ALTER TABLE written OWNER TO app', 'app');
  });
  afterAll(async () => {
    stranger.close();
    await pair?.close();
  });

  async function expectVerified(primary: Server, standby: Server): Promise<void> {
    const encrypted = 'select s.ssl, s.version from pg_stat_ssl s join pg_stat_replication r using (pid)';
    expect(await sql(primary, encrypted)).toBe('t|TLSv1.3');
    expect(await sql(standby, 'select conninfo from pg_stat_wal_receiver')).toContain('sslmode=verify-full');
    await expectRowsTravel({ primary, standbys: [standby], version: pair.version });
  }

  labTest('is turned on under a client that writes, and goes on from where a run was killed', async () => {
    expectExit(await pair.run('check'), 0);
    // As a run leaves it that was killed between the key and its certificate.
    await a.host.sh(
      `install -d -m 700 -o postgres ${managementDir}/tls ${managementDir}/tls/request
runuser -u postgres -- openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ${managementDir}/tls/request/server.key
chmod 600 ${managementDir}/tls/request/server.key`,
      { check: true },
    );
    const key = fileText(a.host, `${managementDir}/tls/request/server.key`);
    const writer = startWriter([a, b]);
    await writer.more(50);
    expectExit(await tls.provision(), 0);
    await writer.more(50);
    const acknowledged = await writer.end();
    await untilSwitchable(a);
    const rows = (await sql(a, 'select n from written', 'app')).split('\n').map(Number);
    expect(acknowledged.filter((row) => !rows.includes(row))).toEqual([]);
    await expectVerified(a, b);
    const [, named = ''] = /^ssl_key_file = '?([^'\n]*)/m.exec(conf(a)) ?? [];
    expect(fileText(a.host, named)).toBe(key);
    expect(list(a)).toBe(list(b));
    expect(list(a).match(/BEGIN CERTIFICATE/g)).toHaveLength(1);
    expectExit(await tls.run('check'), 0);
    expectExit(await tls.provision('--check'), 0);
  });

  labTest('lets clients in that have the list of pgduet ca, and no others', async () => {
    const said = await tls.run('ca');
    expectExit(said, 0);
    for (const server of [a, b]) expect(await asClient(b, server, said.stdout)).toBe('t');
    expect(await asClient(b, a, stranger.certificate)).toMatch(/certificate verify failed/);
    expect((await tls.run('status')).stdout).toContain('sslmode=verify-full&sslrootcert=inst1-ca.pem');
    const shown = await tls.run('certificates', '--json');
    expectExit(shown, 0);
    expect(shown.json()).toMatchObject({
      primary: 'server1',
      servers: ['server1', 'server2'].map((server) => ({ server, showing: 'serves', problem: null })),
      signers: [{ subject: expect.stringMatching(/^CN=pgduet inst1 /) }],
    });
  });

  labTest('does not spread a CA that only a standby has on its list', async () => {
    const before = list(a);
    await b.host.sh(`cat >> ${managementDir}/tls/ca.pem`, { input: stranger.certificate, check: true });
    expect(found(await tls.check())).toEqual(['server2 FIL002']);
    expectExit(await tls.provision(), 0);
    expect([list(a), list(b)]).toEqual([before, before]);
  });

  labTest(
    'keeps a standby from a primary that its list does not know, until provision brings the list',
    async () => {
      const copy = '/var/lib/postgresql/.pgduet-ca-*.pem';
      await b.host.sh(`for f in ${copy}; do cat > "$f"; done`, { input: stranger.certificate, check: true });
      await sql(a, 'select pg_terminate_backend(pid) from pg_stat_replication');
      const said = `grep -rhoE 'certificate verify failed' ${managementDir}/server2-log | sort -u`;
      await expect.poll(async () => (await b.host.sh(said)).stdout, { timeout: 20_000 }).toMatch(/failed/);
      expectExit(await tls.provision(), 0);
      await tls.untilSwitchable();
      await expectVerified(a, b);
    },
  );

  labTest('holds through a failover and a rebuild', async () => {
    await a.host.sh(`kill -9 $(head -n 1 ${dataDir}/postmaster.pid)`, { check: true });
    await untilMirroring(b, 'switched');
    expectExit(await tls.run('rebuild', 'server1', '--copy', '--yes'), 0);
    await tls.untilSwitchable();
    await expectVerified(b, a);
    expectExit(await tls.run('check'), 0);
    expectExit(await tls.provision('--check'), 0);
  });

  labTest(
    'outlives a management directory that is lost: the standby reconnects, and gets a pair anew',
    async () => {
      await lose(a, 'runs');
      await sql(b, 'select pg_terminate_backend(pid) from pg_stat_replication');
      await expect.poll(() => sql(b, 'select count(*) from pg_stat_replication')).toBe('1');
      await expectVerified(b, a);
      expect(findingsOf(await tls.check()).map(({ code, host }) => `${host} ${code}`)).toContain(
        'server1 TLS025',
      );
      expectExit(await tls.provision(), 0);
      await tls.untilSwitchable();
      await expectVerified(b, a);
      // Nobody has the key of the first CA any more.
      expect(found(await tls.check())).toEqual(['server1 TLS023']);
      const { stdout } = await tls.run('ca');
      expect(stdout.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
      for (const server of [a, b]) expect(await asClient(b, server, stdout)).toBe('t');
      expectExit(await tls.provision('--check'), 0);
    },
  );

  labTest('leaves a single server that goes on serving it', async () => {
    expectExit(await tls.run('teardown', '--yes'), 0);
    await b.host.sh(`systemctl restart postgresql_inst1`, { check: true });
    expect(await asClient(b, b, list(b))).toBe('t');
    expect((await b.host.sh(`ls -A ${managementDir}`)).stdout.trim()).toBe('tls');
    // No connection string names the copy of the list any more.
    expect((await b.host.sh('ls -A /var/lib/postgresql/.pgduet*')).stdout.trim()).toBe('');
    expect((await a.host.sh(`ls -A ${managementDir} /var/lib/postgresql/.pgduet*`)).stdout.trim()).toBe('');
    expectExit(await tls.run('teardown', '--yes'), 0);
  });
});
