/** What is withheld of texts of others, and what stays readable. Every place that can hold a secret has a canary. */
import { describe, expect, it } from 'vitest';
import { isSecretName } from '../../src/base/withheld.ts';
import {
  openConninfo,
  openRule,
  openRuleError,
  openSetting,
  withoutSecrets,
} from '../../src/postgres/withheld.ts';

const canary = 'Ca9naRy';

describe('a setting', () => {
  it.each<[name: string, value: string, shown: string]>([
    ['work_mem', '64MB', '64MB'],
    ['password_encryption', 'scram-sha-256', 'scram-sha-256'],
    ['ssl_key_file', '/etc/ssl/server.key', '/etc/ssl/server.key'],
    ['ssl_passphrase_command_supports_reload', 'on', 'on'],
    ['ssl_passphrase_command', `echo ${canary}`, 'echo ***'],
    ['vault.token', canary, '***'],
    ['anon.salt', canary, '***'],
    ['myext.encryption_key', `'${canary}'`, '***'],
    ['ext.apiKey', canary, '***'],
    ['ext.url', `https://user:${canary}@store/x?sig=${canary}`, 'https://***@store/x?***'],
    [
      'archive_command',
      'test ! -f /archive/%f && cp %p /archive/%f',
      'test ! -f /archive/%f && cp %p /archive/%f',
    ],
    [
      'archive_command',
      'pgbackrest --stanza=main archive-push "%p"',
      'pgbackrest --stanza=*** archive-push "%p"',
    ],
    ['archive_command', `PGPASSWORD=${canary} cp %p /archive/%f`, 'PGPASSWORD=*** cp %p /archive/%f'],
    ['archive_command', `A='${canary} x' B="${canary} y" cp %p /a`, 'A=*** B=*** cp %p /a'],
    [
      'archive_command',
      `env AWS_SECRET_ACCESS_KEY=${canary} aws s3 cp %p s3://b/${canary}/%f`,
      'env AWS_SECRET_ACCESS_KEY=*** *** s3 *** %p ***',
    ],
    ['archive_command', `export T=${canary}; wal-g wal-push %p`, 'export T=***; wal-g wal-push %p'],
    [
      'restore_command',
      `curl -u user:${canary} -p${canary} https://u:${canary}@h/%f -o %p`,
      'curl -u *** -p*** *** -o %p',
    ],
    ['restore_command', `curl -H "Authorization: Bearer ${canary}" -o "%p"`, 'curl -H *** -o "%p"'],
    ['restore_command', `sshpass -p ${canary} scp h:/archive/%f %p`, 'sshpass -p *** *** h:/archive/%f %p'],
    [
      'restore_command',
      `openssl enc -k "${canary} \\" ${canary}" < /a/%f > %p`,
      'openssl *** -k *** < /a/%f > %p',
    ],
    [
      'restore_command',
      `get --password ${canary} --token=${canary} %f | gpg --passphrase '${canary} ${canary}`,
      'get --password *** --token=*** %f | gpg --passphrase ***',
    ],
    ['restore_command', `curl -u me:/secret -k /secret -o /a/%f /b/%f`, 'curl -u *** -k *** -o /a/%f /b/%f'],
    ['archive_cleanup_command', `sh -c 'P=${canary} clean %r'`, 'sh -c ***'],
    ['recovery_end_command', `echo ${canary}|mail`, 'echo ***|mail'],
    ['primary_conninfo', `host=a password=${canary} user=b`, 'host=a password=*** user=b'],
    [
      'primary_conninfo',
      `host=a PASSWORD = '${canary} \\' ${canary}' sslpassword=${canary}`,
      'host=a PASSWORD=*** sslpassword=***',
    ],
    ['primary_conninfo', `password=a\\ ${canary} host=b`, 'password=*** host=b'],
    ['primary_conninfo', `host=b password='${canary} never closed`, 'host=b password=***'],
    [
      'primary_conninfo',
      `postgresql://u:p%40${canary}@h:1,i:2/db?sslmode=require&p%61ssword=${canary}`,
      'postgresql://***@h:1,i:2/db?sslmode=require&***',
    ],
    ['primary_conninfo', `postgres://u:a ${canary}'"/?#@h/db`, 'postgres://***@h/db'],
    ['primary_conninfo', `postgresql://u:x@h PGPASSWORD=${canary}`, 'postgresql://***@***'],
    [
      'primary_conninfo',
      `postgresql://a:1,[::1]:2,u:${canary}/d ${canary}`,
      'postgresql://a:1,[::1]:2,***/d',
    ],
    ['primary_conninfo', `dbname=postgresql://u:${canary}@h/db`, 'dbname=postgresql://***@h/db'],
  ])('%s = %s', (name, value, shown) => {
    expect(openSetting(name, value)).toBe(shown);
    expect(openSetting(name, shown), 'shown twice').toBe(shown);
  });
});

