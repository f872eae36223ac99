/** Cases of kind `names`: what a word of the inventory means on this host, server2, of which server1 is the other one. */
import type { Case, KindCases } from '../cases.ts';

const other = 'word: db1, of: server1, keys: "admin_address, log_transfer_address", replicates: true';
const own =
  'word: db2, of: server2, keys: "admin_address, log_transfer_address", replicates: true, own: true';
const desiredOf = (...words: string[]): string =>
  `{ names: [db1, db2], addresses: [], words: [${words.map((word) => `{ ${word} }`).join(', ')}] }`;
const literal = (address: string, more: string): string =>
  `word: '${address}', of: server2, numeric: '${address}', own: true, ${more}`;

const interfaces = 'interface 127.0.0.1\ninterface ::1\ninterface 10.0.0.2\ninterface fd00::2\n';
const right = `${interfaces}name db1 10.0.0.1\nname db2 10.0.0.2\nfrom 10.0.0.1 10.0.0.2\n`;
const seen = (...lines: string[]): string => `${interfaces}${lines.map((line) => `${line}\n`).join('')}`;

const refused = (title: string, stdout: string, what: string, desired?: string): Case => ({
  title,
  reply: { stdout },
  ...(desired ? { desired } : {}),
  gives: { refuse: 'SAF044', what },
});

export const namesCases: readonly KindCases[] = [
  {
    kind: 'names',
    desired: desiredOf(`${other}, means: [10.0.0.1], interfaces: [10.0.0.1]`, own),
    key: 'mean the same everywhere',
    describes: 'names and addresses of the hosts',
    errors: [
      {
        desired: '{ names: [a], addresses: [], words: [{ word: a, of: b }] }',
        what: "'keys' is missing",
        at: '1:38',
      },
    ],
    cases: [
      { title: 'each means its host', reply: { stdout: right }, gives: { same: 'mean the hosts' } },
      {
        title: 'one means several addresses of its host',
        reply: { stdout: seen('name db1 10.0.0.1 fd00::1', 'name db2 10.0.0.2 fd00::2') },
        gives: { same: 'mean the hosts' },
      },
      {
        title: 'the other host was not seen',
        desired: desiredOf(other, own),
        reply: { stdout: seen('name db1 10.9.9.9', 'name db2 10.0.0.2') },
        gives: { same: 'mean the hosts' },
      },
      {
        title: 'the host does not tell its interfaces',
        reply: { stdout: 'name db1 10.0.0.1\nname db2 10.0.0.9\n' },
        gives: { same: 'mean the hosts' },
      },
      {
        title: 'replication comes from the other address of the host that is declared, too',
        reply: { stdout: seen('name db1 10.0.0.1', 'name db2 10.0.0.2 fd00::2', 'from 10.0.0.1 fd00::2') },
        gives: { same: 'mean the hosts' },
      },
      {
        title: 'an address in front of the host, by which it is replicated from',
        desired: desiredOf(literal('192.0.2.2', 'keys: log_transfer_address, replicates: true')),
        reply: { stdout: interfaces },
        gives: { same: 'mean the hosts' },
      },
      refused(
        'the own name is a loopback address',
        seen('name db1 10.0.0.1', 'name db2 127.0.1.1', 'line db2 2: 127.0.1.1'),
        "'db2' (admin_address, log_transfer_address of server2) means 127.0.1.1 (/etc/hosts:2: 127.0.1.1) here",
      ),
      refused(
        'the own name is a loopback address beside the right one',
        seen('name db1 10.0.0.1', 'name db2 127.0.1.1 10.0.0.2'),
        'means 127.0.1.1 and 10.0.0.2 here',
      ),
      refused(
        "the other one's name is a loopback address",
        seen('name db1 ::1', 'name db2 10.0.0.2'),
        "'db1' (admin_address, log_transfer_address of server1) means ::1 here",
      ),
      refused(
        "the other one's name is this host",
        seen('name db1 fd00::2', 'name db2 10.0.0.2'),
        'means fd00::2 here, which is this host itself',
      ),
      refused(
        'a name means another host than it means there',
        seen('name db1 10.9.9.9', 'name db2 10.0.0.2'),
        'means 10.9.9.9 here, and server1 itself has 10.0.0.1',
      ),
      refused('a name means nothing', seen('name db1', 'name db2 10.0.0.2'), 'means nothing here'),
      refused(
        'a name was not looked up in time',
        seen('name db2 10.0.0.2'),
        'could not be looked up here within 5 s',
      ),
      refused(
        'the own name is an address that the host does not have',
        seen('name db1 10.0.0.1', 'name db2 10.0.0.9'),
        'no network interface of server2 has that address',
      ),
      refused(
        'the controller is to listen on an address that the host does not have',
        interfaces,
        'no network interface of server2 has that address',
        desiredOf(literal('10.0.0.9', 'keys: admin_address')),
      ),
      refused(
        'replication comes from another address of the host',
        seen('name db1 10.0.0.1', 'name db2 10.0.0.2', 'from 10.0.0.1 10.0.0.3'),
        "this host connects to 'db1' (server1) from 10.0.0.3, which is not db2",
      ),
      {
        title: 'it cannot be looked at',
        reply: { status: 1, stderr: 'no right' },
        gives: { unknown: 'no right' },
      },
    ],
  },
];
