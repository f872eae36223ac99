/** Cases of the kinds that deal with paths: directory, file, line, symlink, passfile. */
import { createHash } from 'node:crypto';
import { Secret } from '../../../src/base/secret.ts';
import { pgpassLine } from '../../../src/postgres/pgpass.ts';
import { type Case, canary, type KindCases } from '../cases.ts';

const sum = (text: string): string => `${createHash('sha256').update(text).digest('hex')}  -`;
const passLine = pgpassLine({
  host: '192.0.2.110',
  port: '27500',
  database: 'replication',
  user: 'repl',
  password: new Secret(canary),
});
const passFile = (mode: string): string => `/home/.pgpass\nregular file|${mode}|postgres|postgres|100|200\n`;
const bundled = 'path: /x/mc.cjs, owner: root, asset: mc.cjs, restart: controller';

const withoutLine =
  '{ owner: postgres, host: 192.0.2.110, port: 27500, database: replication, user: repl, state: absent }';

export const files: readonly KindCases[] = [
  {
    kind: 'directory',
    desired: "{ path: '/data base/inst1', owner: postgres, mode: '0700' }",
    key: '/data base/inst1',
    describes: 'directory /data base/inst1',
    errors: [
      { desired: '{ path: /x, owner: root, mode: rwx }', what: "octal mode, not 'rwx'", at: '1:32' },
      { desired: '{ path: [/x], owner: root }', what: "'path' must be a single value", at: '1:9' },
      { desired: '{}', what: "'path' is missing", at: '1:1' },
    ],
    cases: [
      {
        title: 'it is as it should be, whatever its group',
        reply: { stdout: 'directory|700|postgres|users|100|200\n' },
        gives: { same: 'as it should be' },
      },
      {
        title: 'it is not there',
        reply: { stdout: 'absent\n' },
        gives: {
          change: 'create directory /data base/inst1 (postgres 0700)',
          reason: 'not there',
          differences: ['DIR001 /data base/inst1: postgres 0700 → missing'],
          script: ["directory '/data base/inst1' 0700 postgres:"],
        },
      },
      {
        title: 'its mode is wider',
        reply: { stdout: 'directory|755|postgres|postgres|100|200\n' },
        gives: {
          change: 'set owner and mode',
          reason: 'postgres 0755 → postgres 0700',
          differences: ['DIR004 /data base/inst1: 0700 → 0755 @200'],
        },
      },
      {
        title:
          'it belongs to somebody else and its mode is narrower; a file that came later hides since when',
        reply: { stdout: 'directory|500|root|root|200|200\n' },
        gives: {
          change: 'set owner and mode',
          reason: 'root 0500 → postgres 0700',
          differences: ['DIR002 /data base/inst1: postgres → root', 'DIR003 /data base/inst1: 0700 → 0500'],
        },
      },
      {
        title: 'a directory that others may look into is open to more of them',
        desired: '{ path: /x, owner: root }',
        reply: { stdout: 'directory|777|root|root|100|200\n' },
        gives: {
          change: 'set owner and mode',
          reason: '0777',
          differences: ['DIR003 /x: 0755 → 0777 @200'],
        },
      },
      {
        title: 'its group matters when it is named',
        desired: "{ path: /x, owner: root, group: adm, mode: '0750' }",
        reply: { stdout: 'directory|750|root|root|100|200\n' },
        gives: {
          change: 'set owner and mode',
          reason: 'root:root 0750 → root:adm 0750',
          differences: ['DIR002 /x: root:adm → root:root @200'],
          script: ['root:adm'],
        },
      },
      {
        title: 'its mode has a sticky bit',
        reply: { stdout: 'directory|1700|postgres|postgres|100|200\n' },
        gives: { change: 'set owner and mode', reason: '1700' },
      },
      {
        title: 'a file stands there',
        reply: { stdout: 'regular file|644|root|root|100|200\n' },
        gives: { refuse: 'SAF002', what: 'is a file' },
      },
      {
        title: 'a link stands there',
        reply: { stdout: 'symbolic link|777|root|root|100|200\n' },
        gives: { refuse: 'SAF002', what: 'is a link' },
      },
      {
        title: 'another host has it, and it is missing here',
        desired: "{ path: '/data base/ts', owner: postgres, mode: '0700', from_another_host: true }",
        reply: { stdout: 'absent\n' },
        gives: {
          change: 'create directory /data base/ts (postgres 0700)',
          reason: 'not there',
          script: [/^acting '\/data base\/ts' postgres begun '\/data base\/ts' 0700 postgres: \|\|/],
        },
      },
      {
        title: 'another host has it in a tree of the system, and it is missing here',
        desired:
          "{ path: /etc/systemd/system/x.service.d, owner: postgres, mode: '0700', from_another_host: true }",
        reply: { stdout: 'absent\n' },
        gives: { change: 'create', reason: 'not there', script: [/^acting_as postgres begun /] },
      },
      {
        title: 'another host has it, and it is there with another mode: it stays as it is',
        desired: "{ path: /ts, owner: postgres, mode: '0700', from_another_host: true }",
        reply: { stdout: 'directory|750|postgres|users|100|200\n' },
        gives: { same: "it is postgres's" },
      },
      {
        title: "another host has it, and somebody else's is there",
        desired: "{ path: /ts, owner: postgres, mode: '0700', from_another_host: true }",
        reply: { stdout: 'directory|700|root|root|100|200\n' },
        gives: { refuse: 'SAF040', what: "'/ts' belongs to root, and is wanted for postgres" },
      },
      ...['/etc', '/var//lib/', '/.', 'ts', '/ts/../etc', '"/ts\\n/x"'].map(
        (path): Case => ({
          title: `another host has it at ${path}`,
          desired: `{ path: ${path}, owner: postgres, mode: '0700', from_another_host: true }`,
          reply: { stdout: 'absent\n' },
          gives: { refuse: 'SAF041', what: 'because another host has one there' },
        }),
      ),
      {
        title: 'stat fails',
        reply: { status: 1, stderr: "stat: cannot statx '/data base'" },
        gives: { unknown: 'cannot statx' },
      },
      {
        title: 'a directory above it is closed to this login',
        reply: { stdout: 'closed /data base\n' },
        gives: { unknown: 'no right to look into /data base' },
      },
    ],
  },
  {
    kind: 'file',
    desired: "{ path: /etc/x, owner: root, content: 'one', reload: instance }",
    key: '/etc/x',
    describes: 'file /etc/x',
    errors: [
      { desired: '{ path: /x, owner: root }', what: 'the content is missing', at: '1:1', beyondSchema: true },
      {
        desired: '{ path: /x, owner: root, asset: nothing }',
        what: "no file 'nothing'",
        at: '1:33',
        beyondSchema: true,
      },
      { desired: '{ path: /x, owner: root, secret: clear }', what: 'a secret by name', at: '1:34' },
      {
        desired: '{ path: /x, owner: root, secret: !secret nobody }',
        what: "no secret 'nobody'",
        at: '1:42',
      },
      { desired: '{ path: /x, owner: root, content: a, restart: all }', what: "cannot be 'all'", at: '1:47' },
      {
        desired: '{ path: /x, owner: root, template: missing.hbs }',
        what: "'missing.hbs'",
        at: '1:36',
        beyondSchema: true,
      },
    ],
    cases: [
      {
        title: 'it is right',
        reply: { stdout: 'regular file|644|root|root|100|200\none\n' },
        gives: { same: 'are right' },
      },
      {
        title: 'it is not there',
        reply: { stdout: 'absent\n' },
        gives: {
          change: 'write /etc/x (root 0644)',
          reason: 'not there',
          differences: ['FIL001 /etc/x: root 0644 → missing'],
          effects: [{ action: 'reload', target: 'instance' }],
          script: ["put /etc/x 0644 root: 'one\n'"],
        },
      },
      {
        title: 'its content differs',
        reply: { stdout: 'regular file|644|root|root|100|200\ntwo\n' },
        gives: {
          change: 'rewrite /etc/x',
          reason: 'content differs',
          differences: ['FIL002 /etc/x: as rendered → another content @100'],
          script: ['put /etc/x'],
          effects: [{ action: 'reload', target: 'instance' }],
        },
      },
      {
        title: 'it is empty',
        reply: { stdout: 'regular empty file|644|root|root|100|200\n' },
        gives: { change: 'rewrite /etc/x', reason: 'content differs' },
      },
      {
        title: 'only its mode is wrong: nobody needs to read it again',
        reply: { stdout: 'regular file|666|root|root|100|200\none\n' },
        gives: {
          change: 'set owner and mode',
          reason: 'root 0666 → root 0644',
          effects: [],
          differences: ['FIL004 /etc/x: 0644 → 0666 @200'],
          script: ["own /etc/x 0644 root: 'one\n'"],
        },
      },
      {
        title: 'content, owner and mode are wrong at once',
        desired: "{ path: /etc/x, owner: root, group: adm, mode: '0640', content: 'one' }",
        reply: { stdout: 'regular file|600|joe|users|100|200\ntwo\n' },
        gives: {
          change: 'rewrite /etc/x',
          reason: 'its content differs; joe:users 0600 → root:adm 0640',
          differences: [
            'FIL002 /etc/x: as rendered → another content @100',
            'FIL003 /etc/x: root:adm → joe:users @200',
            'FIL004 /etc/x: 0640 → 0600 @200',
          ],
          script: ["put /etc/x 0640 root:adm 'one\n'"],
        },
      },
      {
        title: 'nobody else should look into it, and others can',
        desired: "{ path: /x, owner: root, mode: '0600', content: 'one' }",
        reply: { stdout: 'regular file|640|root|root|100|200\none\n' },
        gives: {
          change: 'set owner and mode',
          reason: '0640',
          differences: ['FIL005 /x: 0600 → 0640 @200'],
        },
      },
      {
        title: 'nobody else should look into it, and its owner cannot either',
        desired: "{ path: /x, owner: root, mode: '0600', content: 'one' }",
        reply: { stdout: 'regular file|400|root|root|100|200\none\n' },
        gives: { change: 'set owner and mode', reason: '0400', differences: ['FIL004 /x: 0600 → 0400 @200'] },
      },
      {
        title: 'a shipped one is compared by checksum',
        desired: `{ ${bundled} }`,
        reply: { stdout: `regular file|644|root|root|100|200\n${sum('the bundle')}\n` },
        gives: { same: 'are right' },
      },
      {
        title: 'a shipped one is older',
        desired: `{ ${bundled} }`,
        reply: { stdout: `regular file|644|root|root|100|200\n${sum('older')}\n` },
        gives: {
          change: 'rewrite /x/mc.cjs',
          reason: 'checksum differs',
          effects: [{ action: 'restart', target: 'controller' }],
          differences: [
            `FIL002 /x/mc.cjs: checksum ${sum('the bundle').slice(0, 12)} → checksum ${sum('older').slice(0, 12)} @100`,
          ],
        },
      },
      {
        title: 'one that is older everywhere is put in place on one server after the other',
        desired: `{ ${bundled}, in_turn: true }`,
        reply: { stdout: `regular file|644|root|root|100|200\n${sum('older')}\n` },
        gives: {
          change: 'rewrite /x/mc.cjs',
          reason: 'checksum differs',
          effects: [{ action: 'restart', target: 'controller', inTurn: true }],
        },
      },
      {
        title: 'one that is not there needs no turn: nothing runs from it',
        desired: `{ ${bundled}, in_turn: true }`,
        reply: { stdout: 'absent\n' },
        gives: { change: 'write /x/mc.cjs', reason: 'not there', effects: [] },
      },
      {
        title: 'a secret one differs and is not shown',
        desired: "{ path: /x, owner: root, mode: '0600', secret: !secret replication_password }",
        reply: { stdout: `regular file|600|root|root|100|200\n${sum('other')}\n` },
        gives: {
          change: 'rewrite /x',
          reason: 'checksum differs',
          differences: ['FIL006 /x: the secret of the cluster → another one @100'],
          script: ["canary-Se'\\''cret-1"],
        },
      },
      {
        title: 'a secret one is open to those whom its mode does not name',
        desired: "{ path: /x, owner: root, group: adm, mode: '0640', secret: !secret replication_password }",
        reply: { stdout: `regular file|644|root|adm|100|200\n${sum(canary)}\n` },
        gives: { change: 'set owner', reason: '0644', differences: ['FIL005 /x: 0640 → 0644 @200'] },
      },
      {
        title: 'a directory above it is closed to this login',
        reply: { stdout: 'closed /etc\n' },
        gives: { unknown: 'no right to look into /etc' },
      },
      {
        title: 'a directory stands there',
        reply: { stdout: 'directory|755|root|root|100|200\n' },
        gives: { refuse: 'SAF002', what: 'is a directory' },
      },
      {
        title: 'it cannot be read',
        reply: {
          status: 1,
          stdout: 'regular file|600|root|root|100|200\n',
          stderr: 'cat: /etc/x: Permission denied',
        },
        gives: { unknown: 'Permission denied' },
      },
    ],
  },
  {
    kind: 'line',
    desired: "{ path: /etc/services, line: 'mcoi_inst1 27540/tcp' }",
    key: '/etc/services mcoi_inst1',
    describes: "line 'mcoi_inst1' in /etc/services",
    errors: [{ desired: '{ path: /etc/services }', what: "'line' is missing", at: '1:1' }],
    cases: [
      { title: 'it is there', reply: { stdout: '\nmcoi_inst1 27540/tcp\n' }, gives: { same: 'is there' } },
      {
        title: 'it is not there',
        reply: { stdout: '7\n\n' },
        gives: {
          change: "add line 'mcoi_inst1 27540/tcp'",
          reason: 'not there',
          differences: ['FIL007 /etc/services mcoi_inst1: mcoi_inst1 27540/tcp → missing'],
          script: ['place "$f"'],
        },
      },
      {
        title: 'the file is not there',
        reply: { stdout: 'absent\n' },
        gives: { change: 'add line', reason: 'not there', script: ['set -- 644 "$ME:"'] },
      },
      {
        title: 'a directory above it is closed to this login',
        reply: { stdout: 'closed /etc\n' },
        gives: { unknown: 'no right to look into /etc' },
      },
      {
        title: 'it differs',
        reply: { stdout: '7\nmcoi_inst1\t27541/tcp\n' },
        gives: {
          change: "replace line 'mcoi_inst1'",
          reason: 'differs',
          differences: ['FIL008 /etc/services mcoi_inst1: mcoi_inst1 27540/tcp → mcoi_inst1\t27541/tcp @7'],
        },
      },
      {
        title: 'it stands twice',
        reply: { stdout: '7\nmcoi_inst1 27540/tcp\nmcoi_inst1 27540/tcp\n' },
        gives: {
          change: 'replace line',
          reason: 'differs',
          differences: [
            'FIL008 /etc/services mcoi_inst1: mcoi_inst1 27540/tcp → mcoi_inst1 27540/tcp; mcoi_inst1 27540/tcp @7',
          ],
        },
      },
      {
        title: 'the file cannot be read',
        reply: { status: 2, stderr: 'awk: cannot open /etc/services' },
        gives: { unknown: 'cannot open' },
      },
      { title: 'awk is missing and says nothing', reply: { status: 127 }, gives: { unknown: /./ } },
      {
        title: 'it is to go',
        desired: "{ path: /etc/services, line: 'mcoi_inst1 27540/tcp', state: absent }",
        reply: { stdout: '7\nmcoi_inst1 27541/tcp\n' },
        gives: {
          change: "remove line 'mcoi_inst1'",
          reason: 'nothing needs it',
          script: [/\ntext=\$\{text%.\}\nplace/],
        },
      },
      {
        title: 'it is gone',
        desired: "{ path: /etc/services, line: 'mcoi_inst1 27540/tcp', state: absent }",
        reply: { stdout: '' },
        gives: { same: "has no line 'mcoi_inst1'" },
      },
    ],
  },
  {
    kind: 'symlink',
    desired: '{ path: /database/inst1/pg_wal, target: /wal/inst1, owner: postgres }',
    key: '/database/inst1/pg_wal',
    describes: 'link /database/inst1/pg_wal',
    errors: [{ desired: '{ path: /a, owner: b }', what: "'target' is missing", at: '1:1' }],
    cases: [
      {
        title: 'it leads there',
        reply: { stdout: 'link\nsame\n/wal/inst1\n' },
        gives: { same: '/wal/inst1' },
      },
      {
        title: 'it leads there, and says so in another way',
        reply: { stdout: 'link\nsame\n../../wal/./inst1/\n' },
        gives: { same: '/wal/inst1' },
      },
      {
        title: 'it is not there',
        reply: { stdout: 'absent\n' },
        gives: {
          change: 'link',
          reason: 'not there',
          differences: ['LNK001 /database/inst1/pg_wal: → /wal/inst1 → missing'],
          script: ['tie /database/inst1/pg_wal /wal/inst1 postgres'],
        },
      },
      {
        title: 'it leads elsewhere',
        reply: { stdout: 'link\nother\n/other\n' },
        gives: { refuse: 'SAF002', what: "leads to '/other'" },
      },
      {
        title: 'a directory stands there',
        reply: { stdout: 'other\n' },
        gives: { refuse: 'SAF002', what: 'no link' },
      },
      {
        title: 'its directory is not there yet',
        reply: { stdout: 'parent\n' },
        gives: { unknown: 'not there yet' },
      },
      {
        title: 'its directory is closed to this login',
        reply: { stdout: 'closed /database/inst1\n' },
        gives: { unknown: 'no right to look into /database/inst1' },
      },
      { title: 'nothing can be seen', reply: { status: 1 }, gives: { unknown: /./ } },
    ],
  },
  {
    kind: 'passfile',
    desired:
      '{ owner: postgres, host: 192.0.2.110, port: 27500, database: replication, user: repl, password: !secret replication_password }',
    key: '192.0.2.110:27500:replication:repl:',
    describes: 'password of repl for 192.0.2.110:27500',
    errors: [
      {
        desired: '{ owner: postgres, host: a, port: 1, database: b, user: c, password: clear }',
        what: 'a secret by name',
        at: '1:70',
      },
    ],
    cases: [
      {
        title: 'it is there',
        reply: { stdout: `${passFile('600')}${passLine}\n` },
        gives: { same: 'is there' },
      },
      {
        title: 'the file is not there',
        reply: { stdout: '/home/.pgpass\nabsent\n' },
        gives: {
          change: 'password of repl',
          reason: 'file is not there',
          differences: ['PWD001 /home/.pgpass 192.0.2.110:27500: a line for repl → missing'],
          script: ['place "$PASSFILE" 0600 postgres:'],
        },
      },
      {
        title: 'the line is not there',
        reply: { stdout: passFile('600') },
        gives: {
          change: 'password of repl',
          reason: 'line is not there',
          differences: ['PWD001 /home/.pgpass 192.0.2.110:27500: a line for repl → missing @100'],
        },
      },
      {
        title: 'the password is another one',
        reply: { stdout: `${passFile('600')}192.0.2.110:27500:replication:repl:old\n` },
        gives: {
          change: 'password of repl',
          reason: 'differs (not shown)',
          differences: [
            'PWD002 /home/.pgpass 192.0.2.110:27500: a line for repl with the password of the cluster → another password @100',
          ],
        },
      },
      {
        title: 'the line stands twice',
        reply: { stdout: `${passFile('600')}${passLine}\n${passLine}\n` },
        gives: {
          change: 'password of repl',
          reason: 'differs',
          differences: [
            'PWD002 /home/.pgpass 192.0.2.110:27500: a line for repl with the password of the cluster → 2 lines @100',
          ],
        },
      },
      {
        title: 'a line of others that fits stands in front of it',
        reply: { stdout: `${passFile('600')}${passLine}\nbefore 2\n` },
        gives: {
          change: 'password of repl',
          reason: 'line 2 answers in its place',
          differences: [
            'PWD004 /home/.pgpass 192.0.2.110:27500: a line for repl in front of others that fit → line 2 answers in its place @100',
          ],
        },
      },
      {
        title: 'the file is open to others, so PostgreSQL ignores it',
        reply: { stdout: `${passFile('644')}${passLine}\n` },
        gives: {
          change: 'password of repl',
          reason: 'postgres 0644 → postgres 0600: PostgreSQL ignores',
          differences: ['PWD003 /home/.pgpass: 0600 → 0644 @200'],
        },
      },
      {
        title: 'the file belongs to somebody else, has another password, and is read-only',
        reply: {
          stdout:
            '/home/.pgpass\nregular file|400|root|root|100|200\n192.0.2.110:27500:replication:repl:old\n',
        },
        gives: {
          change: 'password of repl',
          reason: 'the line differs (not shown); root 0400 → postgres 0600',
          differences: [
            'PWD002 /home/.pgpass 192.0.2.110:27500: a line for repl with the password of the cluster → another password @100',
            'FIL003 /home/.pgpass: postgres → root @200',
            'FIL004 /home/.pgpass: 0600 → 0400 @200',
          ],
        },
      },
      {
        title: 'the home of the administrator is closed to this login',
        reply: { stdout: '/home/.pgpass\nclosed /home\n' },
        gives: { unknown: 'no right to look into /home' },
      },
      {
        title: 'the file cannot be read',
        reply: { status: 1, stdout: passFile('600'), stderr: 'Permission denied' },
        gives: { unknown: 'Permission denied' },
      },
      {
        title: 'it is to go',
        desired: withoutLine,
        reply: { stdout: `${passFile('600')}${passLine}\n` },
        gives: {
          change: 'remove the password of repl',
          reason: 'nothing needs it',
          script: ['rm -f "$PASSFILE"'],
        },
      },
      {
        title: 'it is gone, and lines of others are left',
        desired: withoutLine,
        reply: { stdout: passFile('600') },
        gives: { same: 'has no line' },
      },
    ],
  },
];