describe('a client rule', () => {
  it.each<[rule: string, shown: string]>([
    ['host all all 10.0.0.0/8 scram-sha-256', 'host all all 10.0.0.0/8 scram-sha-256'],
    [
      `host all all ::/0 ldap ldapserver=h ldapbinddn="cn=x" ldapbindpasswd="${canary} ""${canary}"""`,
      'host all all ::/0 ldap ldapserver=h ldapbinddn="cn=x" ldapbindpasswd=***',
    ],
    [
      `host all all ::/0 ldap "ldapbindpasswd=${canary} x" ldaptls=1`,
      'host all all ::/0 ldap ldapbindpasswd=*** ldaptls=1',
    ],
    [
      `host all all ::/0 ldap ldapurl="ldap://u:${canary}@h/dc=x"`,
      'host all all ::/0 ldap ldapurl="ldap://***@h/dc=x"',
    ],
    [
      `host all all ::/0 radius radiusservers=a,b radiussecrets="${canary},${canary}"`,
      'host all all ::/0 radius radiusservers=a,b radiussecrets=***',
    ],
    [
      `host all all ::/0 radius radiussecrets=${canary}, ${canary}`,
      'host all all ::/0 radius radiussecrets=*** ***',
    ],
    [`host all all ::/0 ldap ldapbindpasswd = ${canary}`, 'host all all ::/0 ldap ldapbindpasswd =*** ***'],
    [`host all all ::/0 ldap ldapbindpasswd ${canary}`, 'host all all ::/0 ldap ldapbindpasswd ***'],
    [
      `host all all ::/0 ldap ldapbindpasswd="${canary} never closed`,
      'host all all ::/0 ldap ldapbindpasswd=***',
    ],
    [`local all all unheard of=${canary}`, 'local all all unheard of=***'],
  ])('%s', (rule, shown) => {
    expect(openRule(rule)).toBe(shown);
    expect(openRule(shown), 'shown twice').toBe(shown);
    expect(withoutSecrets(`+${rule}`)).not.toContain(canary);
  });
});

