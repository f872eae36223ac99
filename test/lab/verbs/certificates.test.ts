/**
 * Certificates of TLS are renewed on one pair of real hosts, under a client that writes: by a CA whose key was kept, by a new one in two steps with
 * a failover between them, behind their end, and where the server does not take the new one. Each test stands on what the one before has left.
 */
import { execFileSync } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { serialFrom, serverCertificate } from '../../../src/postgres/certificate-made.ts';
import { describeLab, labTest } from '../harness/describe.ts';
import { sleep } from '../harness/run.ts';
import { startWriter, writerSetup } from '../provision/writer.ts';
import { asClient } from '../support/certificates.ts';
import { type LabCluster, provisionedPair } from '../support/cluster.ts';
import { fileText, type Server, sql, untilMirroring, untilSwitchable } from '../support/instance.ts';
import { dataDir, managementDir, Tagged } from '../support/inventory.ts';
import { type CheckDocument, expectExit, findingsOf } from '../support/pgduet.ts';
import { Run } from '../support/running.ts';
import { lockIsFree } from '../trouble/trouble.ts';

const tlsDir = `${managementDir}/tls`;
const list = ({ host }: Server): string => fileText(host, `${tlsDir}/ca.pem`);
const codes = (document: CheckDocument): readonly string[] =>
  findingsOf(document)
    .filter(({ code }) => code !== 'PRF001' && code !== 'TLS030')
    .map(({ code, host }) => `${host} ${code}`);

interface Shown {
  readonly servers: readonly {
    readonly server: string;
    readonly showing: string;
    readonly certificate: { readonly serial: string; readonly issuer: string };
    readonly next: { readonly issuer: string } | null;
    readonly problem: string | null;
  }[];
  readonly signers: readonly { readonly subject: string }[];
}

