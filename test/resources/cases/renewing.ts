/** Cases of the kinds of a renewal of the secrets: its file, and by which keys the controllers and the arbiter speak and hear. */
import { createHash } from 'node:crypto';
import { canary, type KindCases } from '../cases.ts';

const file = (state: string): string =>
  `{ path: /mcdir/inst1/renewal.json, owner: postgres, secret: !secret replication_password, state: ${state} }`;
const sum = createHash('sha256').update(canary).digest('hex');
const stands = (content = sum, stat = 'regular file|600|postgres|postgres|100|200'): string =>
  `${stat}\n${content}  -\n`;

const old = 'a'.repeat(16);
const fresh = 'b'.repeat(16);

const controller = (keys: object | undefined): string =>
  JSON.stringify({
    mirroring_status: 'switchable',
    reason: null,
    advice: null,
    since: '',
    versions: { controller: '0.2.0', node: '20' },
    servers: [],
    ...(keys ? { cluster_key: keys } : {}),
  });
const says = (speaks: string, hears: readonly string[], renewal: boolean) => ({
  stdout: controller({ speaks, hears, renewal }),
});

const arbiterPlace =
  'directory: /mcarb/arbiter, cluster: inst1, owner: mcarb, unit: mcarb_arbiter, mc_arb: /usr/local/bin/mc_arb';
const arbiter = (keys: readonly string[] | undefined, cluster = 'inst1') => ({
  stdout: JSON.stringify({
    schema: 1,
    clusters: [
      { cluster: 'sales', keys: ['c'] },
      { cluster, keys },
    ],
  }),
});