describe('a text', () => {
  it.each<[text: string, shown: string]>([
    [
      'the server is away; run: pgduet switch --to server2',
      'the server is away; run: pgduet switch --to server2',
    ],
    ['a line for app with the password of the cluster', 'a line for app with the password of the cluster'],
    ['--accept-new-host-keys is the opt-in', '--accept-new-host-keys is the opt-in'],
    [
      'postgresql://a:1,b:2/postgres?target_session_attrs=read-write',
      'postgresql://a:1,b:2/postgres?target_session_attrs=read-write',
    ],
    [
      `primary_conninfo = 'host=a password=''x ${canary}'' user=b'`,
      `primary_conninfo = 'host=a password=*** user=b'`,
    ],
    [
      `#pgduet: archive_command = 'KEY=${canary} cp %p /a/%f' # ours`,
      `#pgduet: archive_command = 'KEY=*** cp %p /a/%f' # ours`,
    ],
    [`+#restore_command = 'get ''${canary}'' %f'`, `+#restore_command = 'get *** %f'`],
    [`archive_command 'get ${canary}'`, `archive_command 'get ***'`],
    [`vault.token = ${canary}`, 'vault.token = ***'],
    [`ALTER SYSTEM SET archive_command TO 'x ${canary}'`, 'ALTER SYSTEM SET archive_command TO ***'],
    [`ALTER ROLE a PASSWORD '${canary} ''x' VALID`, 'ALTER ROLE a PASSWORD *** VALID'],
    [
      `DETAIL:  The failed archive command was: A=${canary} cp pg_wal/0 ${canary}`,
      'DETAIL:  The failed archive command was: A=*** cp *** ***',
    ],
    [
      `LOG:  authentication option not in name=value format: ${canary} x`,
      'LOG:  authentication option not in name=value format: ***',
    ],
    [
      `syntax error in file "/x" line 3, near token "${canary}"`,
      'syntax error in file "/x" line 3, near token ***',
    ],
    [
      `invalid value for parameter "vault.token": "${canary}"`,
      'invalid value for parameter "vault.token": ***',
    ],
    [
      'invalid value for parameter "work_mem": "8 bananas"',
      'invalid value for parameter "work_mem": "8 bananas"',
    ],
    [`could not parse RADIUS secrets list "${canary} "`, 'could not parse RADIUS secrets list ***'],
    [`{"password": "${canary} x", "a": 1}`, '{"password": ***'],
    [`Environment="TOKEN=${canary} x"`, 'Environment="TOKEN=***'],
    [`ExecStart=/bin/x --api-key ${canary} -v`, 'ExecStart=/bin/x --api-key *** -v'],
    [`curl -u me:${canary} x`, 'curl -u ***'],
    [`X-Auth: ${canary}`, 'X-Auth: ***'],
    [`+  db_password: "${canary} x"`, '+  db_password: ***'],
    [`  - token: ${canary}`, '  - token: ***'],
    [`see ftp://u:it's${canary}@h/x, or "password=${canary}`, 'see ftp://***@h/x, or "password=***'],
    [
      `host all all ::/0 ldap ldapbindpasswd=\\\n${canary}\nlocal all all peer`,
      'host all all ::/0 ldap ldapbindpasswd=***\n***\nlocal all all peer',
    ],
  ])('%s', (text, shown) => {
    expect(withoutSecrets(text)).toBe(shown);
    expect(withoutSecrets(shown), 'shown twice').toBe(shown);
  });
});

it.each(['\r', '\u2028', '\r\n'])('a line that ends with %j shows no more than another one', (end) => {
  for (const line of [
    `ssl_passphrase_command = 'echo ${canary}'`,
    `#pgduet: archive_command = 'wal-push --key ${canary} %p'`,
    `ALTER SYSTEM SET archive_command TO 'a --key ${canary}'`,
    `host all all 10.0.0.0/8 ldap ldapbindpasswd="${canary}"`,
    `primary_conninfo = 'host=a password=${canary}' # x`,
    `app.token=${canary}`,
    `password: x${canary}`,
  ]) {
    expect(withoutSecrets(`${line}${end}`)).not.toContain(canary);
    expect(withoutSecrets(`${line.replace(canary, `a${end.replace('\n', '')}${canary}`)}`)).not.toContain(
      canary,
    );
  }
});

it('a name of a secret is told from names of files, methods and times', () => {
  const secrets = [
    'PGPASSWORD',
    'ldapbindpasswd',
    'radiussecrets',
    'AWS_SECRET_ACCESS_KEY',
    'x.api_key',
    'PRIVATE-KEY',
    'my.pw',
  ];
  const others = [
    'passfile',
    'PGPASSFILE',
    'password_encryption',
    'authentication_timeout',
    'keepalives',
    'monkey',
    'group_assigned_to',
  ];
  expect(secrets.filter((name) => !isSecretName(name))).toEqual([]);
  expect(others.filter(isSecretName)).toEqual([]);
});

it.each([
  [
    `authentication option not in name=value format: ${canary}`,
    'authentication option not in name=value format: ***',
  ],
  [`could not parse RADIUS secrets list "${canary}" x"`, 'could not parse RADIUS secrets list "***'],
  [`could not parse LDAP URL "ldap://u:${canary}@h": Compare False`, 'could not parse LDAP URL "***'],
  [`ungültige Angabe »${canary}« x`, 'ungültige Angabe »***'],
  [
    'authentication option "ldapbindpasswd" is only valid for authentication methods ldap',
    'authentication option "ldapbindpasswd" is only valid for authentication methods ldap',
  ],
  ['end-of-line before authentication method', 'end-of-line before authentication method'],
])('what the server says of a rule that it cannot read: %s', (error, shown) => {
  expect(openRuleError(error)).toBe(shown);
});

it('a connection string that is none shows no more than names', () => {
  expect(openConninfo(canary)).toBe('***');
});
