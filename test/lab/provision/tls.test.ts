/**
 * TLS between the servers with certificates that somebody else has laid, on one pair of real hosts: what is wrong is refused before anything
 * changes, it is turned on under a client that writes, for servers and clients, holds through a failover in the middle, a rebuild and a switch, and
 * goes again by `optional` and `off`. Who reads along on the cable reads rows as long as it is off, and none once it is on; who passes for the primary
 * is not believed.
 * Each test stands on what the one before has left.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { Authority, lay, tlsFiles } from '../support/certificates.ts';
import { type LabCluster, provisionedPair } from '../support/cluster.ts';
import { Impostor } from '../support/impostor.ts';
import {
  fileText,
  psqlPath,
  type Server,
  sql,
  untilMirroring,
  untilSwitchable,
} from '../support/instance.ts';
import { dataDir } from '../support/inventory.ts';
import { expectRowsTravel } from '../support/multiplexed.ts';
import { type CheckDocument, expectExit, findingsOf, type RunDocument } from '../support/pgduet.ts';
import { expectUnread, onTheWire } from '../support/wire.ts';
import { startWriter, writerSetup } from './writer.ts';

const conf = ({ host }: Server): string => fileText(host, `${dataDir}/postgresql.conf`);
const rules = ({ host }: Server): string => fileText(host, `${dataDir}/pg_hba.conf`);

/** Who is primary does not matter here. */
const found = (document: CheckDocument): readonly string[] =>
  findingsOf(document)
    .filter(({ code }) => code !== 'PRF001')
    .map(({ code, host }) => `${host} ${code}`);

