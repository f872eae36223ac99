/**
 * A pair whose servers are known by name, with a password file of somebody else: provisioned, switched there and back. What
 * counts is the word by which libpq looks a password up, and which line of the file it takes first.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { freshPair, type LabCluster } from '../support/cluster.ts';
import { fileText, type Server, sql } from '../support/instance.ts';
import { dataDir } from '../support/inventory.ts';
import { expectRowsTravel } from '../support/multiplexed.ts';
import { expectExit, findingsOf } from '../support/pgduet.ts';

const passfile = '/var/lib/postgresql/.pgpass';
const theirs = '*:*:*:*:other';

describeLab('a pair by names', () => {
  let pair: LabCluster;
  let a: Server;
  let b: Server;
  beforeAll(async () => {
    pair = await freshPair({ host: ({ name }) => ({ admin_address: name, log_transfer_address: name }) });
    [a, b] = [pair.primary, pair.standby];
    // As an installer writes it: PostgreSQL knows the address by the longer name alone.
    const names = pair.hosts.map(({ name, address }) => `${address} ${name}.lab.example ${name}`).join('\n');
    for (const { host } of [a, b])
      await host.sh(
        `printf '127.0.0.1 localhost\\n%s\\n' "$NAMES" >/etc/hosts
install -m 600 -o postgres /dev/null ${passfile}; echo '${theirs}' >${passfile}`.replace('$NAMES', names),
        { check: true },
      );
  });
  afterAll(() => pair?.close());

  async function expectWhole(primary: Server, standby: Server): Promise<void> {
    await pair.untilSwitchable();
    const rows = 'select application_name, host(client_addr), state, sync_state from pg_stat_replication';
    expect(await sql(primary, rows)).toBe(`${standby.id}|${standby.address}|streaming|sync`);
    expect(await sql(standby, 'select sender_host from pg_stat_wal_receiver')).toBe(primary.id);
    await expectRowsTravel({ primary, standbys: [standby], version: pair.version });
    expectExit(await pair.run('check'), 0);
  }

  labTest('is refused before anything is changed where a name means another host', async () => {
    const [one, two] = [a.address, b.address];
    const wrong: readonly (readonly [lines: string, what: RegExp])[] = [
      [
        `127.0.1.1 server1\n${two} server2`,
        /'server1' .* means 127\.0\.1\.1 \(\/etc\/hosts:2: 127\.0\.1\.1\) here/,
      ],
      [`${one} server1\n127.0.0.1 server2`, /'server2' .* means 127\.0\.0\.1 .* here/],
      [`${one} server1 server2`, /'server2' .* which is this host itself/],
      [`${one} server1\n${one}9 server2`, /and server2 itself has /],
      [`${one}9 server1\n${two} server2`, /no network interface of server1 has that address/],
      [`${one} server1`, /the name 'server2' .* means nothing here/],
    ];
    const good = fileText(a.host, '/etc/hosts');
    for (const [lines, what] of wrong) {
      await a.host.sh(`cat >/etc/hosts`, { input: `127.0.0.1 localhost\n${lines}\n`, check: true });
      const said = await pair.run('provision', '--yes', '--json');
      expectExit(said, 5);
      const { diagnostics } = said.json<{ diagnostics: { code: string; host: string; what: string }[] }>();
      expect(diagnostics.map(({ code, host }) => `${host} ${code}`)).toEqual(['server1 SAF044']);
      expect(diagnostics[0]?.what).toMatch(what);
    }
    expect((await a.host.sh('ls -d /mcdir /database /usr/local/lib/pgduet')).stdout).toBe('');
    await a.host.sh('cat >/etc/hosts', { input: good, check: true });
  });

  labTest('is provisioned beside a line for everything, which stays', async () => {
    expectExit(await pair.provision(), 0);
    await expectWhole(a, b);
    for (const { host } of [a, b]) {
      const lines = fileText(host, passfile).trimEnd().split('\n');
      expect(lines).toHaveLength(2);
      expect(lines[0]).toContain(':replication:pgduet_repl:');
      expect(lines[1]).toBe(theirs);
    }
    expectExit(await pair.provision('--check'), 0);
  });

  labTest('is told of a line that has come to stand in front, and mends it', async () => {
    const onTop = `sed -i '1i *:27500:*:pgduet_repl:old' ${passfile}`;
    for (const { host } of [a, b]) await host.sh(onTop, { check: true });
    const findings = findingsOf(await pair.check());
    expect(findings.map(({ code, host }) => `${host} ${code}`).sort()).toEqual([
      'server1 PWD004',
      'server2 PWD004',
    ]);
    expectExit(await pair.provision(), 0);
    expect(fileText(a.host, passfile)).toContain('\n*:27500:*:pgduet_repl:old\n');
  });

  labTest('is switched there and back, and each time the other one follows by name', async () => {
    expectExit(await pair.run('switch', '--yes'), 0);
    await expectWhole(b, a);
    expect(fileText(a.host, `${dataDir}/postgresql.conf`)).toMatch(/^primary_conninfo = 'host=server2 /m);
    expectExit(await pair.run('switch', '--yes'), 0);
    await expectWhole(a, b);
  });
});
