/** Cases of the kinds by which the controllers prove who they are: the key of a server, and that it was proven. */
import type { KindCases } from '../cases.ts';

/** Of P-256, made for this file; the private part is nowhere. */
const key =
  'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE5w1o2xq0KXgxsGGQq+53GzF+XY9qRDCk7dO301m8N88fVQI1x2ORsTWnfmbpLR+2q1f+CHrpNPqsmdEqn4NMdg==';
const pem = `-----BEGIN PUBLIC KEY-----\n${key.slice(0, 64)}\n${key.slice(64)}\n-----END PUBLIC KEY-----`;
const file = (mode = '600', owner = 'postgres', type = 'regular file') =>
  `${type}|${mode}|${owner}|postgres|100|200\n`;
const path = '/mcdir/inst1/identity.key';
const ofArbiter = '{ directory: /mcarb/arbiter/clusters/inst1, owner: mcarb, of: arb1 }';

const says = (over: object) => ({
  stdout: JSON.stringify({
    mirroring_status: 'switchable',
    reason: null,
    advice: null,
    since: '',
    servers: [{ server_id: 'server2', host_status: 'normal', host_role: 'standby', disk_status: 'normal' }],
    ...over,
  }),
});
const away = {
  servers: [{ server_id: 'server2', host_status: 'abnormal', host_role: 'standby', disk_status: 'normal' }],
};
const unproven = (found: string) =>
  `CTL021 server2, as server1 hears it: it proves its own key → ${found} < mc_ctl status --json on server1`;

