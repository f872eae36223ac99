/**
 * What the configuration of a single server names and the host of its standby lacks: found before the primary is restarted and before
 * anything changes, by PostgreSQL's own words.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { type Host, Lab } from '../harness/lab.ts';
import { sql } from '../support/instance.ts';
import { built, expectExit, type Pgduet, pgduet } from '../support/pgduet.ts';
import type { Single } from './forms.ts';
import { packagedBesideBare } from './prepared.ts';

/** How a host gets what a setting names, and what is said where it has not. */
const cases = [
  {
    about: 'a directory for the log',
    conf: "logging_collector = on\nlog_directory = '/var/log/pgsql'",
    make: 'install -d -o postgres -g postgres -m 0750 /var/log/pgsql',
    said: /with log_directory = '\/var\/log\/pgsql' no server starts there \(FATAL: could not open log file .*No such file/,
  },
  {
    about: 'a certificate',
    conf: "ssl = on\nssl_cert_file = '/etc/ssl/db1.crt'\nssl_key_file = '/etc/ssl/db1.key'",
    make: `cd /etc/ssl; if [ ! -e db1.key ]; then openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=db1 -days 9 -keyout db1.key -out db1.crt 2>/dev/null; fi
chown postgres: db1.key; chmod 600 db1.key`,
    said: /with ssl_cert_file = '\/etc\/ssl\/db1\.crt' no server starts there \(FATAL: could not load server certificate file/,
  },
  {
    about: 'a locale',
    conf: "lc_messages = 'de_DE.UTF-8'",
    make: 'localedef -i de_DE -f UTF-8 de_DE.UTF-8',
    said: /with lc_messages = 'de_DE\.UTF-8' no server starts there \(LOG: invalid value for parameter "lc_messages"/,
  },
] as const;

describeLab('what only the primary has', () => {
  let lab: Lab;
  let single: Single;
  let other: Host;
  let file: string;
  let command: Pgduet;

  const started = (): Promise<string> => sql(single.server, 'SELECT pg_postmaster_start_time()');
  const configured = (conf: string): Promise<unknown> =>
    single.host.sh(
      `printf '%s\n' "${conf}" > ${single.configDir}/conf.d/only.conf; systemctl restart ${single.unit}`,
      { check: true },
    );
  /** All that pgduet or a trial could have left on either host. */
  const left = async (): Promise<readonly string[]> => {
    const look = `ls -d /tmp/pgduet* /mcdir ${single.server.dataDir}/pgduet* /var/log/pgsql/*scratch* 2>/dev/null; pgrep -fa '[p]gduet-scratch'; :`;
    const said = await Promise.all([single.host, other].map((host) => host.sh(look)));
    return said.map(({ stdout }) => stdout.trim());
  };

  beforeAll(async () => {
    built();
    lab = await Lab.open();
    command = pgduet(lab);
    ({ single, other, file } = await packagedBesideBare(lab));
    for (const { make } of cases) await single.host.sh(make, { check: true });
  });
  afterAll(() => lab?.close());

  for (const { about, conf, said } of cases)
    labTest(`${about}: refused, and nobody notices`, async () => {
      await configured(conf);
      const before = [await started(), await left()];
      for (const words of [['--check'], ['--yes']]) {
        const refused = await command(['migrate', ...words, '-i', file]);
        expectExit(refused, 5);
        const told = `${refused.stdout}${refused.stderr}`.replace(/\s+/g, ' ');
        expect(told).toContain('SAF031');
        expect(told).toMatch(said);
      }
      expect([await started(), await left()]).toEqual(before);
    });
});
