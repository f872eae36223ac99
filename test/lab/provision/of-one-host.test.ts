/**
 * What one host of a running pair has and the other one lacks: a setting of the inventory that needs it, and a rebuild with what the primary
 * is configured for, are refused before anything is written, stopped or restarted, and done once the host has it.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { type LabCluster, provisionedPair } from '../support/cluster.ts';
import { type Server, sql } from '../support/instance.ts';
import { plainSettings } from '../support/inventory.ts';
import { expectExit, type Pgduet, pgduet, type Said } from '../support/pgduet.ts';

const certificate = `cd /etc/ssl && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=db1 -days 9 -keyout db1.key -out db1.crt 2>/dev/null
chown postgres: db1.key && chmod 600 db1.key`;
const words = ({ all }: Said): string => all.replace(/\s+/g, ' ');
const refused =
  /with ssl_cert_file = '\/etc\/ssl\/db1\.crt' no server starts there \(FATAL: could not load server certificate file "\/etc\/ssl\/db1\.crt": No such file or directory\): put such a file/;

describeLab('what one host of a pair lacks', () => {
  let pair: LabCluster;
  let a: Server;
  let b: Server;
  let file: string;
  let command: Pgduet;

  /** Since when each server runs, what its configuration holds, and what a trial would have left. */
  const state = (): Promise<readonly string[]> =>
    Promise.all(
      [a, b].flatMap((server) => [
        sql(server, 'SELECT pg_postmaster_start_time()'),
        server.host
          .sh(
            `sha256sum ${server.dataDir}/*.conf; ls -d /tmp/pgduet* 2>/dev/null; pgrep -fa '[p]gduet-scratch'`,
          )
          .then(({ stdout }) => stdout),
      ]),
    );

  beforeAll(async () => {
    pair = await provisionedPair();
    [a, b] = [pair.primary, pair.standby];
    command = pgduet(pair.lab);
    const ssl = { ssl: 'on', ssl_cert_file: '/etc/ssl/db1.crt', ssl_key_file: '/etc/ssl/db1.key' };
    file = pair.inventory('tls.yml', {
      postgres: { settings: { ...plainSettings, ...ssl, max_connections: 77 } },
    });
    await b.host.sh(certificate, { check: true });
  });
  afterAll(() => pair?.close());

  labTest('a setting that the primary cannot have is refused before the standby gets it', async () => {
    const before = await state();
    const said = await command(['provision', '--yes', '-i', file]);
    expectExit(said, 5);
    expect(words(said)).toContain('SAF048');
    expect(words(said)).toMatch(refused);
    expect(await state()).toEqual(before);
    await a.host.sh(certificate, { check: true });
    expectExit(await command(['provision', '--yes', '-i', file]), 0);
    for (const server of [a, b]) expect(await sql(server, 'SHOW ssl')).toBe('on');
  });

  labTest('a server is not rebuilt where the configuration of the primary cannot be', async () => {
    const before = await state();
    await b.host.sh('mv /etc/ssl/db1.crt /etc/ssl/away.crt', { check: true });
    const said = await command(['rebuild', b.id, '--copy', '--yes', '-i', file]);
    expectExit(said, 5);
    expect(words(said)).toContain('SAF031');
    expect(words(said)).toMatch(refused);
    expect(await state()).toEqual(before);
    await b.host.sh('mv /etc/ssl/away.crt /etc/ssl/db1.crt', { check: true });
    expectExit(await command(['rebuild', b.id, '--copy', '--yes', '-i', file]), 0);
  });
});
