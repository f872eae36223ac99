/**
 * Secrets of others on real hosts: every setting that is a text, every option of a client rule, units, password files and files
 * of a migrated server hold one, each its own; every verb is run in every format, and none of them shows any. The places come
 * from the server: its settings by type, and the options that it takes in its rules.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { verbs } from '../../src/verbs/registry.ts';
import { richPair } from './check/pair.ts';
import { describeLab, labTest } from './harness/describe.ts';
import { Lab } from './harness/lab.ts';
import { archiveDir } from './single/forms.ts';
import { Trip } from './single/trip.ts';
import { type LabCluster, provisionedPair } from './support/cluster.ts';
import { type Server, sql } from './support/instance.ts';
import { built, expectExit, type Said } from './support/pgduet.ts';

let planted = 0;
/** A secret that stands nowhere else. */
const secret = (): string => {
  planted += 1;
  return `Canary${planted}Zx`;
};
const shows = /Canary\d+Zx/g;

function expectSilent(said: Said, what: string): void {
  const found = said.all.split('\n').filter((line) => line.search(shows) >= 0);
  expect(found, `${what}: lines with a secret of others`).toEqual([]);
}

/** What programs and people write where a text is a command, an address or anything else. */
const command = (): string =>
  `test -f /x && PGPASSWORD=${secret()} AWS_SECRET_ACCESS_KEY='${secret()} a' curl -u me:${secret()} -p${secret()} --password=${secret()} --token ${secret()} -H "X-Key: ${secret()}" https://u:${secret()}@h/%f ${secret()} || cp %p /archive/%f`;
/** Short enough for a name, which a longer text would be cut off for with a notice. */
const anything = (): string => `postgresql://u:${secret()}@h PGPASSWORD=${secret()}`;
const valueFor = (name: string): string => (name.endsWith('_command') ? command() : anything());

/** Client rules with every option that may hold a secret ("Authentication Methods"), in every form of quoting; '§' is one. */
const wholeRules: readonly string[] = [
  'ldap ldapserver=h ldapbasedn="dc=x" ldapbinddn=cn ldapbindpasswd="§ ""§"""',
  'ldap ldapserver=h ldapbasedn="dc=x" ldapbinddn=cn "ldapbindpasswd=§ x"',
  'radius radiusservers=127.0.0.1 radiussecrets=§',
  'radius radiusservers="127.0.0.1,127.0.0.2" radiussecrets="§,§" radiusidentifiers="a,b"',
];
/** These a server refuses, and says why. */
const brokenRules: readonly string[] = [
  'ldap ldapurl="ldap://u:§@h/dc=x?uid?sub" ldapbindpasswd = §',
  'ldap ldapbindpasswd="§ and on',
  'radius radiussecrets=§, §',
  'radius radiusservers="127.0.0.1,127.0.0.2" radiussecrets="§,§,§"',
  'peer ldapbindpasswd=§ ofothers=§',
  'unheard ldapbindpasswd="§ x"',
];
const rules = (...some: readonly string[]): string =>
  some.map((rule, index) => `host app app 10.9.${index}.0/24 ${rule.replaceAll('§', secret)}\n`).join('');

/** Texts among the settings that a file may set at any time, as the server itself knows them. */
async function textSettings(server: Server): Promise<readonly string[]> {
  const names = await sql(
    server,
    `SELECT string_agg(name, ' ') FROM pg_settings WHERE vartype = 'string' AND context IN ('sighup', 'superuser', 'user')`,
  );
  return names.split(' ');
}

const formats: readonly (readonly string[])[] = [
  ['check'],
  ['check', '--diff', '--verbose'],
  ['check', '--json', '--diff'],
  ['check', '--format', 'junit'],
  ['check', '--format', 'nagios'],
  ['check', '--format', 'prometheus'],
  ['validate'],
  ['validate', '--json'],
  ['status'],
  ['status', '--json'],
  ['ca'],
  ['ca', '--json'],
  ['certificates'],
  ['certificates', '--json'],
  ['provision', '--check', '--diff', '--verbose'],
  ['provision', '--check', '--diff', '--json'],
  ['switch', '--check', '--verbose'],
  ['rebuild', 'server2', '--check', '--diff', '--verbose'],
  ['teardown', '--check', '--diff', '--verbose'],
  ['teardown', '--check', '--json'],
  ['teardown', '--controllers-only', '--check', '--diff', '--verbose'],
  ['teardown', '--controllers-only', '--check', '--json'],
  ['replace', 'server2', '--check', '--diff', '--verbose'],
  ['replace', 'server2', '--check', '--json'],
  ['secrets', 'renew', '--check', '--diff', '--verbose'],
  ['certificates', 'renew', '--ca', '--check', '--diff', '--verbose'],
  ['certificates', 'renew', '--ca', '--check', '--json'],
  ['reload', '--check', '--diff', '--verbose'],
  ['reload', '--check', '--json'],
  ['restart', '--check', '--verbose'],
  ['restart', '--pending', '--check', '--json'],
  ['stop', '--check', '--verbose'],
  ['start', '--check', '--verbose'],
  ['recover', '--check', '--verbose'],
  ['failover', 'off', '--check', '--verbose'],
  ['detach', 'server2', '--alone', '--check', '--verbose'],
  ['attach', 'server2', '--check', '--verbose'],
  ['run', join(import.meta.dirname, '../../playbooks/provision.yml'), '--check', '--diff', '--verbose'],
  ['rolling-update', '--reboot', '--packages', '--check', '--verbose'],
  ['rolling-update', '--pause', '--alone', '--check', '--json'],
  ['maintenance', 'begin', 'server2', '--alone', '--check', '--json', '--verbose'],
];

