/** What is told of certificates: when they end, what is served, and that TLS is off. */

import { X509Certificate } from 'node:crypto';
import { expect, it } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import { tlsAudit } from '../../../src/check/audits/tls.ts';
import { clusterOf, pairInventory } from '../../observe/cluster.ts';
import { ca, other, server1, server2, stranger } from '../../postgres/pems.ts';
import { reply, tell } from './context.ts';

const withTls = (tls: string) =>
  clusterOf(pairInventory.replace('data_dir: /database/inst1', `data_dir: /database/inst1, tls: ${tls}`));
const given = await withTls('{ ca: /pki/ca.pem, certificate: /pki/server.pem, key: /pki/server.key }');
const off = await withTls('off');
const silent = await clusterOf(pairInventory);
const end = Date.parse(new X509Certificate(server1).validTo);
const day = 86_400_000;
const shows = (over: object) =>
  reply(null, {
    stdout: JSON.stringify({ nowMs: end - 300 * day, ca, certificate: server1, served: server1, ...over }),
  });
const told = (over: object) =>
  tell(tlsAudit, { server1: shows(over) }, { cluster: given }).map(
    ({ code, host, found }) => `${host} ${code} ${found}`,
  );

it('is nothing where all is good, and where the inventory says nothing', () => {
  expect(told({})).toEqual([]);
  expect(tell(tlsAudit, { server1: reply(null) }, { cluster: silent })).toEqual([]);
  expect(silent.servers.map((server) => tlsAudit.probe(server, silent))).toEqual([{}, {}]);
});

it.each([
  [91, []],
  [89, ['server1 TLS003 it ends in 89 days']],
  [29, ['server1 TLS004 it ends in 29 days']],
  [-1, ['server1 TLS004 it has ended']],
])('is its end in %i days', (days, wanted) => {
  expect(told({ nowMs: end - days * day })).toEqual(wanted);
});

it('is what would not start again; what is served is told by provision', () => {
  expect(told({ problem: 'the key is open' })).toEqual(['server1 TLS006 the key is open']);
  expect(told({ served: other })).toEqual([]);
});

it('is TLS that is off, once', () => {
  const none = shows({ ca: undefined, certificate: undefined, served: 'none' });
  expect(tell(tlsAudit, { server1: none, server2: none }, { cluster: off }).map(({ code }) => code)).toEqual([
    'TLS001',
  ]);
});

it('is a certificate that is ready, and by whom', () => {
  const ready = (over: object) =>
    tell(
      tlsAudit,
      { server1: shows({ pair: '0123456789abcdef', named: true, ...over }) },
      { cluster: generated },
    ).flatMap(({ code, repair }) => (code === 'TLS026' ? [repair] : []));
  expect(ready({ next: other })).toEqual([undefined]);
  expect(ready({ next: server2 })).toEqual(['`pgduet certificates renew server1`']);
  expect(ready({ next: server1 })).toEqual([]);
  expect(ready({})).toEqual([]);
});

const keyed = { ...(await withTls('generated')), caKey: new Secret('x') };
it('is its end with the way to another one, by who has the key', () => {
  const repairs = (cluster: typeof keyed | typeof generated) =>
    tell(
      tlsAudit,
      { server1: shows({ pair: '0123456789abcdef', named: true, nowMs: end - day }) },
      { cluster },
    ).flatMap(({ code, repair }) => (code === 'TLS004' ? [repair] : []));
  expect(repairs(keyed)[0]).toMatch(/^`pgduet certificates renew server1`/);
  expect(repairs(generated)[0]).toMatch(/^a new CA, in two steps: `pgduet certificates renew --ca`/);
});

const generated = await withTls('generated');
const own = (over: object) =>
  tell(
    tlsAudit,
    {
      server1: shows({ pair: '0123456789abcdef', named: true, ...over }),
      server2: shows({ pair: '0123456789abcdef' }),
    },
    { cluster: generated },
  ).flatMap(({ code, host, object, found }) => (host === 'server1' ? [`${code} ${object}: ${found}`] : []));

it('is a name that a certificate of our own lacks', async () => {
  expect(own({})).toEqual([]);
  const moved = await clusterOf(
    pairInventory
      .replace('data_dir: /database/inst1', 'data_dir: /database/inst1, tls: generated')
      .replace('role: primary', 'role: primary, log_transfer_address: db9.example.com'),
  );
  const found = tell(
    tlsAudit,
    { server1: shows({ pair: '0123456789abcdef', named: true }) },
    { cluster: moved },
  );
  expect(found.map(({ code, object }) => `${code} ${object}`)).toEqual(['TLS022 db9.example.com']);
});

it('is another CA than that of the primary, and only a note', () => {
  const told = tell(
    tlsAudit,
    {
      server1: shows({ pair: '0123456789abcdef', named: true }),
      server2: shows({ pair: 'fedcba9876543210', named: true, certificate: stranger }),
    },
    { cluster: generated },
  );
  expect(told.filter(({ code }) => code === 'TLS023').map(({ host, found }) => `${host} ${found}`)).toEqual([
    'server2 CN=somebody else',
  ]);
});

it('is a pair that postgresql.conf names and that is lost', () => {
  const lost = { pair: undefined, certificate: undefined, ca: undefined };
  expect(own(lost)).toEqual(['TLS025 certificate: postgresql.conf names one that is not there']);
  expect(own({ ...lost, named: false, served: 'none' })).toEqual([]);
});

it('could not be looked at where the answer is none', () => {
  const [server] = given.servers;
  if (!server) throw new Error('no server');
  expect(tlsAudit.read(reply(null, { status: 3, stderr: 'no Node.js' }), server)).toEqual({
    state: 'unknown',
    reason: 'no Node.js',
  });
});
