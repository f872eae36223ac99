/** Cases of the kinds that deal with the operating system: packages, users, ports, services, commands. */
import { createHash } from 'node:crypto';
import type { KindCases } from '../cases.ts';

const rightUnit = 'regular file|644|root|root|100|200';

/** What the probe of a unit prints: its file, what systemd says of it, and the text. */
const unitSays = (
  said: Readonly<Record<string, string>> = {},
  text = 'one\ntwo\n',
  stat = rightUnit,
): string =>
  `${stat}\n${Object.entries({
    UnitFileState: 'enabled',
    LoadState: 'loaded',
    NeedDaemonReload: 'no',
    MainPID: '0',
    ...said,
  })
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')}\n${text}`;

const rightScript = 'regular file|755|root|root|100|200';
const lessThanAUnit =
  'an init script, which starts it at boot and stops it at shutdown, and does nothing in between';
const dropInOfUnit = '/etc/systemd/system/mcoi_inst1.service.d/a.conf';
const limited = '{ name: mcoi_inst1, template: limits.hbs }';
const limitedText =
  '[Service]\nNoNewPrivileges=yes\nCapabilityBoundingSet=CAP_NET_RAW CAP_IPC_LOCK CAP_NET_BIND_SERVICE\n';
const marked = '{ name: mcoi_inst1, template: unit.hbs }';
const mark = createHash('sha256')
  .update('[Service]\nEnvironment=PGDUET_UNIT=\n[Install]\nWantedBy=multi-user.target graphical.target')
  .digest('hex')
  .slice(0, 12);
const markedText = `[Service]\n# a mark\nEnvironment=PGDUET_UNIT=${mark}\n[Install]\nWantedBy=multi-user.target graphical.target\n`;
const running = { MainPID: '7', ActiveEnterTimestamp: 'Sat 2026-11-28 01:28:05 UTC' };

const rootFile = 'regular file|644|root|root|100|200';
const keepalive = (value: string, written = '60', stat = rootFile): string =>
  `${value}\n${stat}\n# Written by pgduet.\nnet.ipv4.tcp_keepalive_time = ${written}\n`;

