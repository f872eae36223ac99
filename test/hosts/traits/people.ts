/** Logins, shells, sudo, sshd, environments and files in the homes of people. */
import { starts, type Trait, works } from '../trait.ts';

const pgpass = (text: string): string => `home=$(getent passwd postgres | cut -d: -f6)
printf '${text}' >$home/.pgpass; chown postgres: $home/.pgpass; chmod 600 $home/.pgpass`;

export const people: readonly Trait[] = [
  {
    name: 'login-with-sudo',
    has: 'the login user becomes root by sudo',
    starts,
    topics: ['login'],
    inventory: { ssh: { user: 'ops', become: 'sudo' } },
    right: works,
  },
  {
    name: 'sudo-on-a-terminal',
    has: 'sudo uses a pseudo terminal, lectures always and knows a short path',
    starts,
    topics: ['login'],
    shell: `printf 'Defaults use_pty\\nDefaults lecture=always\\nDefaults secure_path=/usr/sbin:/usr/bin\\nDefaults umask=0077\\n' >/etc/sudoers.d/zz
chmod 440 /etc/sudoers.d/zz`,
    inventory: { ssh: { user: 'ops', become: 'sudo' } },
    right: works,
  },
  {
    name: 'talking-profile',
    has: "root's shell says something at each login",
    starts,
    shell: `for file in /root/.bashrc /root/.profile /etc/profile.d/zz.sh; do echo 'echo "Welcome to $(hostname)"; echo "mind the gap" >&2' >>$file; done`,
    right: works,
  },
  {
    name: 'talking-sshd',
    has: 'sshd shows a banner and a message of the day',
    starts,
    shell: `printf 'AUTHORISED USERS ONLY\\n' >/etc/issue.net
printf 'Banner /etc/issue.net\\nPrintMotd yes\\nPrintLastLog yes\\n' >/etc/ssh/sshd_config.d/20-banner.conf
echo 'it rains' >/etc/motd; systemctl reload ssh`,
    right: works,
  },
  {
    name: 'shell-of-root-is-dash',
    has: "root's shell is dash",
    starts,
    shell: 'usermod -s /bin/dash root',
    right: works,
  },
  {
    name: 'postgres-has-no-shell',
    has: "the server's user has no shell",
    starts,
    topics: ['account of postgres'],
    shell: 'sed -i "/^postgres:/s,[^:]*$,/usr/sbin/nologin," /etc/passwd',
    right: works,
  },
  {
    name: 'postgres-talks',
    has: "the server's user has files that speak and leave at its login",
    starts,
    shell: `home=$(getent passwd postgres | cut -d: -f6)
for file in .profile .bashrc .bash_profile; do printf 'echo hello\\nset -u\\nexit 3\\n' >$home/$file; chown postgres: $home/$file; done`,
    right: works,
  },
  {
    name: 'closed-umask',
    has: 'everybody has umask 077',
    starts,
    shell: `sed -i 's/^UMASK.*/UMASK 077/' /etc/login.defs
for file in /etc/profile.d/umask.sh /root/.bashrc; do echo 'umask 077' >>$file; done`,
    right: works,
  },
  {
    name: 'open-umask',
    has: 'everybody has umask 000',
    starts,
    shell: "for file in /etc/profile.d/umask.sh /root/.bashrc; do echo 'umask 000' >>$file; done",
    right: works,
  },
  {
    name: 'libpq-in-environment',
    has: '/etc/environment names a server, a user and a database for libpq',
    starts,
    shell: `printf 'PGHOST=192.0.2.9\\nPGPORT=1\\nPGUSER=nobody\\nPGDATABASE=nothing\\nPGSSLMODE=require\\nPGOPTIONS=-cstatement_timeout=1\\nPGPASSFILE=/nowhere\\n' >>/etc/environment
printf 'export PGHOST=192.0.2.9 PGPORT=1 PGUSER=nobody PGDATABASE=nothing PGDATA=/nowhere\\n' >/etc/profile.d/pg.sh`,
    right: works,
  },
  {
    name: 'psqlrc',
    has: 'psql has settings of its own',
    starts,
    shell: `home=$(getent passwd postgres | cut -d: -f6)
for file in $home/.psqlrc /etc/postgresql-common/psqlrc /root/.psqlrc; do printf '\\\\timing on\\n\\\\x on\\n\\\\pset null NULL\\n\\\\set AUTOCOMMIT off\\n\\\\echo ready\\n' >$file; done`,
    right: works,
  },
  {
    name: 'psql-is-a-script',
    has: 'psql and pg_ctl in /usr/local/bin are scripts of somebody',
    starts,
    topics: ['usr local'],
    shell: `for name in psql pg_ctl pg_basebackup initdb; do printf '#!/bin/sh\\necho "use our wrapper"\\nexit 1\\n' >/usr/local/bin/$name; chmod 755 /usr/local/bin/$name; done`,
    right: works,
  },
  {
    name: 'locale-that-is-missing',
    has: 'the system has a locale that was never generated',
    starts,
    topics: ['locale'],
    shell: `printf 'LANG=de_DE.UTF-8\\nLC_ALL=de_DE.UTF-8\\n' >/etc/default/locale
printf 'LANG=de_DE.UTF-8\\nLC_ALL=de_DE.UTF-8\\n' >>/etc/environment`,
    right: works,
  },
  {
    name: 'locale-of-turkey',
    has: 'the system and its logins speak Turkish, which has an i without a dot',
    starts,
    topics: ['locale'],
    shell: `localedef -i tr_TR -f UTF-8 tr_TR.UTF-8
for file in /etc/default/locale /etc/environment; do printf 'LANG=tr_TR.UTF-8\\nLC_ALL=tr_TR.UTF-8\\n' >>$file; done; systemctl daemon-reexec`,
    right: works,
  },
  {
    name: 'processes-of-others-hidden',
    has: '/proc hides the processes of others',
    starts,
    shell: 'mount -o remount,hidepid=2 /proc',
    right: works,
  },
  {
    name: 'narrow-sshd',
    has: 'sshd allows one session, nothing forwarded and no terminal, and signs with ed25519 alone',
    starts,
    shell: `printf 'MaxSessions 1\\nDisableForwarding yes\\nPermitTTY no\\nHostKeyAlgorithms ssh-ed25519\\n' >/etc/ssh/sshd_config.d/20-narrow.conf; systemctl reload ssh`,
    right: works,
  },
  {
    name: 'zone-of-kathmandu',
    has: 'the hosts live in another time zone',
    starts,
    shell: 'ln -sf /usr/share/zoneinfo/Asia/Kathmandu /etc/localtime; echo Asia/Kathmandu >/etc/timezone',
    right: works,
  },
  {
    name: 'few-open-files',
    has: "limits of the server's user are narrow",
    starts,
    shell: "printf 'postgres hard nofile 256\\\\n' >/etc/security/limits.d/postgres.conf",
    right: works,
  },
  {
    name: 'pgpass-of-others',
    has: '.pgpass has lines for other servers',
    starts,
    topics: ['pgpass'],
    shell: pgpass(
      '# the other shop\\ndb.example.com:5432:*:backup:canary-pgpass-1\\n\\nother:*:*:*:canary-pgpass-2\\n',
    ),
    right: works,
  },
  {
    name: 'pgpass-with-wildcard',
    has: '.pgpass begins with a line that matches everything',
    starts,
    topics: ['pgpass'],
    shell: pgpass('*:*:*:*:canary-pgpass-3\\n'),
    right: works,
  },
  {
    name: 'pgpass-with-crlf',
    has: '.pgpass has the line ends of Windows',
    starts,
    topics: ['pgpass'],
    shell: pgpass('db.example.com:5432:*:backup:canary-pgpass-4\\r\\n'),
    right: works,
  },
  {
    name: 'services-have-the-port',
    has: '/etc/services knows the ports under other names',
    starts,
    shell: "printf 'wnn6 27500/tcp # a name\\nmyown 27540/tcp\\ninst1db 5432/tcp\\n' >>/etc/services",
    right: works,
  },
  {
    name: 'services-without-line-end',
    has: '/etc/services ends without a line end',
    starts,
    shell: "printf 'myown 27540/tcp' >>/etc/services",
    right: works,
  },
  {
    name: 'pgpass-without-line-end',
    has: '.pgpass ends without a line end',
    starts,
    topics: ['pgpass'],
    shell: pgpass('db.example.com:5432:*:backup:canary-pgpass-5'),
    right: works,
  },
  {
    name: 'group-of-postgres',
    has: "the server's user is in more groups, and others are in its group",
    starts,
    shell:
      'usermod -aG adm,ssl-cert postgres 2>/dev/null || usermod -aG adm postgres; usermod -aG postgres ops',
    right: works,
  },
];
