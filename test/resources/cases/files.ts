/** Cases of the kinds that deal with paths: directory, file, line, symlink, passfile. */
import { createHash } from 'node:crypto';
import { Secret } from '../../../src/base/secret.ts';
import { pgpassLine } from '../../../src/postgres/pgpass.ts';
import { canary, type KindCases } from '../cases.ts';

const sum = (text: string): string => `${createHash('sha256').update(text).digest('hex')}  -`;
const passLine = pgpassLine({
  host: '192.0.2.110',
  port: '27500',
  database: 'replication',
  user: 'repl',
  password: new Secret(canary),
});
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
        reply: { stdout: 'directory|700|postgres|users\n' },
        gives: { same: 'as it should be' },
      },
      {
        title: 'it is not there',
        reply: { stdout: 'absent\n' },
        gives: {
          change: 'create directory /data base/inst1 (postgres 0700)',
          reason: 'not there',
          script: ["mkdir -p '/data base/inst1'", "chown postgres: '/data base/inst1'", 'chmod 0700'],
        },
      },
      {
        title: 'its mode is wider',
        reply: { stdout: 'directory|755|postgres|postgres\n' },
        gives: { change: 'set owner and mode', reason: 'postgres 0755 → postgres 0700' },
      },
      {
        title: 'its group matters when it is named',
        desired: "{ path: /x, owner: root, group: adm, mode: '0750' }",
        reply: { stdout: 'directory|750|root|root\n' },
        gives: {
          change: 'set owner and mode',
          reason: 'root:root 0750 → root:adm 0750',
          script: ['root:adm'],
        },
      },
      {
        title: 'its mode has a sticky bit',
        reply: { stdout: 'directory|1700|postgres|postgres\n' },
        gives: { change: 'set owner and mode', reason: '1700' },
      },
      {
        title: 'a file stands there',
        reply: { stdout: 'regular file|644|root|root\n' },
        gives: { refuse: 'SAF002', what: 'is a file' },
      },
      {
        title: 'a link stands there',
        reply: { stdout: 'symbolic link|777|root|root\n' },
        gives: { refuse: 'SAF002', what: 'is a link' },
      },
      {
        title: 'stat fails',
        reply: { status: 1, stderr: "stat: cannot statx '/data base'" },
        gives: { unknown: 'cannot statx' },
      },
    ],
  },
  {
    kind: 'file',
    desired: "{ path: /etc/x, owner: root, content: 'one', reload: instance }",
    key: '/etc/x',
    describes: 'file /etc/x',
    errors: [
      { desired: '{ path: /x, owner: root }', what: 'the content is missing', at: '1:1' },
      { desired: '{ path: /x, owner: root, asset: nothing }', what: "no file 'nothing'", at: '1:33' },
      { desired: '{ path: /x, owner: root, secret: clear }', what: 'a secret by name', at: '1:34' },
      {
        desired: '{ path: /x, owner: root, secret: !secret nobody }',
        what: "no secret 'nobody'",
        at: '1:42',
      },
      { desired: '{ path: /x, owner: root, content: a, restart: all }', what: "cannot be 'all'", at: '1:47' },
      { desired: '{ path: /x, owner: root, template: missing.hbs }', what: "'missing.hbs'", at: '1:36' },
    ],
    cases: [
      {
        title: 'it is right',
        reply: { stdout: `regular file|644|root|root\n${sum('one\n')}\none\n` },
        gives: { same: 'are right' },
      },
      {
        title: 'it is not there',
        reply: { stdout: 'absent\n' },
        gives: {
          change: 'write /etc/x (root 0644)',
          reason: 'not there',
          effects: [{ action: 'reload', target: 'instance' }],
          script: ["put /etc/x 0644 root: 'one\n'"],
        },
      },
      {
        title: 'its content differs',
        reply: { stdout: `regular file|644|root|root\n${sum('two\n')}\ntwo\n` },
        gives: {
          change: 'rewrite /etc/x',
          reason: 'content differs',
          effects: [{ action: 'reload', target: 'instance' }],
        },
      },
      {
        title: 'it is empty',
        reply: { stdout: `regular empty file|644|root|root\n${sum('')}\n` },
        gives: { change: 'rewrite /etc/x', reason: 'content differs' },
      },
      {
        title: 'only its mode is wrong: nobody needs to read it again',
        reply: { stdout: `regular file|666|root|root\n${sum('one\n')}\none\n` },
        gives: { change: 'set owner and mode', reason: 'root 0666 → root 0644', effects: [] },
      },
      {
        title: 'a shipped one is compared by checksum',
        desired: `{ ${bundled} }`,
        reply: { stdout: `regular file|644|root|root\n${sum('the bundle')}\n` },
        gives: { same: 'are right' },
      },
      {
        title: 'a shipped one is older',
        desired: `{ ${bundled} }`,
        reply: { stdout: `regular file|644|root|root\n${sum('older')}\n` },
        gives: {
          change: 'rewrite /x/mc.cjs',
          reason: 'checksum differs',
          effects: [{ action: 'restart', target: 'controller' }],
        },
      },
      {
        title: 'a secret one differs and is not shown',
        desired: "{ path: /x, owner: root, mode: '0600', secret: !secret replication_password }",
        reply: { stdout: `regular file|600|root|root\n${sum('other')}\n` },
        gives: { change: 'rewrite /x', reason: 'checksum differs', script: ["canary-Se'\\''cret-1"] },
      },
      {
        title: 'a directory stands there',
        reply: { stdout: 'directory|755|root|root\n' },
        gives: { refuse: 'SAF002', what: 'is a directory' },
      },
      {
        title: 'it cannot be read',
        reply: {
          status: 1,
          stdout: 'regular file|600|root|root\n',
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
      { title: 'it is there', reply: { stdout: 'mcoi_inst1 27540/tcp\n' }, gives: { same: 'is there' } },
      {
        title: 'it is not there',
        reply: { stdout: '' },
        gives: { change: "add line 'mcoi_inst1 27540/tcp'", reason: 'not there', script: ['put "$f"'] },
      },
      {
        title: 'it differs',
        reply: { stdout: 'mcoi_inst1\t27541/tcp\n' },
        gives: { change: "replace line 'mcoi_inst1'", reason: 'differs' },
      },
      {
        title: 'it stands twice',
        reply: { stdout: 'mcoi_inst1 27540/tcp\nmcoi_inst1 27540/tcp\n' },
        gives: { change: 'replace line', reason: 'differs' },
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
        reply: { stdout: 'mcoi_inst1 27541/tcp\n' },
        gives: {
          change: "remove line 'mcoi_inst1'",
          reason: 'nothing needs it',
          script: [/"\$\{text%.\}"$/],
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
      { title: 'it leads there', reply: { stdout: 'link\n/wal/inst1\n' }, gives: { same: '/wal/inst1' } },
      {
        title: 'it is not there',
        reply: { stdout: 'absent\n' },
        gives: { change: 'link', reason: 'not there', script: ['ln -s /wal/inst1 /database/inst1/pg_wal'] },
      },
      {
        title: 'it leads elsewhere',
        reply: { stdout: 'link\n/other\n' },
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
      { title: 'it is there', reply: { stdout: `600\n${passLine}\n` }, gives: { same: 'is there' } },
      {
        title: 'the file is not there',
        reply: { stdout: 'absent\n' },
        gives: {
          change: 'password of repl',
          reason: 'file is not there',
          script: ['put "$PASSFILE" 0600 postgres:'],
        },
      },
      {
        title: 'the line is not there',
        reply: { stdout: '600\n' },
        gives: { change: 'password of repl', reason: 'line is not there' },
      },
      {
        title: 'the password is another one',
        reply: { stdout: '600\n192.0.2.110:27500:replication:repl:old\n' },
        gives: { change: 'password of repl', reason: 'differs (not shown)' },
      },
      {
        title: 'the line stands twice',
        reply: { stdout: `600\n${passLine}\n${passLine}\n` },
        gives: { change: 'password of repl', reason: 'differs' },
      },
      {
        title: 'the file is open to others, so PostgreSQL ignores it',
        reply: { stdout: `644\n${passLine}\n` },
        gives: { change: 'password of repl', reason: 'mode is 644' },
      },
      {
        title: 'the file cannot be read',
        reply: { status: 1, stdout: '600\n', stderr: 'Permission denied' },
        gives: { unknown: 'Permission denied' },
      },
      {
        title: 'it is to go',
        desired: withoutLine,
        reply: { stdout: `600\n${passLine}\n` },
        gives: {
          change: 'remove the password of repl',
          reason: 'nothing needs it',
          script: ['rm -f "$PASSFILE"'],
        },
      },
      {
        title: 'it is gone, and lines of others are left',
        desired: withoutLine,
        reply: { stdout: '600\n' },
        gives: { same: 'has no line' },
      },
    ],
  },
];
