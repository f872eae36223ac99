/** What an inventory may say, in forms that people write. */
import { env } from '../../lab/support/inventory.ts';
import { type Trait, works } from '../trait.ts';

export const declared: readonly Trait[] = [
  {
    name: 'settings-in-odd-forms',
    has: 'settings of the inventory with units, words, quotes and hashes',
    starts: ['fresh'],
    inventory: {
      settings: {
        work_mem: '5120kB',
        checkpoint_timeout: '6 min',
        autovacuum: 'on',
        log_line_prefix: "it's %m # [%p] ",
        random_page_cost: 1.1,
        'app.token': 'canary-setting-1',
      },
    },
    right: works,
  },
  {
    name: 'many-rules-declared',
    has: 'two hundred rules in the inventory',
    starts: ['fresh'],
    inventory: {
      hba: Array.from({ length: 200 }, (_, at) => ({
        type: 'host',
        database: `app,db${at}`,
        user: `+group${at}`,
        address: `192.0.2.${at}/32`,
        method: 'scram-sha-256',
      })),
    },
    right: works,
  },
  {
    name: 'rule-with-a-space',
    has: 'a rule of the inventory for a database and a role with a space',
    starts: ['fresh'],
    inventory: {
      hba: [
        {
          type: 'host',
          database: 'my db',
          user: 'Jane Doe',
          address: '192.0.2.0/24',
          method: 'scram-sha-256',
        },
      ],
    },
    right: works,
  },
  {
    name: 'rule-with-words',
    has: 'rules of the inventory with sameuser, samenet, IPv6 and groups',
    starts: ['fresh'],
    inventory: {
      hba: [
        {
          type: 'hostnossl',
          database: 'sameuser',
          user: 'all',
          address: 'fd00::/8',
          method: 'scram-sha-256',
        },
        { type: 'local', database: 'all', user: '+app', method: 'scram-sha-256' },
        { type: 'host', database: 'all', user: 'all', address: '192.0.2.66/32', method: 'reject' },
      ],
    },
    right: works,
  },
  {
    name: 'hostssl-without-ssl',
    has: 'a rule for TLS in the inventory, while the server has no TLS',
    starts: ['fresh'],
    inventory: {
      hba: [
        { type: 'hostssl', database: 'all', user: 'all', address: '192.0.2.0/24', method: 'scram-sha-256' },
      ],
    },
    tells: ['HBA004'],
    right: works,
  },
  {
    name: 'password-of-signs',
    has: 'the password of replication has spaces, quotes, colons and backslashes',
    starts: ['fresh', 'packaged', 'unit'],
    environment: { REPLICATION_SECRET: 'canary-rep li:c"a\\t\'ion$HOME%' },
    inventory: { secrets: { replication_password: env('REPLICATION_SECRET') } },
    right: works,
  },
  {
    name: 'fast-heartbeat',
    has: 'the heartbeat is fast',
    starts: ['fresh', 'packaged', 'unit'],
    inventory: { multiplexing: { heartbeat: 'fast' } },
    right: works,
  },
  {
    name: 'owner-of-its-own',
    has: 'another user than postgres is to own the instance, and nothing is said of the socket',
    starts: ['fresh'],
    shell: 'useradd --system --create-home pgadm',
    inventory: { postgres: { owner: 'pgadm' } },
    right: {
      kind: 'refused',
      by: 'plan',
      code: 'SAF042',
      names: /socket_dir/,
      fix: { inventory: { postgres: { socket_dir: '/mcdir/inst1' } } },
    },
  },
  {
    name: 'programs-elsewhere',
    has: 'PostgreSQL is in a place of its own, which bin_dir names',
    starts: ['fresh'],
    shell: `v=$(ls /usr/lib/postgresql); mkdir /opt/pg; cp -a /usr/lib/postgresql/$v/bin /usr/lib/postgresql/$v/lib /opt/pg/; mv /usr/lib/postgresql/$v /usr/lib/postgresql.off
install -d /usr/lib/postgresql/$v/bin; ln -s /opt/pg/bin/psql /usr/lib/postgresql/$v/bin/psql`,
    inventory: { postgres: { bin_dir: '/opt/pg/bin' } },
    right: works,
  },
];
