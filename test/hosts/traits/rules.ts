/** pg_hba.conf and pg_ident.conf, in every form that the server accepts. */
import { single, type Trait, works } from '../trait.ts';

const rules = (text: string): string => `cat >>{conf}/pg_hba.conf <<'END'\n${text}\nEND`;

export const rulesTraits: readonly Trait[] = [
  {
    name: 'hba-with-ldap',
    has: 'a rule of Active Directory with an @ in its suffix and a password',
    starts: single,
    stopped: rules(
      'host all all 192.0.2.0/24 ldap ldapserver=ad.corp.example ldapprefix="" ldapsuffix="@corp.example"\nhost all all 198.51.100.0/24 ldap ldapserver=ad ldapbasedn="dc=x" ldapbinddn="cn=b" ldapbindpasswd="canary-ldap#1"',
    ),
    right: works,
  },
  {
    name: 'hba-with-mail-address',
    has: 'a role is a mail address in quotes',
    starts: single,
    sql: 'CREATE ROLE "jane@corp.example" LOGIN; CREATE ROLE "@jane" LOGIN;',
    stopped: rules(
      'host all "jane@corp.example" 192.0.2.0/24 scram-sha-256\nhost all "@jane" 192.0.2.0/24 scram-sha-256',
    ),
    right: works,
  },
  {
    name: 'hba-with-quoted-names',
    has: 'databases and roles with spaces, quotes and the words of pg_hba.conf',
    starts: single,
    sql: 'CREATE ROLE "Jane Doe" LOGIN; CREATE ROLE "all" LOGIN;',
    stopped: rules(
      'host "my db","all","sameuser" "Jane Doe" 192.0.2.0/24 scram-sha-256\nhost "replication" "all" 192.0.2.0/24 scram-sha-256\nlocal "x y" +"app" peer',
    ),
    right: works,
  },
  {
    name: 'hba-with-expressions',
    has: 'rules with regular expressions',
    starts: single,
    images: ['debian13'],
    stopped: rules(
      'host "/^(app|my db)_\\d+$" /^svc_.*$ 192.0.2.0/24 scram-sha-256\nhost all /^a+$ 192.0.2.7/32 reject',
    ),
    right: works,
  },
  {
    name: 'hba-with-include',
    has: 'pg_hba.conf in the data directory includes a file elsewhere that only the first host has',
    starts: ['unit'],
    images: ['debian13'],
    topics: ['hba file'],
    stopped: `install -d -o postgres -g postgres /etc/pgrules; echo 'host all all 192.0.2.8/32 reject' >/etc/pgrules/apps.conf; chown postgres: /etc/pgrules/apps.conf
${rules('include /etc/pgrules/apps.conf')}`,
    right: {
      kind: 'refused',
      by: 'plan',
      code: 'SAF030',
      names: /\/etc\/pgrules\/apps\.conf/,
      fix: {
        stopped: "sed -i 's,^include /etc/pgrules.*,host all all 192.0.2.8/32 reject,' {conf}/pg_hba.conf",
      },
    },
  },
  {
    name: 'hba-with-list-file',
    has: 'a rule takes its users from a file',
    starts: ['packaged'],
    stopped: `echo app >{conf}/admins; chown postgres: {conf}/admins
${rules('host all @admins 192.0.2.0/24 scram-sha-256')}`,
    right: {
      kind: 'refused',
      by: 'plan',
      code: 'SAF030',
      names: /pg_hba\.conf:\d+ leads to \S+\/admins/,
      fix: { stopped: "sed -i 's/@admins/app/' {conf}/pg_hba.conf" },
    },
  },
  {
    name: 'hba-over-two-lines',
    has: 'a rule goes over two lines',
    starts: single,
    stopped: rules('host all app \\\n  192.0.2.0/24 \\\n  scram-sha-256'),
    right: works,
  },
  {
    name: 'hba-with-maps',
    has: 'logins on the socket go through a map of pg_ident.conf',
    starts: single,
    stopped: `sed -i 's/^local  *all  *postgres .*/local all postgres peer map=admins/' {conf}/pg_hba.conf
grep -q 'map=admins' {conf}/pg_hba.conf || sed -i '0,/^local/s//local all postgres peer map=admins\\nlocal/' {conf}/pg_hba.conf
printf 'admins postgres postgres\\nadmins root postgres\\nadmins /^(.*)@corp$ \\\\1\\n' >>{conf}/pg_ident.conf`,
    topics: ['local rules'],
    right: works,
  },
  {
    name: 'hba-closed-for-postgres',
    has: 'the superuser gets into one database not without a password',
    starts: single,
    sql: 'CREATE DATABASE sealed;',
    foretold: /could look into the database 'sealed'/,
    topics: ['local rules'],
    stopped:
      "sed -i '/^local/d' {conf}/pg_hba.conf; sed -i '1i local postgres postgres peer\\nlocal app,stock postgres peer\\nlocal all all scram-sha-256' {conf}/pg_hba.conf",
    right: works,
  },
  {
    name: 'hba-with-crlf',
    has: 'pg_hba.conf has the line ends of Windows',
    starts: single,
    stopped: "sed -i 's/$/\\r/' {conf}/pg_hba.conf",
    right: works,
  },
  {
    name: 'hba-by-host-name',
    has: 'rules by host name, by domain, samehost, samenet, and with a netmask',
    starts: single,
    stopped: rules(
      'host all app clients.example scram-sha-256\nhost all app .corp.example scram-sha-256\nhost all app samehost scram-sha-256\nhost all reporting samenet scram-sha-256\nhost all reporting 192.0.2.0 255.255.255.0 scram-sha-256\nhost all reporting ::/0 scram-sha-256',
    ),
    right: works,
  },
  {
    name: 'hba-with-trust',
    has: 'a rule lets an address in without a password',
    starts: single,
    topics: ['hba file'],
    stopped: rules('host all reporting 192.0.2.77/32 trust'),
    tells: ['HBA002'],
    foretold: /trust/,
    right: works,
  },
  {
    name: 'hba-with-many-rules',
    has: 'pg_hba.conf has a thousand rules and no line end',
    starts: single,
    stopped: `i=0; while [ $i -lt 1000 ]; do echo "host all reporting 192.0.2.$((i % 250))/32 reject # $i"; i=$((i + 1)); done >>{conf}/pg_hba.conf
printf 'host all reporting 198.51.100.1/32 reject' >>{conf}/pg_hba.conf`,
    right: works,
  },
  {
    name: 'hba-rejects-replication',
    has: 'the first rule rejects replication of everybody',
    starts: single,
    stopped: "sed -i '1i host replication all 0.0.0.0/0 reject' {conf}/pg_hba.conf",
    right: works,
  },
];
