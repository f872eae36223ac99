/** Who may come in: pg_hba.conf, roles. */
import { danger, drift, note, person, provision, type Round } from './mutation.ts';

const hba = '$D/pg_hba.conf';
const replicator = 'pgduet_repl';
const differ = drift('HBA001', hba);
const unread = drift('HBA003', hba);
/** What a role may do more, or less, than it should. */
const altered = (attributes: string, expect: Round['mutations'][number]['expect']) => ({
  on: 'primary' as const,
  break: `sql "ALTER ROLE ${replicator} ${attributes}"`,
  expect,
  mended: provision('nothing'),
});

export const accessRounds: readonly Round[] = [
  {
    title: 'client rules',
    mutations: [
      {
        title: 'has added a client rule, and reloaded',
        on: 'primary',
        break: `echo 'host all all 10.9.0.0/16 scram-sha-256' >> ${hba}; reload`,
        expect: [drift('HBA001', /10\.9\.0\.0/, { source: /pg_hba\.conf:\d+/ })],
        mended: provision('reload'),
      },
      {
        title: 'has removed a client rule',
        on: 'standby',
        break: `sed -i '/ reader /d' ${hba}`,
        expect: [drift('HBA001', /app reader/, { declared: /reader/ })],
        also: [unread],
        mended: provision('reload'),
      },
    ],
  },
  {
    title: 'order of client rules, trust',
    mutations: [
      {
        title: 'has put the client rules into another order',
        on: 'primary',
        break: `{ grep -v '^host *app ' ${hba}; grep '^host *app *reader ' ${hba}; grep '^host *app *app ' ${hba}; } > /tmp/hba
cat /tmp/hba > ${hba}; rm /tmp/hba; reload`,
        expect: [differ],
        also: [unread],
        mended: provision('reload'),
      },
      {
        title: 'lets everybody in without a password',
        on: 'standby',
        break: `echo 'host all all 0.0.0.0/0 trust' >> ${hba}; reload`,
        expect: [danger('HBA002', /trust/, { source: /pg_hba\.conf:\d+/ })],
        mended: provision('reload'),
      },
    ],
  },
  {
    title: 'errors in client rules',
    mutations: [
      {
        title: 'has written a client rule that is none',
        on: 'primary',
        break: `echo 'host all all nowhere' >> ${hba}; reload`,
        expect: [danger('HBA004', /pg_hba\.conf:\d+/, { found: /nowhere/ })],
        also: [drift('HBA001', /nowhere/), unread],
        mended: provision('reload'),
      },
      {
        title: 'has opened pg_hba.conf to others',
        on: 'standby',
        break: `chmod 0666 ${hba}`,
        expect: [drift('HBA006', hba, { declared: /600/, found: /666/ })],
        also: [unread],
        mended: provision('reload'),
      },
    ],
  },
  {
    title: 'client rules that the server has not read',
    mutations: [
      {
        title: 'has edited a comment in pg_hba.conf, without a reload',
        on: 'primary',
        break: `sleep 0.01; echo '# by hand' >> ${hba}`,
        expect: [unread],
        mended: provision('reload'),
      },
      {
        title: 'has given pg_hba.conf to root',
        on: 'standby',
        break: `chown root: ${hba}; chmod 0644 ${hba}`,
        expect: [drift('HBA006', hba, { found: /root/ })],
        also: [unread, drift('HBA006', hba)],
        mended: provision('reload'),
      },
    ],
  },
  {
    title: 'roles',
    mutations: [
      {
        title: 'has made the role of the standbys a superuser',
        ...altered('SUPERUSER', [danger('ROL003', replicator)]),
      },
      {
        title: 'lets the role of the standbys make databases',
        ...altered('CREATEDB', [drift('ROL002', replicator, { found: /createdb/i })]),
      },
      {
        title: 'has made another superuser',
        on: 'primary',
        break: 'sql "CREATE ROLE boss SUPERUSER"',
        expect: [note('ROL006', 'boss')],
        mended: person('sql "ALTER ROLE boss NOSUPERUSER"'),
        sweep: 'sql "DROP ROLE boss"',
      },
      {
        title: 'has set a password that is kept as md5',
        on: 'primary',
        break: `sql "SET password_encryption = 'md5'; ALTER ROLE reader PASSWORD 'old'"`,
        expect: [drift('ROL005', 'reader', { found: /md5/i })],
        mended: person(`sql "ALTER ROLE reader PASSWORD 'old'"`),
      },
    ],
  },
  {
    title: 'membership of a role',
    mutations: [
      {
        title: 'has made the role of the standbys a member of another one',
        on: 'primary',
        break: `sql "GRANT pg_read_all_data TO ${replicator}"`,
        expect: [drift('ROL002', replicator, { found: /pg_read_all_data/ })],
        mended: provision('nothing'),
      },
    ],
  },
  {
    title: 'a role that may not replicate',
    mutations: [
      {
        title: 'has edited a comment in postgresql.conf, without a reload',
        on: 'primary',
        break: `sleep 0.01; echo '# by hand' >> $D/postgresql.conf`,
        expect: [drift('SET006', '$D/postgresql.conf')],
        mended: provision('reload'),
        sweep: `sed -i '/^# by hand$/d' $D/postgresql.conf; reload`,
      },
      {
        title: 'has taken the right to replicate',
        ...altered('NOREPLICATION', [drift('ROL002', replicator, { found: /replication/i })]),
      },
    ],
  },
  {
    title: 'a role that may not log in',
    mutations: [
      {
        title: 'has taken the right to log in',
        ...altered('NOLOGIN', [danger('ROL007', replicator, { found: /login/i })]),
      },
    ],
  },
  {
    title: 'a role that has expired',
    mutations: [
      {
        title: 'has let the role of the standbys expire',
        ...altered("VALID UNTIL '2020-01-01'", [danger('ROL007', replicator, { found: /2020/ })]),
      },
    ],
  },
  {
    title: 'a role with a limit',
    mutations: [
      {
        title: 'lets the role of the standbys connect once only',
        ...altered('CONNECTION LIMIT 1', [danger('ROL007', replicator, { found: /1/ })]),
      },
    ],
  },
  {
    title: 'the password of a role',
    mutations: [
      {
        title: 'has changed the password of the replication',
        ...altered("PASSWORD 'another'", [danger('ROL004', replicator)]),
      },
    ],
  },
  {
    title: 'a role that is gone',
    mutations: [
      {
        title: 'has dropped the role of the standbys',
        on: 'primary',
        break: `sql "DROP ROLE ${replicator}"`,
        expect: [danger('ROL001', replicator)],
        mended: provision('nothing'),
      },
    ],
  },
];