/** Migrated below, or no host is contacted. */
const elsewhere: readonly string[] = ['migrate', 'init', 'explain'];

describeLab('secrets of others on a pair', () => {
  let pair: LabCluster;
  beforeAll(async () => {
    pair = await provisionedPair(richPair);
  });
  afterAll(() => pair?.close());

  labTest('are looked for in what every verb says', async () => {
    const run = new Set([...formats.map(([verb]) => verb), ...elsewhere]);
    expect(verbs.map(({ name }) => name).filter((name) => !run.has(name))).toEqual([]);
  });

  labTest('are in no output of any verb', async () => {
    const { primary } = pair;
    const { host, dataDir, unit } = primary;
    // A text that this one cannot be makes the server's view of its files fail as a whole.
    const names = (await textSettings(primary)).filter((name) => name !== 'default_text_search_config');
    const custom = Object.fromEntries(
      ['vault.token', 'shop.api_key', 'my.salt'].map((name) => [name, secret()]),
    );
    const declared = {
      ...richPair,
      postgres: {
        ...richPair.postgres,
        settings: {
          max_connections: 50,
          shared_buffers: '16MB',
          wal_level: 'logical',
          archive_mode: 'on',
          archive_command: command(),
          ...custom,
        },
      },
    };
    const file = pair.inventory('secrets.yml', declared);
    const conf = `${dataDir}/postgresql.conf`;
    const line = (name: string) => `${name} = '${valueFor(name).replaceAll("'", "''")}'`;
    // These are in force, too; the others would make the server unusable, and stand in its file alone.
    const lines = [
      ...names.filter((name) => name.endsWith('_command')).map(line),
      ...Object.keys(custom).map((name) => `${name} = '${secret()}'`),
      `#primary_conninfo = 'host=h password=''${secret()} ''${secret()}'''`,
    ];
    await host.sh(`cat >> ${conf}`, { input: `${lines.join('\n')}\n` });
    await sql(primary, 'SELECT pg_reload_conf()');
    await host.sh(`cp ${conf} /root/conf; cat >> ${conf}`, { input: `${names.map(line).join('\n')}\n` });
    await host.sh(`cat >> ${dataDir}/pg_hba.conf`, { input: rules(...wholeRules, ...brokenRules) });
    await host.sh(`cat >> /etc/systemd/system/${unit}.service`, {
      input: `[Service]\nEnvironment="TOKEN=${secret()} x"\nEnvironment=PGPASSWORD=${secret()}\n`,
    });
    await host.sh(`cat >> ~postgres/.pgpass`, {
      input: `db:5432:*:backup:${secret()}\n*:*:*:pgduet_repl:${secret()}\n`,
    });
    await sql(primary, `ALTER SYSTEM SET archive_command = '${command().replaceAll("'", "''")}'`);
    await sql(primary, `ALTER ROLE app SET vault.token = '${secret()}'`);
    for (const [verb = '', ...more] of formats) {
      const said = await pair.command([verb, '-i', file, ...more]);
      expect(said.all, `${verb} ${more.join(' ')}`).not.toContain('BUG001');
      expect(said.all, `${verb} ${more.join(' ')}`).not.toMatch(/CLI00\d|^error: /m);
      expectSilent(said, [verb, ...more].join(' '));
    }
    const checked = await pair.command(['check', '-i', file]);
    expect(checked.all).toContain('ldapbindpasswd=***');
    expect(checked.all).toContain('vault.token');
    await host.sh(`cat /root/conf > ${conf}`);
    const made = await pair.command(['provision', '-i', file, '--yes', '--verbose', '--diff']);
    expectSilent(made, 'provision --yes --verbose');
    expect(made.all).toContain('lines, not shown)');
    expectExit(made, 0);
  });
});

describeLab('secrets of others on a single server', () => {
  let lab: Lab;
  beforeAll(async () => {
    built();
    lab = await Lab.open();
  });
  afterAll(() => lab?.close());

  labTest('are in no output of a migration and of the way back', async () => {
    const trip = await Trip.begin(lab, 'ownUnit');
    const { host } = trip.single;
    const names = (await textSettings(trip.original)).filter(
      (name) => /_command$/.test(name) && name !== 'archive_command',
    );
    const lines = [
      '',
      `archive_command = 'PGPASSWORD=${secret()} test ! -f ${archiveDir}/%f && cp %p ${archiveDir}/%f'`,
      ...names.map((name) => `${name} = '${valueFor(name).replaceAll("'", "''")}'`),
      `vault.token = '${secret()}'`,
      `# vault.token = '${secret()}'`,
    ];
    await host.sh(`cat >> ${trip.single.configDir}/postgresql.conf`, { input: `${lines.join('\n')}\n` });
    await host.sh(`cat >> ${trip.single.configDir}/pg_hba.conf`, { input: `\n${rules(...wholeRules)}` });
    await sql(trip.original, 'SELECT pg_reload_conf()');
    const run = async (...args: string[]): Promise<Said> => {
      const [verb = '', ...more] = args;
      const said = await trip.command([verb, '-i', trip.inventory, ...more]);
      expectSilent(said, args.join(' '));
      expect(said.all).not.toContain('BUG001');
      return said;
    };
    await run('migrate', '--check', '--json', '--diff');
    expect((await run('migrate', '--check', '--diff', '--verbose')).all).toContain('PGPASSWORD=***');
    expectExit(await run('migrate', '--yes', '--diff', '--verbose'), 0);
    await run('check', '--diff', '--verbose');
    await run('check', '--json', '--diff');
    await run('teardown', '--check', '--diff', '--json');
    await run('teardown', '--check', '--diff', '--verbose');
    expectExit(await run('teardown', '--yes', '--diff', '--verbose'), 0);
  });
});