export const system: readonly KindCases[] = [
  {
    kind: 'command',
    desired: "{ name: seed, run: 'createdb app', unless: 'test -e /done', user: postgres }",
    key: 'seed',
    describes: "command 'seed'",
    errors: [
      { desired: "{ run: 'x' }", what: "the field 'unless' is missing", at: '1:1' },
      { desired: "{ unless: 'x' }", what: "the field 'run' is missing", at: '1:1' },
      { desired: 'just text', what: 'a map of fields is expected', at: '1:1' },
    ],
    cases: [
      { title: 'its check succeeds', reply: { status: 0 }, gives: { same: 'succeeds' } },
      {
        title: 'its check fails',
        reply: { status: 1 },
        gives: { change: "run 'seed'", reason: 'fails', script: ["as postgres sh -c 'createdb app'"] },
      },
      {
        title: 'its check is no command',
        reply: { status: 127, stderr: 'sh: tset: not found' },
        gives: { unknown: /127.*tset: not found/ },
      },
    ],
  },
  {
    kind: 'group',
    desired: '{ name: dba }',
    key: 'dba',
    describes: 'group dba',
    errors: [{ desired: '{ nmae: dba }', what: "'nmae' is not known", at: '1:3' }],
    cases: [
      { title: 'it exists', reply: { stdout: 'dba:x:991:\n' }, gives: { same: 'exists' } },
      {
        title: 'it does not exist',
        reply: { status: 2 },
        gives: { change: 'create group dba', reason: 'does not exist', script: ['groupadd --system dba'] },
      },
      {
        title: 'the name service fails',
        reply: { status: 1, stderr: 'getent: sssd is away' },
        gives: { unknown: 'sssd is away' },
      },
      { title: 'getent is missing', reply: { status: 127 }, gives: { unknown: 'getent failed' } },
    ],
  },
  {
    kind: 'user',
    desired: '{ name: postgres }',
    key: 'postgres',
    describes: 'user postgres',
    errors: [{ desired: "{ name: '' }", what: "'name' is missing or empty", at: '1:1' }],
    cases: [
      {
        title: 'it exists, with whatever home',
        reply: { stdout: 'postgres:x:101:104::/srv/pg:/bin/sh\n' },
        gives: { same: 'exists' },
      },
      {
        title: 'it does not exist',
        reply: { status: 2 },
        gives: {
          change: 'create user postgres',
          reason: 'does not exist',
          differences: ['USR001 postgres: exists → missing'],
          script: ['--home-dir /var/lib/postgres', '--shell /bin/bash postgres', 'chmod 0700'],
        },
      },
      {
        title: 'the home of the inventory is taken',
        desired: "{ name: pg, home: '/srv/my pg', shell: /bin/sh }",
        reply: { status: 2 },
        gives: { change: 'create user pg', reason: 'does not exist', script: ["--home-dir '/srv/my pg'"] },
      },
      { title: 'the name service fails', reply: { status: 3 }, gives: { unknown: 'getent failed' } },
    ],
  },
  {
    kind: 'package',
    desired: "{ name: postgresql-15, provides: 'pgbin:postgres' }",
    key: 'postgresql-15',
    describes: 'package postgresql-15',
    errors: [{ desired: '{ provides: node }', what: "'name' is missing", at: '1:1' }],
    cases: [
      { title: 'it is installed', reply: { stdout: 'package\n' }, gives: { same: 'installed' } },
      {
        title: 'its program is there, from wherever',
        reply: { stdout: 'program /opt/pg 15/bin/postgres\n' },
        gives: { same: '/opt/pg' },
      },
      {
        title: 'it is not installed',
        reply: { stdout: 'manager apt\n' },
        gives: {
          change: 'install package postgresql-15',
          reason: 'not installed',
          differences: ['PKG001 postgresql-15: installed → not installed'],
          script: ['apt-get install -y', 'postgresql-15'],
        },
      },
      {
        title: 'it is installed and its program is gone',
        reply: { stdout: 'lost apt /usr/lib/postgresql/15/bin/post gres\n' },
        gives: {
          change: 'install package postgresql-15 again',
          reason: '/bin/post gres is missing',
          differences: ['PKG001 postgresql-15: installed → /usr/lib/postgresql/15/bin/post gres is missing'],
          script: ['--no-install-recommends --reinstall'],
        },
      },
      {
        title: 'the host has no package manager that is known',
        reply: { stdout: 'manager none\n' },
        gives: { refuse: 'HST004', what: "'postgresql-15' is not there" },
      },
      {
        title: 'the package database is broken',
        reply: { status: 1, stderr: 'dpkg-query: error: database is locked' },
        gives: { unknown: 'database is locked' },
      },
      {
        title: 'its library is there, from wherever',
        desired: "{ name: postgresql-15-pgaudit, provides: 'pglib:pgaudit' }",
        reply: { stdout: 'program /opt/pg 15/lib/pgaudit.so\n' },
        gives: { same: '/opt/pg 15/lib/pgaudit.so is there' },
      },
      {
        title: 'its library is not there',
        desired: "{ name: postgresql-15-pgaudit, provides: 'pglib:pgaudit' }",
        reply: { stdout: 'manager apt\n' },
        gives: { change: 'install package postgresql-15-pgaudit', reason: 'not installed' },
        tells: [{ code: 'PKG001', object: 'postgresql-15-pgaudit' }],
      },
      {
        title: 'it is installed for another PostgreSQL than the one that runs',
        desired: "{ name: postgresql-15-pgaudit, provides: 'pglib:pgaudit' }",
        reply: { stdout: 'elsewhere /opt/pg 15/lib\n' },
        gives: { refuse: 'HST004', what: 'the library pgaudit is not in /opt/pg 15/lib' },
      },
    ],
  },
  {
    kind: 'port',
    desired: '{ port: 27500, for: PostgreSQL, pid_file: /database/inst1/postmaster.pid }',
    key: '27500',
    describes: 'port 27500 for PostgreSQL',
    errors: [
      { desired: '{ port: many, for: x, pid_file: y }', what: "whole number, not 'many'", at: '1:9' },
      { desired: '{ for: x, pid_file: y }', what: "'port' is missing", at: '1:1' },
      {
        desired: '{ port: 1, for: x, pid_file: y, unit: initctl/x }',
        what: "'unit' cannot be 'initctl/x'",
        at: '1:39',
        beyondSchema: true,
      },
    ],
    cases: [
      { title: 'it is free', reply: { stdout: 'free\n' }, gives: { same: 'free' } },
      {
        title: 'its own program uses it',
        reply: { stdout: 'rightful\n' },
        gives: { same: 'PostgreSQL uses' },
      },
      {
        title: 'a stranger uses it',
        reply: { stdout: 'taken\n("nginx",pid=7,fd=6)\n' },
        gives: { refuse: 'HST005', what: 'port 27500' },
      },
      {
        title: 'the controller of this server uses it, and its directory is gone',
        reply: { stdout: 'orphan 4711\n' },
        gives: {
          refuse: 'HST005',
          what: 'the controller of this server (process 4711)',
          fix: 'Do not end the controller',
        },
      },
      {
        title: 'the same, and its directory is there again, with what the next one may believe',
        reply: { stdout: 'orphan 4711 kept\n' },
        gives: { refuse: 'HST005', what: 'process 4711', fix: 'kill -KILL 4711' },
      },
      {
        title: 'somebody uses it, and whether rightfully is closed to this login',
        reply: { stdout: 'closed /database/inst1\n' },
        gives: { unknown: 'no right to look into /database/inst1' },
      },
      {
        title: 'the list of ports cannot be read',
        reply: { status: 1, stderr: 'cat: /proc/net/tcp: denied' },
        gives: { unknown: 'denied' },
      },
    ],
  },
  {
    kind: 'program',
    desired: '{ name: node, at_least: 18 }',
    key: 'node',
    describes: 'program node, 18 or newer',
    errors: [{ desired: '{ name: node }', what: "'at_least' is missing", at: '1:1' }],
    cases: [
      {
        title: 'it is new enough',
        reply: { stdout: '/usr/bin/node\nv18.20.4\n' },
        gives: { same: '18.20.4' },
      },
      { title: 'it is newer', reply: { stdout: '/usr/bin/node\nv100.0.0\n' }, gives: { same: '100' } },
      {
        title: 'it is too old',
        reply: { stdout: '/usr/bin/node\nv12.22.12\n' },
        gives: { refuse: 'HST008', what: '12.22.12' },
      },
      // Not a refusal: a package that is still to be installed may bring it.
      { title: 'it is not there', reply: { status: 127 }, gives: { unknown: 'not there' } },
      {
        title: 'it says no version',
        reply: { stdout: '/usr/bin/node\nhello\n' },
        gives: { unknown: 'not there' },
      },
    ],
  },
  {
    kind: 'service',
    desired: '{ name: cron }',
    key: 'cron',
    describes: 'service cron',
    errors: [{ desired: '{ name: cron, state: up }', what: "'state' cannot be 'up'", at: '1:22' }],
    cases: [
      { title: 'it runs', reply: { stdout: 'active\n' }, gives: { same: 'it runs' } },
      { title: 'it is on its way', reply: { stdout: 'activating\n' }, gives: { same: 'it runs' } },
      {
        title: 'it does not run',
        reply: { stdout: 'inactive\n' },
        gives: { change: 'start cron', reason: 'does not run', script: ['systemctl start cron'] },
      },
      {
        title: 'it has failed',
        reply: { stdout: 'failed\n' },
        gives: { change: 'start cron', reason: 'does not run' },
      },
      {
        title: 'it runs and should not',
        desired: '{ name: cron, state: stopped }',
        reply: { stdout: 'active\n' },
        gives: { change: 'stop cron', reason: 'it runs', script: ['systemctl stop cron'] },
      },
      {
        title: 'it does not run and should not',
        desired: '{ name: cron, state: stopped }',
        reply: { stdout: 'inactive\n' },
        gives: { same: 'does not run' },
      },
      {
        title: 'systemd is not there',
        reply: { status: 1, stderr: 'System has not been booted with systemd' },
        gives: { unknown: 'not been booted' },
      },
      { title: 'systemd says nothing', reply: { stdout: '\n' }, gives: { unknown: 'no answer' } },
    ],
  },
  {
    kind: 'sysctl',
    desired: '{ name: net.ipv4.tcp_keepalive_time, value: 60 }',
    key: 'net.ipv4.tcp_keepalive_time',
    describes: 'kernel parameter net.ipv4.tcp_keepalive_time',
    errors: [
      { desired: '{ name: net.ipv4.tcp_keepalive_time }', what: "'value' is missing", at: '1:1' },
      {
        desired: '{ name: ../x, value: 1 }',
        what: "'../x' is no kernel parameter",
        at: '1:9',
        beyondSchema: true,
      },
    ],
    cases: [
      {
        title: 'it is in force, and in its file',
        reply: { stdout: keepalive('60') },
        gives: { same: 'it is 60' },
      },
      {
        title: 'it has several values',
        desired: '{ name: net.ipv4.tcp_rmem, value: "4096\t87380  6291456" }',
        reply: {
          stdout: `4096\t87380\t6291456\n${rootFile}\n# Written by pgduet.\nnet.ipv4.tcp_rmem = 4096 87380 6291456\n`,
        },
        gives: { same: 'also after a reboot' },
      },
      {
        title: 'it was set by hand',
        reply: { stdout: keepalive('7200') },
        gives: {
          change: 'set net.ipv4.tcp_keepalive_time to 60',
          reason: /^it is 7200$/,
          script: ['> /proc/sys/net/ipv4/tcp_keepalive_time'],
        },
      },
      {
        title: 'it has no file',
        reply: { stdout: '7200\nabsent\n' },
        gives: {
          change: 'set net.ipv4.tcp_keepalive_time to 60',
          reason: 'it is 7200; nothing sets it after a reboot',
          script: ['put /etc/sysctl.d/net.ipv4.tcp_keepalive_time.conf 0644 root:root'],
        },
      },
      {
        title: 'its file says something else, and belongs to somebody else',
        reply: { stdout: keepalive('60', '60 # mine', 'regular file|664|postgres|root|100|200') },
        gives: { change: 'set', reason: 'has another content; postgres:root 0664 → root:root 0644' },
      },
      {
        title: 'the kernel has no such parameter',
        reply: { status: 1, stderr: 'the kernel has no such parameter' },
        gives: { unknown: 'no such parameter' },
      },
      {
        title: 'its file is not to be seen',
        reply: { stdout: '60\nclosed /etc/sysctl.d\n' },
        gives: { unknown: '/etc/sysctl.d' },
      },
    ],
  },
  {
    kind: 'init_script',
    desired: '{ name: rc_mcoi_inst1, tool: update-rc.d, template: text.hbs }',
    key: 'rc_mcoi_inst1',
    describes: 'init script rc_mcoi_inst1',
    errors: [
      {
        desired: '{ name: x, tool: update-rc.d }',
        what: 'a script needs a template',
        at: '1:1',
        beyondSchema: true,
      },
      { desired: '{ name: x, tool: initctl, template: text.hbs }', what: "cannot be 'initctl'", at: '1:18' },
    ],
    cases: [
      {
        title: 'it is as it should be, and less than a unit',
        reply: { stdout: `on\n${rightScript}\none\ntwo\n` },
        gives: {
          same: 'started at boot',
          differences: [`INI005 rc_mcoi_inst1: a unit of systemd → ${lessThanAUnit}`],
        },
      },
      {
        title: 'it is not there',
        reply: { stdout: 'off\nabsent\n' },
        gives: {
          change: 'write and enable init script rc_mcoi_inst1',
          reason: 'not there',
          differences: ['INI001 rc_mcoi_inst1: /etc/init.d/rc_mcoi_inst1 → missing'],
          script: [
            /^put \/etc\/init.d\/rc_mcoi_inst1 0755 root:root /m,
            /update-rc\.d -f rc_mcoi_inst1 remove && update-rc\.d rc_mcoi_inst1 defaults && update-rc\.d rc_mcoi_inst1 enable/,
          ],
        },
      },
      {
        title: 'its file is gone, and its links are there',
        reply: { stdout: 'on\nabsent\n' },
        gives: { change: 'write and enable init script rc_mcoi_inst1', reason: 'not there' },
      },
      {
        title: 'its content differs, with an empty line in it',
        reply: { stdout: `on\n${rightScript}\none\n\ntwo\n` },
        gives: {
          change: 'rewrite init script rc_mcoi_inst1',
          reason: 'content differs',
          differences: [
            'INI002 rc_mcoi_inst1: as rendered → another content @100',
            `INI005 rc_mcoi_inst1: a unit of systemd → ${lessThanAUnit}`,
          ],
        },
      },
      {
        title: 'it is a link to a file elsewhere',
        reply: { stdout: 'on\nsymbolic link|777|root|root|100|200\n' },
        gives: {
          change: 'rewrite init script rc_mcoi_inst1',
          reason: 'content differs',
          differences: [
            'INI002 rc_mcoi_inst1: as rendered → a symbolic link @100',
            `INI005 rc_mcoi_inst1: a unit of systemd → ${lessThanAUnit}`,
          ],
          script: [/^put /m],
        },
      },
      {
        title: 'the host does not start it in one of the levels',
        reply: { stdout: `some\n${rightScript}\none\ntwo\n` },
        gives: {
          change: 'set init script rc_mcoi_inst1 right',
          reason: 'in some levels only',
          differences: [
            'INI003 rc_mcoi_inst1: started at boot → started at boot in some levels only',
            `INI005 rc_mcoi_inst1: a unit of systemd → ${lessThanAUnit}`,
          ],
        },
      },
      {
        title: 'the host starts it and should not',
        desired: '{ name: rc_mcoi_inst1, tool: chkconfig, template: text.hbs, enabled: false }',
        reply: { stdout: `on\n${rightScript}\none\ntwo\n` },
        gives: {
          change: 'set init script rc_mcoi_inst1 right',
          reason: 'it is started at boot',
          differences: ['INI003 rc_mcoi_inst1: not started at boot → started at boot'],
          script: ['chkconfig --level 2345 rc_mcoi_inst1 off'],
        },
      },
      {
        title: 'one level still starts what is to stay down',
        desired: '{ name: rc_mcoi_inst1, tool: update-rc.d, template: text.hbs, enabled: false }',
        reply: { stdout: `some\n${rightScript}\none\ntwo\n` },
        gives: {
          change: 'set init script rc_mcoi_inst1 right',
          reason: 'in some levels only',
          differences: ['INI003 rc_mcoi_inst1: not started at boot → started at boot in some levels only'],
          script: ['update-rc.d rc_mcoi_inst1 disable'],
        },
      },
      {
        title: 'everybody may write it, on a host with OpenRC',
        desired: '{ name: rc_mcoi_inst1, tool: rc-update, template: text.hbs }',
        reply: { stdout: 'on\nregular file|777|root|root|100|200\none\ntwo\n' },
        gives: {
          change: 'set init script rc_mcoi_inst1 right',
          reason: '0777',
          differences: [
            'INI004 /etc/init.d/rc_mcoi_inst1: 0755 → 0777 @200',
            `INI005 rc_mcoi_inst1: a unit of systemd → ${lessThanAUnit}`,
          ],
          script: [/^own \/etc\/init.d\/rc_mcoi_inst1 0755 root:root /m, 'rc-update --quiet add'],
        },
      },
      {
        title: 'a directory stands in its place',
        reply: { stdout: 'off\ndirectory|755|root|root|100|200\n' },
        gives: { refuse: 'SAF002', what: 'is a directory' },
      },
      {
        title: 'it is to go, and is there',
        desired: '{ name: rc_mcoi_inst1, tool: update-rc.d, state: absent }',
        reply: { stdout: `on\n${rightScript}\none\ntwo\n` },
        gives: {
          change: 'remove init script rc_mcoi_inst1',
          reason: 'it is there',
          script: [/^rm -f \/etc\/init.d\/rc_mcoi_inst1\nupdate-rc\.d rc_mcoi_inst1 remove$/m],
        },
      },
      {
        title: 'it is to go, and only its links are left',
        desired: '{ name: rc_mcoi_inst1, tool: update-rc.d, state: absent }',
        reply: { stdout: 'on\nabsent\n' },
        gives: { change: 'remove init script rc_mcoi_inst1', reason: 'it is there' },
      },
      {
        title: 'it is to go, and is gone',
        desired: '{ name: rc_mcoi_inst1, tool: update-rc.d, state: absent }',
        reply: { stdout: 'off\nabsent\n' },
        gives: { same: 'not there' },
      },
      {
        title: 'the host gives no answer',
        reply: { stdout: '', stderr: 'sh: cannot fork\n', status: 2 },
        gives: { unknown: 'cannot fork' },
      },
    ],
  },
  {
    kind: 'unit',
    desired: '{ name: mcoi_inst1, template: text.hbs }',
    key: 'mcoi_inst1',
    describes: 'unit mcoi_inst1.service',
    errors: [
      {
        desired: '{ name: x, template: missing.hbs }',
        what: "no template 'missing.hbs'",
        at: '1:22',
        beyondSchema: true,
      },
      { desired: '{ name: x, template: text.hbs, enabled: maybe }', what: "not 'maybe'", at: '1:41' },
    ],
    cases: [
      {
        title: 'it is as it should be',
        reply: { stdout: unitSays() },
        gives: { same: 'enabled' },
      },
      {
        title: 'it is not there',
        reply: { stdout: 'absent\n' },
        gives: {
          change: 'write and enable unit mcoi_inst1.service',
          reason: 'not there',
          differences: ['UNT001 mcoi_inst1.service: /etc/systemd/system/mcoi_inst1.service → missing'],
          script: ['/etc/systemd/system/mcoi_inst1.service', 'enable mcoi_inst1.service', 'daemon-reload'],
        },
      },
      {
        title: 'its content differs, with an empty line in it',
        reply: { stdout: unitSays({}, 'one\n\ntwo\n') },
        gives: {
          change: 'rewrite unit',
          reason: 'content differs',
          differences: ['UNT002 mcoi_inst1.service: as rendered → another content @100'],
        },
      },
      {
        title: 'it is disabled',
        reply: { stdout: unitSays({ UnitFileState: 'disabled' }) },
        gives: {
          change: 'enable unit',
          reason: 'disabled',
          differences: ['UNT003 mcoi_inst1.service: enabled → disabled'],
        },
      },
      {
        title: 'it is enabled until the next boot only',
        reply: { stdout: unitSays({ UnitFileState: 'enabled-runtime' }) },
        gives: {
          change: 'enable unit',
          reason: 'disabled',
          differences: ['UNT003 mcoi_inst1.service: enabled → enabled-runtime'],
        },
      },
      {
        title: 'it is enabled and should not be',
        desired: '{ name: mcoi_inst1, template: text.hbs, enabled: false }',
        reply: { stdout: unitSays() },
        gives: { change: 'disable unit', reason: 'enabled', script: ['disable mcoi_inst1.service'] },
      },
      {
        title: 'systemd has not read it',
        reply: { stdout: unitSays({ NeedDaemonReload: 'yes' }) },
        gives: {
          change: 'read mcoi_inst1.service again',
          reason: 'newer',
          differences: ['UNT004 mcoi_inst1.service: read by systemd → not read since it was written @100'],
        },
      },
      {
        title: 'systemd has not noticed that it is there again',
        reply: { stdout: unitSays({ LoadState: 'not-found' }) },
        gives: {
          change: 'read mcoi_inst1.service again',
          reason: 'newer',
          script: [/^systemctl daemon-reload$/m],
        },
      },
      {
        title: 'it is masked',
        reply: { stdout: `symbolic link|777|root|root|100|200\nUnitFileState=masked\nLoadState=masked\n\n` },
        gives: {
          change: 'unmask and enable unit mcoi_inst1.service',
          reason: 'masked',
          differences: ['UNT003 mcoi_inst1.service: enabled → masked'],
          script: ['put /etc/systemd/system/mcoi_inst1.service', 'LoadState=masked'],
        },
      },
      {
        title: 'it is a link to a file elsewhere',
        reply: { stdout: unitSays({}, 'one\ntwo\n', 'symbolic link|777|root|root|100|200') },
        gives: {
          change: 'set owner and mode',
          reason: 'a symbolic link',
          differences: [
            'UNT007 /etc/systemd/system/mcoi_inst1.service: a file, root:root 0644 → a symbolic link',
          ],
          script: ['put /etc/systemd/system/mcoi_inst1.service'],
        },
      },
      {
        title: 'its file has another owner and another mode',
        reply: { stdout: unitSays({}, 'one\ntwo\n', 'regular file|666|postgres|root|100|200') },
        gives: {
          change: 'set owner and mode of /etc/systemd/system/mcoi_inst1.service',
          reason: 'postgres:root 0666 → root:root 0644',
          differences: [
            'UNT007 /etc/systemd/system/mcoi_inst1.service: root:root → postgres:root @200',
            'UNT007 /etc/systemd/system/mcoi_inst1.service: 0644 → 0666 @200',
          ],
          script: [/^own \/etc\/systemd\/system\/mcoi_inst1.service 0644 root:root /m],
        },
      },
      {
        title: 'a directory stands in its place',
        reply: { stdout: unitSays({}, '', 'directory|755|root|root|100|200') },
        gives: { refuse: 'SAF002', what: 'is a directory' },
      },
      {
        title: 'drop-ins of people change it; those of the system and of the container do not count',
        reply: {
          stdout: unitSays({
            DropInPaths:
              '/usr/lib/systemd/system/service.d/10.conf /run/systemd/system/service.d/lxc.conf /etc/systemd/system/mcoi_inst1.service.d/a.conf',
            DropIn: '/etc/systemd/system/mcoi_inst1.service.d/a.conf',
          }),
        },
        gives: {
          same: 'enabled',
          differences: [
            'UNT006 mcoi_inst1.service: no drop-in → /etc/systemd/system/mcoi_inst1.service.d/a.conf',
          ],
        },
      },
      {
        title: 'it takes more away than the one that is there',
        desired: limited,
        reply: { stdout: unitSays({}, '[Service]\nNoNewPrivileges=yes\nUMask=0077\n') },
        gives: {
          change: 'rewrite unit',
          reason: 'content differs',
          notes: ['may do less; what runs goes on as it is. New are CapabilityBoundingSet: '],
        },
      },
      {
        title: 'it allows more than usual, and is not there',
        desired: '{ name: mcoi_inst1, template: text.hbs, allows: [privileges, devices] }',
        reply: { stdout: 'absent\n' },
        gives: {
          change: 'write and enable unit',
          reason: 'not there',
          notes: ['may do more than usual, as multiplexing.unit_allows says: privileges, devices'],
        },
      },
      {
        title: 'a drop-in is enough for sudo beside the text that is there, and not beside the new one',
        desired: limited,
        reply: {
          stdout: unitSays({ DropInPaths: dropInOfUnit, DropIn: dropInOfUnit, Gains: dropInOfUnit }),
        },
        gives: { refuse: 'SAF095', what: `NoNewPrivileges=no in ${dropInOfUnit}` },
      },
      {
        title: 'a drop-in that gives back the rest, too, is its own business',
        desired: limited,
        reply: {
          stdout: unitSays({
            DropInPaths: dropInOfUnit,
            DropIn: dropInOfUnit,
            Gains: dropInOfUnit,
            Bounds: dropInOfUnit,
          }),
        },
        gives: { change: 'rewrite unit', reason: 'content differs' },
      },
      {
        title: 'with a drop-in that gives capabilities the new one would not start',
        desired: limited,
        reply: {
          stdout: unitSays({ DropInPaths: dropInOfUnit, DropIn: dropInOfUnit, Raises: dropInOfUnit }),
        },
        gives: { refuse: 'SAF095', what: `AmbientCapabilities in ${dropInOfUnit}` },
      },
      {
        title: 'a drop-in that gives capabilities came later',
        desired: limited,
        reply: {
          stdout: unitSays(
            { DropInPaths: dropInOfUnit, DropIn: dropInOfUnit, Raises: dropInOfUnit },
            limitedText,
          ),
        },
        gives: {
          same: 'enabled',
          differences: [
            `UNT006 mcoi_inst1.service: no drop-in → ${dropInOfUnit}`,
            `UNT010 mcoi_inst1.service: multiplexing.unit_allows without privileges → AmbientCapabilities without CapabilityBoundingSet in ${dropInOfUnit}: the unit will not start`,
          ],
        },
      },
      {
        title: 'the same drop-in came later',
        desired: limited,
        reply: {
          stdout: unitSays(
            { DropInPaths: dropInOfUnit, DropIn: dropInOfUnit, Gains: dropInOfUnit },
            limitedText,
          ),
        },
        gives: {
          same: 'enabled',
          differences: [
            `UNT006 mcoi_inst1.service: no drop-in → ${dropInOfUnit}`,
            `UNT010 mcoi_inst1.service: multiplexing.unit_allows without privileges → NoNewPrivileges=no in ${dropInOfUnit}`,
          ],
        },
      },
      {
        title: 'systemd has not noticed a drop-in',
        reply: { stdout: unitSays({ DropInPaths: '', DropIn: dropInOfUnit }) },
        gives: {
          change: 'read mcoi_inst1.service again',
          reason: 'newer',
          differences: [
            'UNT004 mcoi_inst1.service: read by systemd → not read since it was written @100',
            `UNT006 mcoi_inst1.service: no drop-in → ${dropInOfUnit}`,
          ],
        },
      },
      {
        title: 'systemd has not noticed that a drop-in is gone',
        reply: { stdout: unitSays({ DropInPaths: dropInOfUnit }) },
        gives: { change: 'read mcoi_inst1.service again', reason: 'newer' },
      },
      {
        title: 'an empty drop-in changes nothing, whether systemd has noticed it or not',
        reply: { stdout: unitSays({ DropInPaths: '', EmptyDropIn: dropInOfUnit }) },
        gives: { same: 'enabled' },
      },
      {
        title: 'it has been edited, was never enabled, and everybody may write to it',
        desired: marked,
        reply: {
          stdout: unitSays({ Links: 'no' }, 'x\n', 'regular file|666|root|root|100|200'),
        },
        gives: {
          change: 'rewrite unit mcoi_inst1.service',
          reason: /its content differs; it is disabled; root:root 0666/,
          differences: [
            'UNT002 mcoi_inst1.service: as rendered → another content @100',
            'UNT003 mcoi_inst1.service: enabled → disabled',
            'UNT007 /etc/systemd/system/mcoi_inst1.service: 0644 → 0666 @200',
          ],
        },
      },
      {
        title: 'the service runs, and was started from this text',
        desired: marked,
        reply: { stdout: unitSays({ ...running, Mark: mark, Links: 'yes' }, markedText) },
        gives: { same: 'enabled, content is right' },
      },
      {
        title: 'the service was started from an older text',
        desired: marked,
        reply: { stdout: unitSays({ ...running, Mark: '0123456789ab', Links: 'yes' }, markedText) },
        gives: {
          same: 'enabled',
          differences: [
            'UNT005 mcoi_inst1.service: started from this text → started from another @1795829285',
          ],
        },
      },
      {
        title: 'the service was started before there were marks',
        desired: marked,
        reply: { stdout: unitSays({ ...running, Mark: '', Links: 'yes' }, markedText) },
        gives: {
          same: 'enabled',
          differences: [
            'UNT005 mcoi_inst1.service: started from this text → started from another @1795829285',
          ],
        },
      },
      {
        title: 'this login may not see from which text the service was started',
        desired: marked,
        reply: { stdout: unitSays({ ...running, Links: 'yes' }, markedText) },
        gives: { same: 'no right to see' },
      },
      {
        title: 'systemctl fails',
        reply: { status: 1, stdout: `${rightUnit}\n`, stderr: 'no bus' },
        gives: { unknown: 'no bus' },
      },
    ],
  },
];