describeLab('TLS with certificates that were there', () => {
  let pair: LabCluster;
  let tls: LabCluster;
  let a: Server;
  let b: Server;
  const authority = new Authority('lab CA');
  const stranger = new Authority('somebody else');
  beforeAll(async () => {
    pair = await provisionedPair();
    [a, b] = [pair.primary, pair.standby];
    tls = pair.declared('tls.yml', { postgres: { tls: tlsFiles, tls_clients: 'required' } });
    await sql(a, `${writerSetup}; CREATE DATABASE app OWNER app`);
    await sql(a, 'CREATE TABLE written (n int PRIMARY KEY); ALTER TABLE written OWNER TO app', 'app');
  });
  afterAll(async () => {
    authority.close();
    stranger.close();
    await pair?.close();
  });

  const layGood = (server: Server, days?: number): Promise<void> =>
    lay(server, authority.sign([`IP:${server.address}`, `DNS:${server.id}`], days), authority.certificate);

  /** Both ends say so, and the standby would not take another server for its primary. */
  async function expectVerified(primary: Server, standby: Server): Promise<void> {
    const encrypted = 'select s.ssl, s.version from pg_stat_ssl s join pg_stat_replication r using (pid)';
    expect(await sql(primary, encrypted)).toBe('t|TLSv1.3');
    expect(await sql(standby, 'select conninfo from pg_stat_wal_receiver')).toContain('sslmode=verify-full');
    await expectRowsTravel({ primary, standbys: [standby], version: pair.version });
  }

  /** What a client on one host is told by the server of the other one. */
  async function clientOf(server: Server, sslmode: string): Promise<string> {
    const from = server === a ? b : a;
    const to = `host=${server.address} port=${server.port} user=app dbname=app sslmode=${sslmode} gssencmode=disable`;
    const asked = 'select ssl from pg_stat_ssl where pid = pg_backend_pid()';
    const said = await from.host.sh(
      `PGPASSWORD=app-Secret-1 ${psqlPath} -XqAt -d '${to}' -c '${asked}' 2>&1`,
    );
    return said.stdout;
  }

  const expectTlsForClients = async (server: Server): Promise<void> => {
    expect(await clientOf(server, 'disable')).toMatch(
      /FATAL: +pg_hba\.conf rejects connection .*no encryption/,
    );
    expect(await clientOf(server, 'require')).toBe('t\n');
  };

  /** Rows that stand on the disk alone: whoever follows from now on gets them by a copy. */
  const write = (server: Server, word: string): Promise<string> =>
    sql(
      server,
      `CREATE TABLE IF NOT EXISTS told (word text); INSERT INTO told SELECT '${word}' FROM generate_series(1, 200); CHECKPOINT; SELECT pg_switch_wal()`,
    );

  /** The former primary is to be rebuilt, and somebody else answers in the place of the present one: its data stays. */
  async function expectNoImpostor(): Promise<void> {
    const impostor = await Impostor.begin(pair.lab, { of: b, before: a }, stranger.sign([`IP:${b.address}`]));
    const data = `cd ${dataDir} && find . -type f | sort | xargs sha256sum | sha256sum`;
    const before = (await a.host.sh(data, { check: true })).stdout;
    for (const words of [[], ['--copy']]) {
      const said = await tls.run('rebuild', 'server1', '--yes', ...words);
      expectExit(said, 5);
      expect(said.all).toContain('certificate verify failed');
    }
    expect((await a.host.sh(data, { check: true })).stdout).toBe(before);
    expect(await impostor.believedBy()).not.toContain('pgduet_repl');
    // He is there: who asks for encryption alone tells him a name.
    const asked = `host=${b.address} port=${b.port} user=pgduet_repl dbname=postgres sslmode=require sslrootcert=/nonexistent`;
    await a.host.sh(`${psqlPath} -w -d '${asked}' -c 'select 1'`);
    expect(await impostor.believedBy()).toContain('pgduet_repl');
    await impostor.end();
  }

  async function expectRefused(what: RegExp): Promise<void> {
    const before = [a, b].map((server) => conf(server) + rules(server));
    const said = await tls.run('provision', '--yes', '--json');
    expectExit(said, 5);
    const { diagnostics } = said.json<RunDocument>();
    expect(diagnostics.map(({ code }) => code)).toContain('TLS010');
    expect(diagnostics.map((one) => JSON.stringify(one)).join('\n')).toMatch(what);
    expect([a, b].map((server) => conf(server) + rules(server))).toEqual(before);
  }

  labTest('is refused before anything is changed where a pair is missing or wrong', async () => {
    await expectRefused(/ca\.pem cannot be read/);
    await layGood(a);
    await lay(b, stranger.sign([`IP:${b.address}`]), authority.certificate);
    await expectRefused(/signed by 'CN=somebody else'/);
    await lay(b, authority.sign(['DNS:elsewhere']), authority.certificate);
    await expectRefused(/it is for DNS:elsewhere, and the other servers connect to/);
    await layGood(b);
    await b.host.sh(`chmod 644 ${tlsFiles.key}`, { check: true });
    await expectRefused(/server\.key is open to others \(mode 644\)/);
    await b.host.sh(`chmod 600 ${tlsFiles.key}`, { check: true });
    expect(await sql(a, 'show ssl')).toBe('off');
  });

  labTest(
    'stands still for a failover in the middle: the former primary is rebuilt beside one without TLS',
    async () => {
      await a.host.sh(`kill -9 $(head -n 1 ${dataDir}/postmaster.pid)`, { check: true });
      await untilMirroring(b, 'switched');
      await write(b, 'canary-of-the-rewind');
      const words = ['canary-of-the-rewind', 'canary-of-a-row', 'canary-of-the-copy'];
      const heard = await onTheWire(b.host, words, async () => {
        expectExit(await tls.run('rebuild', 'server1', '--yes'), 0);
        await tls.untilSwitchable();
        await sql(b, "INSERT INTO told SELECT 'canary-of-a-row' FROM generate_series(1, 200)");
        // What a copy begins with.
        await write(b, 'canary-of-the-copy');
        await a.host.sh(
          `runuser -u postgres -- pg_basebackup -d 'host=${b.address} port=${b.port} user=pgduet_repl' -D - -Ft -X none -c fast >/dev/null`,
          { check: true },
        );
      });
      for (const word of words) expect(heard.seen[word], `${word} without TLS`).toBeGreaterThan(0);
      expect(await sql(a, 'select conninfo from pg_stat_wal_receiver')).toContain('sslmode=prefer');
      // Rules that demand what is not served yet would keep every client out.
      expect(await clientOf(b, 'disable')).toBe('f\n');
    },
  );

  labTest('is turned on under a client that writes, which is named', async () => {
    const writer = startWriter([b, a]);
    await writer.more(50);
    const plan = await tls.provision('--check');
    expect(plan.stdout).toMatch(/in this run: sessions of now without TLS go on.*app@app from 10\./);
    expectExit(await tls.provision(), 0);
    await writer.more(50);
    expect(found(await tls.check())).toEqual(['server2 TLS031']);
    const acknowledged = await writer.end();
    await untilSwitchable(b);
    const rows = (await sql(b, 'select n from written', 'app')).split('\n').map(Number);
    expect(acknowledged.filter((row) => !rows.includes(row))).toEqual([]);
    await expectVerified(b, a);
    for (const server of [a, b]) {
      expect(rules(server)).toMatch(/^hostssl +replication +pgduet_repl/m);
      expect(rules(server)).not.toMatch(/^host +replication/m);
      expect(conf(server)).toMatch(/^ssl = '?on/m);
      await expectTlsForClients(server);
    }
    expect((await tls.run('status')).stdout).toMatch(
      /target_session_attrs=read-write&sslmode=verify-full&sslrootcert=inst1-ca\.pem/,
    );
    expectExit(await tls.run('check'), 0);
    expectExit(await tls.provision('--check'), 0);
  });

  labTest('keeps a standby from a primary of another CA, and from one of another name', async () => {
    const shown = [
      [stranger.sign([`IP:${b.address}`]), 'certificate verify failed'],
      [authority.sign(['DNS:elsewhere']), 'does not match host name'],
    ] as const;
    for (const [pair, words] of shown) {
      await lay(b, pair, authority.certificate);
      await sql(b, 'select pg_reload_conf()');
      const said = async () => {
        await sql(b, 'select pg_terminate_backend(pid) from pg_stat_replication');
        return (await a.host.sh(`grep -rho '${words}' ${a.managementDir}/server1-log | sort -u`)).stdout;
      };
      await expect.poll(said, { timeout: 20_000, interval: 500 }).toContain(words);
      expect(await sql(b, 'select count(*) from pg_stat_replication')).toBe('0');
    }
    await layGood(b);
    expectExit(await tls.provision(), 0);
    await tls.untilSwitchable();
    await expectVerified(b, a);
  });

  labTest('holds through a switch, a failover and a rebuild', async () => {
    expectExit(await tls.run('switch', '--yes'), 0);
    await tls.untilSwitchable();
    await expectVerified(a, b);
    await a.host.sh(`kill -9 $(head -n 1 ${dataDir}/postmaster.pid)`, { check: true });
    await untilMirroring(b, 'switched');
    await expectNoImpostor();
    await write(b, 'canary-of-a-later-rewind');
    const heard = await onTheWire(b.host, ['canary-of-a-later-rewind', 'canary-of-the-copy'], async () => {
      const said = await tls.run('rebuild', 'server1', '--yes');
      expectExit(said, 0);
      expect(said.all).toMatch(/pg_rewind/);
    });
    expectUnread(heard, 100);
    await tls.untilSwitchable();
    await expectVerified(b, a);
    expectExit(await tls.run('check'), 0);
  });

  labTest('is not taken away by an inventory that says nothing of it', async () => {
    const said = await pair.run('provision', '--yes', '--json');
    expectExit(said, 5);
    expect(said.json<RunDocument>().diagnostics.map(({ code }) => code)).toContain('TLS002');
    await expectVerified(b, a);
  });

  labTest('serves a new certificate behind provision, and says when one ends', async () => {
    await layGood(a, 20);
    expect(found(await tls.check())).toEqual(['server1 TLS004', 'server1 TLS005']);
    expectExit(await tls.provision(), 0);
    expect(found(await tls.check())).toEqual(['server1 TLS004']);
    await expectVerified(b, a);
  });

  labTest('that was turned off by hand opens no rule of clients, and comes back', async () => {
    const before = rules(b);
    await b.host.sh(`sed -i "s/^ssl = .*/ssl = off/" ${dataDir}/postgresql.conf`, { check: true });
    await sql(b, 'select pg_reload_conf()');
    const plan = await tls.provision('--check', '--json');
    expect(plan.stdout).toContain('serve TLS with');
    expect(plan.stdout).not.toMatch(/[-+]host(?:ssl|nossl)? app/);
    expectExit(await tls.provision(), 0);
    expect(rules(b)).toBe(before);
    await expectTlsForClients(b);
  });

  labTest('is no must for clients any more by the word optional, while one writes', async () => {
    const optional = pair.declared('optional.yml', { postgres: { tls: tlsFiles, tls_clients: 'optional' } });
    expectExit(await optional.provision(), 0);
    expect(rules(b)).toMatch(/^host +app +app +10/m);
    expect(await clientOf(b, 'disable')).toBe('f\n');
    await sql(b, 'TRUNCATE written', 'app');
    const writer = startWriter([b, a]);
    await writer.more(20);
    expect(found(await optional.check())).toEqual(['server1 TLS004', 'null TLS030', 'server2 TLS031']);
    // On again, beside rules for servers that demand it already.
    const plan = await tls.provision('--check');
    expect(plan.stdout).toMatch(/- sessions of now without TLS go on.*app@app from 10\./);
    expectExit(await tls.provision(), 0);
    await expectTlsForClients(b);
    await writer.more(20);
    await writer.end();
  });

  labTest('is turned off by the word alone', async () => {
    const off = pair.declared('off.yml', { postgres: { tls: 'off' } });
    expectExit(await off.provision(), 0);
    await off.untilSwitchable();
    for (const server of [a, b]) {
      expect(await sql(server, 'show ssl')).toBe('off');
      expect(rules(server)).toMatch(/^host +replication/m);
      expect(rules(server)).toMatch(/^host +app/m);
      expect(conf(server)).not.toMatch(/^ssl_(?:cert|key)_file/m);
      // That of the primary, too: it follows by it behind the next switch.
      expect(conf(server)).not.toMatch(/^primary_conninfo.*verify-full/m);
    }
    expect(await sql(a, 'select conninfo from pg_stat_wal_receiver')).toContain('sslmode=prefer');
    expect(found(await off.check())).toEqual(['null TLS001']);
    expectExit(await off.provision('--check'), 0);
  });
});