export const renewing: readonly KindCases[] = [
  {
    kind: 'renewal',
    desired: file('present'),
    key: '/mcdir/inst1/renewal.json present',
    describes: 'renewal of the secrets in /mcdir/inst1/renewal.json',
    errors: [
      { desired: '{ path: /x, owner: mcarb, state: gone }', what: "'state' cannot be 'gone'", at: '1:34' },
      {
        desired: '{ path: /x, owner: mcarb, secret: !secret nobody }',
        what: "no secret 'nobody'",
        at: '1:43',
      },
    ],
    cases: [
      { title: 'it is there', reply: { stdout: stands() }, gives: { same: 'old and the new' } },
      {
        title: 'it is not there',
        reply: { stdout: 'absent\n' },
        gives: {
          change: 'accept the old and the new secrets (/mcdir/inst1/renewal.json)',
          reason: 'nobody may be spoken to',
          script: ['put /mcdir/inst1/renewal.json 0600 postgres:'],
        },
      },
      {
        title: 'it is that of another renewal',
        reply: { stdout: stands('0'.repeat(64)) },
        gives: { change: 'accept', reason: 'it names others', script: ['0600 postgres:'] },
      },
      {
        title: 'it is open to others',
        reply: { stdout: stands(sum, 'regular file|644|postgres|postgres|100|200') },
        gives: { change: 'accept', reason: 'it names others', script: ['0600 postgres:'] },
      },
      {
        title: 'a directory has its name',
        reply: { stdout: 'directory|700|postgres|postgres|100|200\n' },
        gives: { refuse: 'SAF002', what: 'is a directory' },
      },
      {
        title: 'a directory has its name, and it is to go',
        desired: file('absent'),
        reply: { stdout: 'directory|700|postgres|postgres|100|200\n' },
        gives: { refuse: 'SAF002', what: 'is a directory' },
      },
      {
        title: 'it is to go',
        desired: file('absent'),
        reply: { stdout: stands('0'.repeat(64)) },
        gives: {
          change: 'forget the old secrets',
          reason: 'all use the new ones',
          script: ['rm -f /mcdir/inst1/renewal.json', 'sync -f /mcdir/inst1', 'kill -HUP'],
        },
      },
      {
        title: 'it has gone',
        desired: file('absent'),
        reply: { stdout: 'absent\n' },
        gives: { same: 'no old secret' },
      },
      {
        title: 'its directory may not be looked into',
        reply: { stdout: 'closed /mcdir\n' },
        gives: { unknown: '/mcdir' },
      },
      {
        title: 'it cannot be read',
        reply: { status: 1, stdout: stands(), stderr: 'Input/output error' },
        gives: { unknown: 'Input/output error' },
      },
    ],
  },
  {
    kind: 'cluster_keys',
    desired: `{ unit: mcoi_inst1, hears: [${old}, ${fresh}], renewal: known }`,
    key: 'renewal known',
    describes: 'keys that the controller of server1 speaks and hears',
    errors: [{ desired: '{ renewal: over }', what: "'renewal' cannot be 'over'", at: '1:12' }],
    cases: [
      {
        title: 'it hears both',
        reply: says(old, [old, fresh], true),
        gives: { same: 'the controller of server1 accepts the old and the new secrets' },
      },
      {
        title: 'it hears both, and speaks the new one already',
        reply: says(fresh, [fresh, old], true),
        gives: { same: 'accepts the old and the new' },
      },
      {
        title: 'it hears the old one',
        reply: says(old, [old], false),
        gives: {
          change: 'make the controller of server1 read its keys',
          reason: 'it does not hear every key yet',
          script: ['systemctl reload mcoi_inst1', 'server1.status.json -nt /mcdir/inst1/server1.pid'],
        },
      },
      {
        title: 'the password alone is renewed, and it has not read that',
        desired: '{ renewal: known }',
        reply: says(old, [old], false),
        gives: { change: 'make', reason: 'it does not know of the renewal yet' },
      },
      {
        title: 'it speaks the new key',
        desired: `{ speaks: ${fresh} }`,
        reply: says(fresh, [fresh], false),
        gives: { same: 'speaks the new cluster key' },
      },
      {
        title: 'it speaks the old key, whatever its file says',
        desired: `{ speaks: ${fresh} }`,
        reply: says(old, [old, fresh], true),
        gives: { change: 'make', reason: 'it does not speak the new key yet' },
      },
      {
        title: 'it has forgotten the old one',
        desired: `{ hears: [${fresh}], renewal: forgotten }`,
        reply: says(fresh, [fresh], false),
        gives: { same: 'accepts the new secrets only' },
      },
      {
        title: 'it has not forgotten the old one',
        desired: `{ hears: [${fresh}], renewal: forgotten }`,
        reply: says(fresh, [fresh, old], true),
        gives: { change: 'make', reason: 'it accepts the old values still' },
      },
      {
        title: 'it is of an earlier version',
        reply: { stdout: controller(undefined) },
        gives: {
          refuse: 'SAF034',
          what: 'the controller of server1 is of version 0.2.0, which cannot hear two keys',
          fix: 'pgduet provision',
        },
      },
      {
        title: 'it does not run',
        reply: { stdout: 'stopped\n' },
        gives: { refuse: 'SAF034', what: 'the controller of server1 does not run', fix: 'mc_ctl start' },
      },
      {
        title: 'there is none',
        reply: { stdout: 'missing\n' },
        gives: { refuse: 'SAF034', what: 'does not run', fix: 'pgduet provision' },
      },
      {
        title: 'its directory may not be looked into',
        reply: { stdout: 'closed /mcdir/inst1\n' },
        gives: { unknown: '/mcdir/inst1' },
      },
    ],
  },
  {
    kind: 'arbiter_keys',
    desired: `{ ${arbiterPlace}, hears: [${old}, ${fresh}] }`,
    key: 'inst1, all',
    describes: 'keys that the arbiter in /mcarb/arbiter hears',
    errors: [
      {
        desired: `{ ${arbiterPlace.replace('cluster: inst1, ', '')} }`,
        what: "'cluster' is missing",
        at: '1:1',
      },
    ],
    cases: [
      { title: 'it hears both', reply: arbiter([fresh, old]), gives: { same: 'the old and the new key' } },
      {
        title: 'it hears the old one',
        reply: arbiter([old]),
        gives: {
          change: 'make the arbiter read its keys',
          reason: 'it does not hear every key yet',
          script: ['systemctl reload mcarb_arbiter.service', 'stat -c %.9Y /mcarb/arbiter/arbiter.pid'],
        },
      },
      {
        title: 'it has forgotten the old one',
        desired: `{ ${arbiterPlace}, hears: [${fresh}], only: true }`,
        reply: arbiter([fresh]),
        gives: { same: 'the new key only' },
      },
      {
        title: 'it has not forgotten the old one',
        desired: `{ ${arbiterPlace}, hears: [${fresh}], only: true }`,
        reply: arbiter([fresh, old]),
        gives: { change: 'make', reason: 'it hears the old key still' },
      },
      {
        title: 'it is of an earlier version',
        reply: arbiter(undefined),
        gives: { refuse: 'SAF034', what: 'of an earlier version', fix: 'pgduet provision' },
      },
      {
        title: 'it serves other clusters only',
        reply: arbiter([old], 'hr'),
        gives: { refuse: 'SAF034', what: 'does not know inst1', fix: 'pgduet provision' },
      },
      {
        title: 'it does not run',
        reply: { stdout: 'stopped\n' },
        gives: { refuse: 'SAF034', what: 'does not run', fix: 'pgduet provision' },
      },
      {
        title: 'its directory may not be looked into',
        reply: { stdout: 'closed /mcarb\n' },
        gives: { unknown: '/mcarb' },
      },
      {
        title: 'its answer was cut off',
        reply: { stdout: '{"clusters": [' },
        gives: { unknown: 'clusters' },
      },
    ],
  },
];