export const identifying: readonly KindCases[] = [
  {
    kind: 'identity_key',
    desired: '{}',
    key: 'made',
    describes: 'key of the controller of server1',
    errors: [{ desired: '{ path: /x }', what: "the field 'path' is not known", at: '1:3' }],
    cases: [
      { title: 'it is there', reply: { stdout: `${file()}${pem}\n` }, gives: { same: 'a key of its own' } },
      {
        title: 'there is none',
        reply: { stdout: 'absent\n' },
        gives: {
          change: `make a key by which the controller of server1 proves who it is (${path}); it never leaves the host`,
          reason: 'it has none',
          notes: ['without a heartbeat that is not heard'],
          differences: [`CTL020 ${path}: a key → none`],
          script: ['as postgres env -u NODE_OPTIONS', 'prime256v1', 'linkSync', path],
        },
      },
      {
        title: 'it is open to others',
        reply: { stdout: `${file('644')}${pem}\n` },
        gives: {
          change: `${path}: mode 0644 → 0600`,
          reason: 'others must not read it',
          differences: [`FIL005 ${path}: 0600 → 0644 @200`],
          script: [`as postgres chmod 0600 ${path}`],
        },
      },
      {
        title: 'it belongs to somebody else',
        reply: { stdout: `${file('600', 'eve')}${pem}\n` },
        gives: { refuse: 'HST002', what: 'belongs to eve' },
      },
      {
        title: 'it is no key',
        reply: { stdout: file() },
        gives: { refuse: 'HST002', what: 'holds no key of a server' },
      },
      {
        title: 'it is a key of another kind, which nobody could use',
        reply: { stdout: `${file()}${pem.replace(/MFkw\w{20}/, 'A'.repeat(24))}\n` },
        gives: { refuse: 'HST002', what: 'holds no key of a server' },
      },
      {
        title: 'an arbiter has none',
        desired: ofArbiter,
        reply: { stdout: 'absent\n' },
        gives: {
          change:
            'make a key by which the arbiter arb1 proves who it is (/mcarb/arbiter/clusters/inst1/identity.key)',
          reason: 'it has none',
          differences: ['ARB006 /mcarb/arbiter/clusters/inst1/identity.key: a key → none'],
          script: ['as mcarb env -u NODE_OPTIONS', '/mcarb/arbiter/clusters/inst1/identity.key'],
        },
      },
      {
        title: 'an arbiter has one',
        desired: ofArbiter,
        reply: { stdout: `${file('600', 'mcarb')}${pem}\n` },
        gives: { same: 'the arbiter arb1 has a key of its own' },
      },
      {
        title: 'it is a link',
        reply: { stdout: file('777', 'postgres', 'symbolic link') },
        gives: { refuse: 'SAF002', what: 'is a link' },
      },
      {
        title: 'it cannot be read',
        reply: { stdout: file(), status: 1, stderr: 'cat: identity.key: Permission denied' },
        gives: { unknown: 'Permission denied' },
      },
      {
        title: 'its directory is closed',
        reply: { stdout: 'closed /mcdir/inst1\n' },
        gives: { unknown: 'no right to look into /mcdir/inst1' },
      },
    ],
  },
  {
    kind: 'identities',
    desired: '{ peers: [server2] }',
    key: 'proven',
    describes: 'keys that were proven to server1',
    errors: [{ desired: '{ timeout: soon }', what: "not 'soon'", at: '1:12' }],
    cases: [
      {
        title: 'the peer has proven its key',
        reply: says({ identities: { server2: 'proven' } }),
        gives: { same: 'server2 prove who they are' },
      },
      {
        title: 'it is heard by the cluster key',
        reply: says({ identities: { server2: 'open' } }),
        gives: {
          change: 'wait until server2 has proven to server1 who they are',
          reason: 'the cluster key alone',
          differences: [unproven('it is heard by the cluster key alone')],
          script: ['"server2":"proven"', '/mcdir/inst1/server1.status.json', 'MCA01022'],
        },
      },
      {
        title: 'it has proven a former key',
        reply: says({ identities: { server2: 'former' } }),
        gives: {
          change: 'wait until server2',
          reason: 'the cluster key alone',
          differences: [unproven('it has proven a former key of that host')],
          script: ['sleep 0.1'],
        },
      },
      {
        title: 'the controller knows of no keys',
        reply: says({}),
        gives: {
          change: 'wait until server2',
          reason: 'the cluster key alone',
          differences: [unproven('it is heard by the cluster key alone')],
          script: ['sleep 0.1'],
        },
      },
      {
        title: 'the peer is not heard',
        reply: says({ ...away, identities: { server2: 'open' } }),
        gives: {
          same: 'a server is out',
          differences: [unproven('it is heard by the cluster key alone')],
        },
      },
      {
        title: 'the arbiter has not proven its key',
        desired: '{ peers: [server2], arbiter: arb1 }',
        reply: says({
          arbiters: [{ id: 'arb1', status: 'online' }],
          identities: { server2: 'proven', arb1: 'open' },
        }),
        gives: {
          change: 'wait until arb1 has proven to server1 who they are',
          reason: 'the cluster key alone',
          differences: [
            'ARB007 arb1, as server1 hears it: it proves its own key → it is heard by the cluster key alone < mc_ctl status --json on server1',
          ],
          script: ['"arb1":"proven"', 'MCR00013'],
        },
      },
      {
        title: 'the arbiter is not heard',
        desired: '{ peers: [server2], arbiter: arb1 }',
        reply: says({
          arbiters: [{ id: 'arb1', status: 'offline' }],
          identities: { server2: 'proven', arb1: 'open' },
        }),
        gives: {
          same: 'is out',
          differences: [
            'ARB007 arb1, as server1 hears it: it proves its own key → it is heard by the cluster key alone < mc_ctl status --json on server1',
          ],
        },
      },
      {
        title: 'the arbiter has proven its key, too',
        desired: '{ peers: [server2], arbiter: arb1 }',
        reply: says({ identities: { server2: 'proven', arb1: 'proven' } }),
        gives: { same: 'server2, arb1 prove who they are' },
      },
      {
        title: 'no controller runs',
        reply: { stdout: 'stopped\n' },
        gives: { same: 'nobody is waited for' },
      },
      {
        title: 'nobody has a key',
        desired: '{}',
        reply: says({}),
        gives: { same: 'nobody is waited for' },
      },
      {
        title: 'nothing comes back',
        reply: { status: 1, stderr: 'no answer' },
        gives: { unknown: 'no answer' },
      },
    ],
  },
];