describeLab('certificates that are renewed', () => {
  let pair: LabCluster;
  /** With the key of the first CA, of the second one, and with none. */
  let [first, second, none]: LabCluster[] = [];
  let a: Server;
  let b: Server;
  beforeAll(async () => {
    pair = await provisionedPair();
    [a, b] = [pair.primary, pair.standby];
    const keyed = (name: string): LabCluster => {
      const key = join(pair.lab.dir, `${name}.key`);
      execFileSync(
        'openssl',
        ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', key],
        {
          stdio: 'pipe',
        },
      );
      execFileSync('chmod', ['600', key]);
      return pair.declared(`${name}.yml`, {
        postgres: { tls: 'generated' },
        secrets: { ca_key: new Tagged(`!file ${key}`) },
      });
    };
    [first, second] = [keyed('first'), keyed('second')];
    none = pair.declared('none.yml', { postgres: { tls: 'generated' } });
    expectExit(await with1().provision(), 0);
    await sql(a, `${writerSetup}; CREATE DATABASE app OWNER app`);
    await sql(a, 'CREATE TABLE written (n int PRIMARY KEY); ALTER TABLE written OWNER TO app', 'app');
  });
  afterAll(() => pair?.close());

  const known = (cluster: LabCluster | undefined): LabCluster => {
    if (!cluster) throw new Error('no cluster');
    return cluster;
  };
  const with1 = (): LabCluster => known(first);
  const with2 = (): LabCluster => known(second);
  const withNone = (): LabCluster => known(none);
  const renew = (cluster: LabCluster, ...more: string[]) =>
    cluster.run('certificates', 'renew', '--yes', ...more);
  const shown = async (cluster = with1()): Promise<Shown> =>
    (await cluster.run('certificates', '--json')).json<Shown>();
  const serials = async (): Promise<readonly string[]> =>
    (await shown()).servers.map(({ certificate }) => certificate.serial);
  const issuers = async (): Promise<readonly string[]> => [
    ...new Set((await shown()).servers.map(({ certificate }) => certificate.issuer)),
  ];
  const files = async ({ host }: Server): Promise<readonly string[]> =>
    (await host.sh(`cd ${tlsDir}; find . -type f | sort`)).stdout.trim().split('\n');
  const senders = (server: Server) => sql(server, 'select pid, backend_start from pg_stat_replication');

  /** A client that writes meanwhile: no error, no row is lost. */
  async function underWriter(what: string, work: () => Promise<void>): Promise<void> {
    await sql(a, 'TRUNCATE written', 'app').catch(() => sql(b, 'TRUNCATE written', 'app'));
    const writer = startWriter([a, b]);
    await writer.more(50);
    await work();
    await writer.more(50);
    const acknowledged = await writer.end();
    process.stderr.write(
      `${what}: ${acknowledged.length} rows, longest gap ${writer.longestGapMs.toFixed(0)} ms\n`,
    );
    // Each row that the client could not write leaves a number out.
    expect(acknowledged.at(-1)).toBe(acknowledged.length);
    const leading = (await sql(a, 'select pg_is_in_recovery()')) === 'f' ? a : b;
    const rows = (await sql(leading, 'select count(*) from written', 'app')).trim();
    expect(Number(rows)).toBe(acknowledged.length);
  }

  labTest('are other ones behind a renewal, while a client writes and the standby streams', async () => {
    const before = [await serials(), await senders(a), list(a)] as const;
    const started = await sql(a, 'select pg_postmaster_start_time()');
    await underWriter('renew', async () => expectExit(await renew(with1()), 0));
    const now = await shown();
    expect(now.servers.map(({ showing, problem, next }) => [showing, problem, next])).toEqual([
      ['serves', null, null],
      ['serves', null, null],
    ]);
    const after = await serials();
    for (const serial of after) expect(before[0]).not.toContain(serial);
    expect(await senders(a)).toBe(before[1]);
    expect(list(a)).toBe(before[2]);
    expect(await sql(a, 'select pg_postmaster_start_time()')).toBe(started);
    for (const server of [a, b])
      expect(await files(server)).toEqual([
        expect.stringMatching(/^\.\/[0-9a-f]{16}\/server\.key$/),
        expect.stringMatching(/^\.\/[0-9a-f]{16}\/server\.pem$/),
        './ca.pem',
      ]);
    expectExit(await with1().run('check'), 0);
    expectExit(await with1().provision('--check'), 0);
    expectExit(await renew(with1(), 'server2'), 0);
    const [one, two] = await serials();
    expect([one === after[0], two === after[1]]).toEqual([true, false]);
  });

  labTest('cannot be made without the key of the CA, and it is said how', async () => {
    const said = await renew(withNone());
    expectExit(said, 5);
    expect(said.all).toContain('TLS028');
    expect(said.all).toContain('pgduet certificates renew --ca');
    expect((await renew(with2())).all).toContain('secrets.ca_key is the key of no CA of the list');
    expect((await renew(with1(), '--ca')).all).toContain('TLS029');
  });

  labTest('goes on where a run was killed', async () => {
    const before = await serials();
    const run = new Run(['certificates', 'renew', '-i', with1().file, '--yes']);
    while (!run.stderr.includes('server2: a key for TLS') && run.child.exitCode === null) await sleep(5);
    run.child.kill('SIGKILL');
    expect((await run.ended).status).toBe(137);
    for (const { host } of [a, b]) await expect.poll(() => lockIsFree(host), { timeout: 60_000 }).toBe(true);
    expectExit(await renew(with1()), 0);
    const after = await serials();
    for (const serial of after) expect(before).not.toContain(serial);
    for (const server of [a, b]) expect(await files(server)).toHaveLength(3);
    expectExit(await with1().run('check'), 0);
  });

  let firstList = '';
  labTest('are made ready by a new CA, and no server shows them yet', async () => {
    firstList = (await with1().run('ca')).stdout;
    const before = await serials();
    await underWriter('renew --ca', async () => {
      const said = await renew(with2(), '--ca');
      expectExit(said, 0);
      expect(said.all).toContain('Not finished');
    });
    expect(await serials()).toEqual(before);
    expect(list(a).match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(list(b)).toBe(list(a));
    expect(codes(await with1().check())).toEqual(['server1 TLS026', 'server2 TLS026']);
    for (const cluster of [with1(), with2(), withNone()]) expectExit(await cluster.provision('--check'), 0);
    expectExit(await renew(with2(), '--ca'), 0);
    expect((await renew(with1())).all).toContain('TLS029');
    expect(await serials()).toEqual(before);
  });

  labTest('holds through a failover and a rebuild between the two steps', async () => {
    await a.host.sh(`kill -9 $(head -n 1 ${dataDir}/postmaster.pid)`, { check: true });
    await untilMirroring(b, 'switched');
    expectExit(await with2().run('rebuild', 'server1', '--copy', '--yes'), 0);
    await pair.untilSwitchable();
    expect(codes(await with2().check())).toEqual(['server1 TLS026', 'server2 TLS026']);
  });

  labTest('does not take what its server cannot read: the former pair comes back', async () => {
    const before = await serials();
    // As a run leaves it that was killed before the reload; and somebody has opened the key.
    await a.host.sh(
      `name=$(cat ${tlsDir}/next); chmod 640 ${tlsDir}/$name/server.key
sed -i "s,^\\(ssl_[a-z]*_file = .*/tls/\\)[0-9a-f]*/,\\1$name/," ${dataDir}/postgresql.conf`,
      { check: true },
    );
    const said = await renew(with2(), '--ca', '--finish');
    expectExit(said, 1);
    expect(said.all).toContain('TLS011');
    expect(said.all).toContain('the former pair is named again');
    expect((await serials())[0]).toBe(before[0]);
    // What is ready is tried before it is named.
    const tried = await renew(with2(), '--ca', '--finish');
    expect(tried.status).not.toBe(0);
    expect((await serials())[0]).toBe(before[0]);
    await a.host.sh(`chmod 600 ${tlsDir}/$(cat ${tlsDir}/next)/server.key`);
  });

  labTest('are shown at the second step, and the former CA leaves the list', async () => {
    await pair.untilSwitchable();
    const senderOf = await senders(b);
    await underWriter('renew --ca --finish', async () =>
      expectExit(await renew(withNone(), '--ca', '--finish'), 0),
    );
    expect(await senders(b)).toBe(senderOf);
    expect(list(a).match(/BEGIN CERTIFICATE/g)).toHaveLength(1);
    expect(list(b)).toBe(list(a));
    expect(firstList).not.toContain(list(a).trim());
    expect(await issuers()).toHaveLength(1);
    const { stdout } = await with2().run('ca');
    for (const server of [a, b]) {
      expect(await asClient(b, server, stdout)).toBe('t');
      expect(await asClient(b, server, firstList)).toMatch(/certificate verify failed/);
      expect(await files(server)).toHaveLength(3);
    }
    await sql(b, 'select pg_terminate_backend(pid) from pg_stat_replication');
    await expect
      .poll(() => sql(b, 'select count(*) from pg_stat_replication'), { timeout: 60_000 })
      .toBe('1');
    await untilSwitchable(b);
    expectExit(await with2().run('check'), 0);
    expectExit(await with2().provision('--check'), 0);
    expectExit(await renew(withNone(), '--ca', '--finish'), 0);
  });

  labTest('that have ended are renewed although no standby can connect', async () => {
    const ca = list(b);
    const key = createPrivateKey(readFileSync(join(pair.lab.dir, 'second.key')));
    for (const server of [a, b]) {
      const own = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
      const certificate = serverCertificate(
        {
          publicKey: own.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
          names: [server.host.name, server.address],
          serial: serialFrom(randomBytes(16)),
        },
        { certificate: ca, key },
        { fromMs: Date.now() - 9 * 86_400_000, untilMs: Date.now() - 86_400_000 },
      );
      const name = new X509Certificate(certificate).fingerprint256
        .replaceAll(':', '')
        .toLowerCase()
        .slice(0, 16);
      const text = own.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
      await server.host.sh(
        `install -d -m 700 -o postgres ${tlsDir}/${name}; cd ${tlsDir}/${name}
install -m 600 -o postgres /dev/null server.key; install -m 600 -o postgres /dev/null server.pem
awk -v RS='#end\\n' 'NR == 1 { printf "%s", $0 > "server.key" } NR == 2 { printf "%s", $0 > "server.pem" }'
sed -i "s,^\\(ssl_[a-z]*_file = .*/tls/\\)[0-9a-f]*/,\\1${name}/," ${dataDir}/postgresql.conf`,
        { input: `${text}#end\n${certificate}#end\n`, check: true },
      );
      await sql(server, 'select pg_reload_conf()');
    }
    await sql(b, 'select pg_terminate_backend(pid) from pg_stat_replication');
    const said = `grep -rhoE 'certificate verify failed' ${managementDir}/server1-log | sort -u`;
    await expect.poll(async () => (await a.host.sh(said)).stdout, { timeout: 60_000 }).toMatch(/failed/);
    expect(codes(await with2().check())).toEqual(
      expect.arrayContaining(['server1 TLS004', 'server2 TLS004']),
    );
    const told = await with2().run('certificates');
    expectExit(told, 1);
    expect(told.all).toContain('has ended');
    expectExit(await renew(with2()), 0);
    await expect
      .poll(() => sql(b, 'select count(*) from pg_stat_replication'), { timeout: 60_000 })
      .toBe('1');
    await pair.untilSwitchable();
    expectExit(await with2().run('check'), 0);
  });

  labTest('of a server in maintenance are named, and hold the former CA on the list', async () => {
    expectExit(await withNone().run('maintenance', 'begin', 'server1', '--alone', '--yes'), 0);
    const ready = await renew(withNone(), '--ca');
    expectExit(ready, 2);
    expect(ready.all).toContain('server1 is in maintenance');
    const half = await renew(withNone(), '--ca', '--finish');
    expectExit(half, 2);
    expect(half.all).toContain('Not finished');
    expect(list(b).match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expectExit(await withNone().run('maintenance', 'end', 'server1', '--yes'), 0);
    await pair.untilSwitchable();
    expect(list(a)).toBe(list(b));
    expectExit(await renew(withNone(), '--ca', 'server1'), 0);
    expectExit(await renew(withNone(), '--ca', '--finish'), 0);
    expectExit(await withNone().provision('--check'), 0);
    expectExit(await renew(withNone(), '--ca'), 0);
    expectExit(await renew(withNone(), '--ca', '--finish'), 0);
    expect(list(a).match(/BEGIN CERTIFICATE/g)).toHaveLength(1);
    expect(await issuers()).toHaveLength(1);
    expectExit(await withNone().run('check'), 0);
  });
});
