/** What is told of clients and TLS: the rules that are open, and who is in without it. */
import { expect, it } from 'vitest';
import { tlsClients } from '../../../src/check/audits/tls-clients.ts';
import type { RuleRow } from '../../../src/postgres/hba-rows.ts';
import { sessionsWords } from '../../../src/postgres/plain-sessions.ts';
import { clusterOf, pairInventory } from '../../observe/cluster.ts';
import { reply, tell } from './context.ts';

const withTls = (more: string) =>
  clusterOf(
    pairInventory.replace(
      'data_dir: /database/inst1',
      `data_dir: /database/inst1, tls: { ca: /pki/ca.pem, certificate: /pki/server.pem, key: /pki/server.key }${more}`,
    ),
  );
const [given, required, silent] = [
  await withTls(''),
  await withTls(', tls_clients: required'),
  await clusterOf(pairInventory),
];

const rule = (text: string): RuleRow => {
  const [type = '', database = '', user = '', address = '', method = '', mask] = text.split(' ');
  return { type, database: database.split(','), user: user.split(','), address, method, mask: mask ?? null };
};
const seen = (rules: readonly string[], sessions: readonly object[] = []) =>
  reply({ rules: rules.map(rule), sessions });
const told = (rules: readonly string[], sessions: readonly object[] = []) =>
  tell(tlsClients, { server1: seen(rules, sessions) }, { cluster: given }).map(
    ({ code, host, found }) => `${host} ${code} ${found}`,
  );

it('is nothing where the inventory names no certificates', () => {
  expect(silent.servers.map((server) => tlsClients.probe(server, silent))).toEqual([{}, {}]);
  expect(tell(tlsClients, { server1: reply(null) }, { cluster: silent })).toEqual([]);
});

it('is nothing where every rule wants TLS, stays on the host, or is for the servers', () => {
  expect(
    told([
      'host replication pgduet_repl 192.0.2.110 scram-sha-256 255.255.255.255',
      'host postgres pgduet_rewind db.example scram-sha-256',
      'hostssl app app all scram-sha-256',
      'hostgssenc app app all gss',
      'hostnossl app app all reject',
      'host app app 127.0.0.1 scram-sha-256 255.255.255.255',
      'host app app ::1 scram-sha-256 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
      'host app app samehost scram-sha-256',
    ]),
  ).toEqual([]);
});

it('is each rule that is open, by its own words', () => {
  expect(
    told([
      'host app app 10.0.0.0 scram-sha-256 255.240.0.0',
      'host all all fe80:: md5 ffff:ffff::',
      'hostnossl app,shop old .example.com scram-sha-256',
      'host all krb all gss',
    ]),
  ).toEqual([
    'server1 TLS030 4 rules: host app app 10.0.0.0/12 scram-sha-256; host all all fe80::/32 md5; hostnossl app,shop old .example.com scram-sha-256; host all krb all gss',
  ]);
});

it('is closed by a refusal in front of it that takes all of its clients, and by no other', () => {
  const open = 'host app app 10.1.0.0 scram-sha-256 255.255.0.0';
  for (const refusal of [
    'hostnossl all all all reject',
    'host app,shop all 10.0.0.0 reject 255.0.0.0',
    'hostnogssenc app app 10.1.0.0 reject 255.255.0.0',
  ]) {
    expect(told([refusal, open]), refusal).toEqual([]);
    expect(told([open, refusal]), refusal).toHaveLength(1);
  }
  for (const refusal of [
    'hostssl all all all reject',
    'hostnossl shop all all reject',
    'hostnossl all all 10.1.2.0 reject 255.255.255.0',
    'hostnossl all all some.example reject',
  ])
    expect(told([refusal, open]), refusal).toHaveLength(1);
  expect(told(['hostnossl all all all reject', 'host replication app all scram-sha-256'])).toHaveLength(1);
});

it('is told once where the servers say the same, and of each where they do not', () => {
  const [same, other] = [seen(['host a a all scram-sha-256']), seen(['host b b all scram-sha-256'])];
  const at = (second: typeof same) =>
    tell(tlsClients, { server1: same, server2: second }, { cluster: required }).map(
      ({ host, declared }) => `${host} ${declared}`,
    );
  expect(at(same)).toEqual(['null TLS for clients is required']);
  expect(at(other)).toEqual(['server1 TLS for clients is required', 'server2 TLS for clients is required']);
});

it('is who is in without TLS, on each server', () => {
  const session = { user: 'app', database: 'shop', address: '10.0.0.9', application: 'psql', count: 3 };
  expect(told([], [session, { ...session, database: null, application: '', count: 1 }])).toEqual([
    'server1 TLS031 app@shop from 10.0.0.9 (psql), 3 times; app@replication from 10.0.0.9',
  ]);
  const many = Array.from({ length: 23 }, () => session);
  expect(sessionsWords(many)).toMatch(/; and 3 more$/);
});

it('could not be looked at where the login may not read rules', () => {
  const [server] = given.servers;
  if (!server) throw new Error('no server');
  expect(tlsClients.read(reply(undefined, { sqlProblem: 'permission denied' }), server)).toEqual({
    state: 'unknown',
    reason: 'permission denied',
  });
});
