/**
 * Debian's cluster as people have it after years: its files were edited on Windows, it was once restored and once a standby, its rules know
 * an Active Directory and roles with a mail address. It becomes the primary of a pair, all the same, and gets every byte back.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { type Host, Lab } from '../harness/lab.ts';
import { sql } from '../support/instance.ts';
import { built, expectExit, type Pgduet, pgduet } from '../support/pgduet.ts';
import { counterpart, type Single } from './forms.ts';
import { packagedBesideBare } from './prepared.ts';

describeLab('a single server with what is left of an earlier life', () => {
  let lab: Lab;
  let single: Single;
  let file: string;
  let other: Host;
  let command: Pgduet;
  let sums: string;
  const left = (): Promise<string> =>
    single.host
      .sh(
        `sha256sum ${single.configDir}/*.conf ${single.configDir}/conf.d/*.conf ${single.server.dataDir}/postgresql.auto.conf`,
        { check: true },
      )
      .then(({ stdout }) => stdout);

  beforeAll(async () => {
    built();
    lab = await Lab.open();
    command = pgduet(lab);
    ({ single, other, file } = await packagedBesideBare(lab));
    await sql(
      single.server,
      `ALTER SYSTEM SET recovery_target_time = '2024-01-01 00:00:00+00';
ALTER SYSTEM SET recovery_target_action = 'promote';
ALTER SYSTEM SET primary_slot_name = 'node_2';
ALTER SYSTEM SET restore_command = 'cp /archive/%f %p';`,
    );
    await single.host.sh(
      `cd ${single.configDir}
printf 'archive_cleanup_command = %s # of the archive\\n' "'true'" >> postgresql.conf
printf 'host all all 10.9.0.0/16 ldap ldapserver=ldap.example ldapprefix="" ldapsuffix="@corp.example"\\nhost all "jane@corp.example" 10.9.0.0/16 scram-sha-256' >> pg_hba.conf
sed -i 's/$/\\r/' postgresql.conf pg_hba.conf pg_ident.conf conf.d/*.conf
systemctl restart ${single.unit}`,
      { check: true },
    );
    sums = await left();
  });
  afterAll(() => lab?.close());

  labTest('names all of it before anything changes', async () => {
    const said = await command(['migrate', '--check', '-i', file]);
    expectExit(said, 2);
    for (const words of [
      'recovery_target_time: 2024-01-01 00:00:00+00 (ALTER SYSTEM) is left',
      'recovery_target_action: promote (ALTER SYSTEM) is left',
      'primary_slot_name: node_2 (ALTER SYSTEM) is left',
      'restore_command: cp /archive/%f %p (ALTER SYSTEM) is left',
      `(${single.configDir}/postgresql.conf:`,
    ])
      expect(said.stdout).toContain(words);
    expect(await left()).toBe(sums);
  });

  labTest('is the primary of a pair that follows, and stays one behind the first commit', async () => {
    expectExit(await command(['migrate', '--yes', '-i', file]), 0);
    const standby = counterpart(single, other);
    await sql(single.server, 'CREATE TABLE behind_the_target AS SELECT 1');
    expect(
      await sql(
        standby,
        "SELECT pg_is_in_recovery(), (SELECT string_agg(setting, '') FROM pg_settings WHERE name IN ('recovery_target_time', 'primary_slot_name', 'restore_command', 'archive_cleanup_command'))",
      ),
    ).toBe('t|');
    expect(await sql(single.server, 'SHOW hba_file')).toBe(`${single.server.dataDir}/pg_hba.conf`);
    expectExit(await command(['check', '-i', file]), 0);
  });

  labTest('is mended where somebody names a slot on the standby', async () => {
    const standby = counterpart(single, other);
    await sql(standby, "ALTER SYSTEM SET primary_slot_name = 'node_2'");
    const check = await command(['check', '-i', file]);
    expect(check.stdout).toContain('SET017');
    expectExit(await command(['provision', '--yes', '-i', file]), 0);
    expectExit(await command(['check', '-i', file]), 0);
  });

  labTest('gets every byte back', async () => {
    expectExit(await command(['teardown', '--yes', '-i', file]), 0);
    expect(await left()).toBe(sums);
  });
});
