/** Names, addresses, and what /etc/hosts says of them. */
import { starts, type Trait, works } from '../trait.ts';

const known = `sed -i '/{name}/d;/^127\\.0\\.1\\.1/d' /etc/hosts
printf '{address} {name}\\n{peer_address} {peer}\\n' >>/etc/hosts`;

export const names: readonly Trait[] = [
  {
    name: 'by-name',
    has: 'the hosts are described by names, which /etc/hosts knows',
    starts,
    topics: ['address', 'hosts file'],
    shell: known,
    inventory: { host: { address: '{name}' } },
    right: works,
  },
  {
    name: 'own-name-is-loopback',
    has: "Debian's line 127.0.1.1 with the own name, and hosts described by names",
    starts,
    topics: ['address', 'hosts file'],
    shell: `sed -i '/{name}/d;/^127\\.0\\.1\\.1/d' /etc/hosts
printf '127.0.1.1 {name}\\n{peer_address} {peer}\\n' >>/etc/hosts`,
    inventory: { host: { address: '{name}' } },
    right: {
      kind: 'refused',
      by: 'plan',
      code: 'SAF044',
      names: /127\.0\.1\.1/,
      fix: { shell: known },
    },
  },
  {
    name: 'addresses-of-six',
    has: 'the hosts are described by IPv6 addresses',
    starts,
    topics: ['address'],
    inventory: { host: { address: '{address6}' } },
    right: works,
  },
  {
    name: 'replication-over-six',
    has: 'replication goes over IPv6',
    starts,
    topics: ['address'],
    inventory: { host: { log_transfer_address: '{address6}' } },
    right: works,
  },
  {
    name: 'long-names',
    has: 'names of servers have 58 bytes',
    starts,
    topics: ['server names'],
    inventory: {
      names: [
        'orders-postgresql-node-01.eu-central-1.db.internal.example',
        'orders-postgresql-node-02.eu-central-1.db.internal.example',
      ],
    },
    right: works,
  },
  {
    name: 'names-in-capitals',
    has: 'names of servers have capitals and dots',
    starts,
    topics: ['server names'],
    inventory: { names: ['PG.One', 'Pg_Two-x'] },
    right: works,
  },
  {
    name: 'names-of-digits',
    has: 'names of servers begin with digits',
    starts,
    topics: ['server names'],
    inventory: { names: ['1a', '2b.c'] },
    right: works,
  },
  {
    name: 'names-of-sql',
    has: 'names of servers are words of SQL and of PostgreSQL',
    starts,
    topics: ['server names'],
    inventory: { names: ['select', 'any'] },
    right: works,
  },
  {
    name: 'names-of-programs',
    has: 'names of servers are words of programming languages',
    starts,
    topics: ['server names'],
    inventory: { names: ['constructor', 'first'] },
    right: {
      kind: 'refused',
      by: 'validate',
      code: 'INV009',
      names: /constructor/,
      fix: { inventory: { names: ['valueof', 'first'] } },
    },
  },
  {
    name: 'cluster-of-sixteen',
    has: 'the cluster has a name of 16 letters',
    starts,
    inventory: { cluster: 'Abcdefghijklmn16' },
    right: works,
  },
  {
    name: 'hosts-file-without-self',
    has: '/etc/hosts does not know the own name',
    starts,
    topics: ['hosts file'],
    shell: 'printf "127.0.0.1 localhost\\n" >/etc/hosts',
    right: works,
  },
  {
    name: 'hosts-file-with-crlf',
    has: '/etc/hosts has the line ends of Windows',
    starts,
    topics: ['hosts file'],
    shell: "sed -i 's/$/\\r/' /etc/hosts",
    right: works,
  },
  {
    name: 'localhost-is-six',
    has: 'localhost is an IPv6 address alone',
    starts,
    topics: ['hosts file'],
    shell: 'printf "::1 localhost ip6-localhost\\n127.0.1.1 {name}\\n" >/etc/hosts',
    right: works,
  },
  {
    name: 'dns-never-answers',
    has: 'names are looked up in a DNS that never answers, before the files',
    starts,
    topics: ['hosts file'],
    shell: `sed -i 's/^hosts:.*/hosts: dns files/' /etc/nsswitch.conf
printf 'nameserver 192.0.2.1\\noptions timeout:1 attempts:1\\n' >/etc/resolv.conf`,
    right: works,
  },
  {
    name: 'name-with-domain',
    has: 'the host is called by its full name',
    starts,
    shell: 'echo {name}.db.internal.example >/etc/hostname; hostname {name}.db.internal.example',
    right: works,
  },
];
