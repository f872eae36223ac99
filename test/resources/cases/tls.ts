/** Cases of TLS: the pair as it lies, what is served, and the logins that prove the way. */

import { pairNameOf } from '../../../src/observe/issued.ts';
import { ca, other, server1, stranger } from '../../postgres/pems.ts';
import type { KindCases } from '../cases.ts';

const nowMs = Date.UTC(2027, 0, 1);
const look = (over: object = {}) => ({
  stdout: `${JSON.stringify({ nowMs, ca, certificate: server1, ...over })}\n`,
});
const files = 'ca: /pki/ca.pem, certificate: /pki/server.pem, key: /pki/server.key';
const pair = `{ ${files}, host: 192.0.2.100 }`;

export const tlsCases: readonly KindCases[] = [
  {
    kind: 'certificate',
    desired: pair,
    key: '/pki/server.pem',
    describes: 'certificate /pki/server.pem',
    errors: [{ desired: `{ ${files} }`, what: "'host' is missing", at: '1:1' }],
    cases: [
      { title: 'it is good', reply: look(), gives: { same: '/pki/server.pem is for 192.0.2.100' } },
      {
        title: 'somebody else has signed it',
        reply: look({ certificate: stranger }),
        gives: { refuse: 'TLS010', what: "signed by 'CN=somebody else'" },
      },
      {
        title: 'the list is torn',
        reply: look({ ca: ca.slice(0, 200) }),
        gives: { refuse: 'TLS010', what: 'libpq would refuse every server' },
      },
      {
        title: 'its file holds no certificate',
        reply: look({ certificate: 'x' }),
        gives: { refuse: 'TLS010', what: 'the file of the certificate is no whole list' },
      },
      {
        title: 'the host says what is wrong with the key',
        reply: look({ problem: 'the key /pki/server.key is open to others (mode 644): 0600' }),
        gives: { refuse: 'TLS010', what: '(mode 644)' },
      },
      {
        title: 'another server could not be followed',
        desired: `{ ${files}, host: 192.0.2.100, problem: the list lacks a CA }`,
        reply: look(),
        gives: { refuse: 'TLS010', what: 'the list lacks a CA' },
      },
      {
        title: 'TLS is off',
        desired: '{ host: 192.0.2.100 }',
        reply: look({ ca: undefined, certificate: undefined }),
        gives: { same: 'TLS is off' },
      },
      {
        title: 'TLS shall be off, and a server is away',
        desired: '{ host: 192.0.2.100, problem: server2 is away }',
        reply: look({ ca: undefined, certificate: undefined }),
        gives: { refuse: 'TLS010', what: 'TLS cannot be turned off: server2 is away' },
      },
      {
        title: 'nothing is installed yet',
        reply: { status: 3, stderr: 'neither Node.js nor the instance administrator is there yet' },
        gives: { unknown: 'is there yet' },
      },
      { title: 'the answer is none', reply: { stdout: 'x\n' }, gives: { unknown: 'could not be looked at' } },
    ],
  },
  {
    kind: 'served',
    desired: pair,
    key: '/pki/server.pem',
    describes: 'TLS with /pki/server.pem',
    errors: [{ desired: '{ host: a }', what: "'ca' is missing", at: '1:1' }],
    cases: [
      {
        title: 'it is served',
        reply: look({ served: server1 }),
        gives: { same: '/pki/server.pem is served' },
      },
      {
        title: 'the server does not run',
        reply: look(),
        gives: { same: 'it reads its certificate when it starts' },
      },
      {
        title: 'no TLS is offered',
        reply: look({ served: 'none' }),
        gives: {
          change: 'serve TLS with /pki/server.pem',
          reason: 'the server offers no TLS',
          notes: ['each standby connects anew'],
          differences: ['TLS005 /pki/server.pem: served → no TLS'],
          script: ['pg_reload_conf', 'ssl = off', 'does not serve the certificate'],
        },
      },
      {
        title: 'no TLS is offered, and clients will have to use it',
        desired: pair.replace(/ ?}$/, ', locked_out: "sessions of now: app@app from 10.0.0.9" }'),
        reply: look({ served: 'none' }),
        gives: {
          change: 'serve TLS',
          reason: 'the server offers no TLS',
          notes: ['in this run: each', 'in this run: sessions of now: app@app'],
        },
      },
      {
        title: 'another certificate is served',
        reply: look({ served: other }),
        gives: {
          change: 'serve TLS with',
          reason: 'it serves another certificate',
          differences: ['TLS005 /pki/server.pem: served → another certificate'],
          script: ['"shows":"', 'way-back', 'the former pair is named again'],
        },
      },
      { title: 'nothing comes back', reply: { status: 1 }, gives: { unknown: 'could not be looked at' } },
    ],
  },
  {
    kind: 'tls_key',
    desired: "{ beside: '~', host: 192.0.2.100, wanted: true }",
    key: '/mcdir/inst1/tls',
    describes: 'key for TLS in /mcdir/inst1/tls',
    errors: [{ desired: '{ wanted: true }', what: "'host' is missing", at: '1:1' }],
    cases: [
      {
        title: 'there is none',
        reply: look({ certificate: undefined }),
        gives: {
          change: 'make a key for TLS in /mcdir/inst1/tls; it never leaves the host',
          reason: 'the server has no pair for TLS',
          notes: ['each standby connects anew'],
          differences: ['TLS024 /mcdir/inst1/tls: a pair → no key'],
          script: ['as postgres env -u NODE_OPTIONS', 'prime256v1', '/mcdir/inst1/tls'],
        },
      },
      {
        title: 'one waits',
        reply: look({ certificate: undefined, request: 'public' }),
        gives: { same: 'a key waits for its certificate' },
      },
      {
        title: 'it has one, and gets another',
        desired: "{ beside: '~', host: 192.0.2.100, wanted: true, anew: true }",
        reply: look({ pair: '0123456789abcdef' }),
        gives: {
          change: 'make a new key for TLS in /mcdir/inst1/tls',
          reason: 'the server gets a new pair; it shows 0123456789abcdef until then',
          notes: [],
          script: ['prime256v1'],
        },
      },
      {
        title: 'it has a pair',
        desired: "{ beside: '~', host: 192.0.2.100 }",
        reply: look({ pair: '0123456789abcdef' }),
        gives: { same: 'it has a pair' },
      },
      {
        title: 'nothing is installed yet',
        reply: { status: 3, stderr: 'neither Node.js nor the instance administrator is there yet' },
        gives: { unknown: 'is there yet' },
      },
    ],
  },
  {
    kind: 'tls_pair',
    desired: `{ beside: '~', host: 192.0.2.100, certificate: ${JSON.stringify(server1)} }`,
    key: '/mcdir/inst1/tls',
    describes: 'certificate and key for TLS in /mcdir/inst1/tls',
    errors: [{ desired: '{}', what: "'host' is missing", at: '1:1' }],
    cases: [
      {
        title: 'a key waits',
        reply: look({ certificate: undefined, request: 'public' }),
        gives: {
          change: `lay the certificate for TLS beside its key: /mcdir/inst1/tls/${pairNameOf(server1)}`,
          reason: 'signed by shop CA, for',
          differences: ['TLS024 /mcdir/inst1/tls: a pair → a key without its certificate'],
          script: [
            'as postgres env -u NODE_OPTIONS',
            'checkPrivateKey',
            pairNameOf(server1),
            'BEGIN CERTIFICATE',
          ],
        },
      },
      {
        title: 'it lies there',
        reply: look({ pair: pairNameOf(server1) }),
        gives: { same: 'is for 192.0.2.100' },
      },
      {
        title: 'it is laid ready beside the pair that counts',
        desired: `{ beside: '~', host: 192.0.2.100, ready: true, certificate: ${JSON.stringify(server1)} }`,
        reply: look({ certificate: other, pair: '0123456789abcdef', request: 'public' }),
        gives: {
          change: `/mcdir/inst1/tls/${pairNameOf(server1)}`,
          reason: 'signed by shop CA, for',
          script: [` -- ready /mcdir/inst1/tls ${pairNameOf(server1)} `],
        },
      },
      {
        title: 'it is ready',
        desired: `{ beside: '~', host: 192.0.2.100, ready: true, certificate: ${JSON.stringify(server1)} }`,
        reply: look({ certificate: other, pair: '0123456789abcdef', next: server1 }),
        gives: { same: `/mcdir/inst1/tls/${pairNameOf(server1)} is ready` },
      },
      {
        title: 'the server has its pair',
        desired: "{ beside: '~', host: 192.0.2.100 }",
        reply: look({ pair: '0123456789abcdef' }),
        gives: { same: '/mcdir/inst1/tls/0123456789abcdef is for 192.0.2.100' },
      },
      {
        title: 'its key is not there yet',
        desired: "{ beside: '~', host: 192.0.2.100 }",
        reply: look({ certificate: undefined }),
        gives: { unknown: 'its key is made first' },
      },
      {
        title: 'it is given none',
        desired: "{ beside: '~', host: 192.0.2.100, problem: somebody else has signed it }",
        reply: look({ pair: '0123456789abcdef' }),
        gives: { refuse: 'TLS020', what: 'somebody else has signed it' },
      },
      { title: 'nothing comes back', reply: { status: 1 }, gives: { unknown: 'could not be looked at' } },
    ],
  },
  {
    kind: 'tls_former',
    desired: "{ beside: '~', host: 192.0.2.100 }",
    key: '/mcdir/inst1/tls',
    describes: 'former pairs for TLS in /mcdir/inst1/tls',
    errors: [{ desired: '{}', what: "'host' is missing", at: '1:1' }],
    cases: [
      {
        title: 'there is one, and the server shows the one that counts',
        reply: look({ pair: '0123456789abcdef', served: server1, others: ['fedcba9876543210', '../../etc'] }),
        gives: {
          change: /^delete the former pair for TLS: \/mcdir\/inst1\/tls\/fedcba9876543210$/,
          reason: 'the server shows 0123456789abcdef',
          script: [
            'as postgres sh -c',
            ' /mcdir/inst1/tls /database/inst1 0123456789abcdef fedcba9876543210',
          ],
          scriptLacks: ['etc'],
        },
      },
      {
        title: 'the server shows what was ready',
        reply: look({ pair: '0123456789abcdef', served: server1, next: server1, others: [] }),
        gives: { change: 'forget which pair was ready', reason: 'the server shows 0123456789abcdef' },
      },
      {
        title: 'the server does not show the one that counts',
        reply: look({ pair: '0123456789abcdef', served: other, others: ['fedcba9876543210'] }),
        gives: { same: 'they stay as long as the server does not show the one that counts' },
      },
      {
        title: 'another one is ready',
        reply: look({ pair: '0123456789abcdef', served: server1, next: other, others: [] }),
        gives: { same: 'there are none' },
      },
      { title: 'nothing comes back', reply: { status: 1 }, gives: { unknown: 'could not be looked at' } },
    ],
  },
  {
    kind: 'logins',
    desired: "{ to: { server2: 'host=192.0.2.110 sslmode=verify-full' } }",
    key: 'of replication',
    describes: 'logins to server2',
    errors: [{ desired: '{ to: [] }', what: "'to' must be a map", at: '1:7' }],
    cases: [
      { title: 'they are let in', reply: { stdout: '' }, gives: { same: 'logged in to server2' } },
      {
        title: 'there is nobody',
        desired: '{ to: {} }',
        reply: { stdout: '' },
        gives: { same: 'logged in to nobody' },
      },
      {
        title: 'one is refused',
        reply: { stdout: 'server2 psql: error: SSL error: certificate verify failed \n' },
        gives: {
          change: 'log in to server2 as a standby will',
          reason: 'server2: psql: error: SSL error: certificate verify failed',
          script: ['IDENTIFY_SYSTEM', 'host=192.0.2.110 sslmode=verify-full'],
        },
      },
      { title: 'nobody could try', reply: { status: 1, stderr: 'no psql' }, gives: { unknown: 'no psql' } },
    ],
  },
];
