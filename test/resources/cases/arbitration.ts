/** Cases of the kinds that deal with the arbiter: that it runs with its files, that it is named, and that it knows a cluster no more. */
import type { KindCases } from '../cases.ts';

const place =
  'directory: /mcarb/arbiter, cluster: inst1, owner: mcarb, unit: mcarb_arbiter, mc_arb: /usr/local/bin/mc_arb';
const scripted = place.replace('unit: mcarb_arbiter', 'unit: update-rc.d/rc_mcarb_arbiter');
const unmanaged = place.replace(' unit: mcarb_arbiter,', '');
const arbiter = (where: string): string =>
  `{ ${where}, port: 27541, address: 192.0.2.120, bundle: /usr/local/lib/pgduet/mc.cjs }`;

/** Began 200, files read 300; then the times of program, arbitration.conf, network.conf and cluster.key. */
const runs = (times: string, others = '', at = '27541 192.0.2.120'): string =>
  `others${others}\n${at}\n200 300 ${times}\n`;

const report = (over: Record<string, unknown>): string =>
  JSON.stringify({
    mirroring_status: 'switchable',
    reason: null,
    advice: null,
    since: '',
    servers: [],
    ...over,
  });
const heard = { arbiters: [{ id: 'arb1', status: 'online', why: null }] };
const named = { register: { term: 3, members: ['arb1'], answers: true } };
const source = ' < mc_ctl status --arbiter on server1';

export const arbitration: readonly KindCases[] = [
  {
    kind: 'arbiter',
    desired: arbiter(place),
    key: '/mcarb/arbiter',
    describes: 'arbiter in /mcarb/arbiter',
    errors: [
      { desired: '{ directory: /mcarb/arbiter }', what: "'cluster' is missing", at: '1:1' },
      { desired: arbiter(place).replace('27541', 'high'), what: "not 'high'", at: '1:118' },
    ],
    cases: [
      {
        title: 'it runs with its files',
        reply: { stdout: runs('100 100 290 100') },
        gives: { same: 'it runs, with the files as they are' },
      },
      {
        title: 'it runs for others, too, at the same place',
        reply: { stdout: runs('100 100 290 100', ' sales hr') },
        gives: { same: 'it runs' },
      },
      {
        title: 'it does not run, and systemd starts it',
        reply: { stdout: 'others\n27541 192.0.2.120\nstopped\n' },
        gives: {
          change: 'start the arbiter in /mcarb/arbiter',
          reason: 'does not run',
          script: ['systemctl start mcarb_arbiter.service'],
          differences: ['ARB001 /mcarb/arbiter: running → not running'],
        },
      },
      {
        title: 'it does not run, and no systemd is there',
        desired: arbiter(unmanaged),
        reply: { stdout: 'others\n \nstopped\n' },
        gives: {
          change: 'start the arbiter',
          reason: 'does not run',
          script: [/as mcarb \/usr\/local\/bin\/mc_arb start -M \/mcarb\/arbiter/],
        },
      },
      {
        title: 'it does not run, and an init script starts it',
        desired: arbiter(scripted),
        reply: { stdout: 'others\n \nstopped\n' },
        gives: {
          change: 'start the arbiter',
          reason: 'does not run',
          script: ['/etc/init.d/rc_mcarb_arbiter start', /as mcarb tail .*arbiter\.log/],
          scriptLacks: ['systemctl start', 'mc_arb start'],
        },
      },
      {
        title: 'an init script starts it, and has no word for a reload',
        desired: arbiter(scripted),
        reply: { stdout: runs('100 100 310 100') },
        gives: {
          change: 'read the files of inst1',
          reason: 'newer',
          script: ['mc_arb reload -M /mcarb/arbiter'],
        },
      },
      {
        title: 'its program is newer',
        reply: { stdout: runs('250 100 290 100') },
        gives: { change: 'restart the arbiter', reason: 'program is newer', script: [/systemctl restart/] },
        tells: [{ code: 'ARB002', object: '/usr/local/lib/pgduet/mc.cjs', since: 250 }],
      },
      {
        title: 'its port was changed',
        reply: { stdout: runs('100 250 290 100', '', '27542 192.0.2.120') },
        gives: {
          change: 'restart the arbiter',
          reason: 'configuration is newer',
          script: [/systemctl restart/],
        },
        tells: [{ code: 'ARB003', object: '/mcarb/arbiter', since: 250 }],
      },
      {
        title: 'it has not read a new line of the cluster',
        reply: { stdout: runs('100 100 310 100') },
        gives: { change: 'read the files of inst1', reason: 'newer', script: [/systemctl reload/] },
        tells: [{ code: 'ARB003', since: 310 }],
      },
      {
        title: 'the cluster is new to it: its files are yet to be written, and told where they are declared',
        reply: { stdout: runs('100 100 - -', ' sales') },
        gives: {
          change: 'read the files of inst1',
          reason: 'newer',
          script: [/systemctl reload/],
          differences: [],
        },
      },
      {
        title: 'keys of servers were laid since it has read its files',
        desired: arbiter(place).replace(' }', ', identities: true }'),
        reply: { stdout: runs('100 100 290 100 290 310') },
        gives: {
          change: 'read the files of inst1',
          reason: 'newer',
          script: ['clusters/inst1/identities.json -nt', 'clusters/inst1/identity.key -nt'],
        },
        tells: [{ code: 'ARB003', since: 310 }],
      },
      {
        title: 'it serves others at another port',
        reply: { stdout: runs('100 100 290 100', ' sales', '27600 192.0.2.120') },
        gives: { refuse: 'SAF033', what: 'answers sales at 192.0.2.120:27600' },
      },
      {
        title: 'it serves others at another address',
        reply: { stdout: 'others sales hr\n27541 198.51.100.9\nstopped\n' },
        gives: { refuse: 'SAF033', what: 'would move to 192.0.2.120:27541' },
      },
      {
        title:
          'it moves to another port, and serves nobody else: it answers there before the servers are told',
        reply: { stdout: runs('100 100 290 100', '', '27600 192.0.2.120') },
        gives: { change: 'restart the arbiter', reason: 'configuration is newer', differences: [] },
      },
      {
        title: 'its directory may not be looked into',
        reply: { stdout: 'closed /mcarb/arbiter\n' },
        gives: { unknown: '/mcarb/arbiter' },
      },
      {
        title: 'the host does not answer',
        reply: { status: 1, stderr: 'no such shell' },
        gives: { unknown: 'no such shell' },
      },
    ],
  },
  {
    kind: 'dismissed',
    desired: `{ ${place} }`,
    key: '/mcarb/arbiter/clusters/inst1',
    describes: 'no arbiter of inst1 in /mcarb/arbiter',
    errors: [
      { desired: `{ ${place.replace('cluster: inst1,', '')} }`, what: "'cluster' is missing", at: '1:1' },
    ],
    cases: [
      { title: 'nothing is there', reply: { stdout: 'absent\n' }, gives: { same: 'no arbiter' } },
      {
        title: 'it is the last cluster',
        reply: { stdout: 'others\nknown\n' },
        gives: {
          change: 'stop the arbiter, and delete /mcarb/arbiter and unit mcarb_arbiter.service',
          reason: 'no other cluster',
          script: [
            /rmdir \/mcarb\/arbiter\/clusters\/inst1/,
            'systemctl stop mcarb_arbiter.service',
            'daemon-reload',
          ],
        },
      },
      {
        title: 'a run was interrupted behind the directory of the last cluster',
        reply: { stdout: 'others\n' },
        gives: { change: 'stop the arbiter', reason: 'no other cluster' },
      },
      {
        title: 'it is the last one, and no systemd is there',
        desired: `{ ${unmanaged} }`,
        reply: { stdout: 'others\nknown\n' },
        gives: {
          change: /^stop the arbiter, and delete \/mcarb\/arbiter$/,
          reason: 'no other cluster',
          script: ['as mcarb /usr/local/bin/mc_arb stop -M /mcarb/arbiter'],
        },
      },
      {
        title: 'it is the last one, and an init script starts it',
        desired: `{ ${scripted} }`,
        reply: { stdout: 'others\nknown\n' },
        gives: {
          change: /^stop the arbiter, and delete \/mcarb\/arbiter and \/etc\/init.d\/rc_mcarb_arbiter$/,
          reason: 'no other cluster',
          script: [
            '/etc/init.d/rc_mcarb_arbiter stop',
            'as mcarb /usr/local/bin/mc_arb stop -M /mcarb/arbiter',
            'rm -f /etc/init.d/rc_mcarb_arbiter',
            'update-rc.d rc_mcarb_arbiter remove',
          ],
        },
      },
      {
        title: 'others stay',
        reply: { stdout: 'others sales hr\nknown\n' },
        gives: {
          change: /^delete \/mcarb\/arbiter\/clusters\/inst1$/,
          reason: 'goes on for sales, hr',
          script: ['systemctl reload mcarb_arbiter.service'],
        },
      },
      {
        title: 'it never knew the cluster',
        reply: { stdout: 'others sales\n' },
        gives: { same: 'knows sales, and not inst1' },
      },
      {
        title: 'its directory may not be looked into',
        reply: { stdout: 'closed /mcarb\n' },
        gives: { unknown: '/mcarb' },
      },
    ],
  },
  {
    kind: 'register',
    desired: '{ places: [arb1] }',
    key: 'named',
    describes: 'who answers, on server1',
    errors: [{ desired: '{ places: [arb1], timeout: long }', what: "not 'long'", at: '1:28' }],
    cases: [
      {
        title: 'the arbiter is heard and named',
        reply: { stdout: report({ ...heard, ...named }) },
        gives: { same: 'arb1 answers, and is named' },
      },
      {
        title: 'it is heard, and the promise names nobody yet',
        reply: { stdout: report({ ...heard, register: null }) },
        gives: {
          change: 'wait until server1 knows that arb1 answers, and is named',
          reason: 'no register',
          differences: [`ARB005 server1: arb1 → no register${source}`],
          script: ['"members":["arb1"],"answers":true', 'status --arbiter'],
        },
      },
      {
        title: 'the controller is of a version that knows no arbiter',
        reply: { stdout: report({}) },
        gives: { change: 'wait', reason: 'no register' },
      },
      {
        title: 'it is named and not heard',
        reply: {
          stdout: report({ arbiters: [{ id: 'arb1', status: 'offline', why: 'refused' }], ...named }),
        },
        gives: {
          change: 'wait',
          reason: 'offline: refused',
          differences: [`ARB004 arb1: it answers → offline: refused${source}`],
        },
      },
      {
        title: 'it is heard, and has lost the memory that the promise names',
        reply: { stdout: report({ ...heard, register: { ...named.register, answers: false } }) },
        gives: { change: 'wait', reason: 'too few are heard' },
        tells: [{ code: 'ARB004', object: 'arb1' }],
      },
      {
        title: 'the arbiter that was there before is named still',
        reply: { stdout: report({ ...heard, register: { term: 3, members: ['old1'], answers: true } }) },
        gives: { change: 'wait', reason: 'old1' },
      },
      {
        title: 'a server is out, and nobody can name another register meanwhile',
        reply: {
          stdout: report({
            ...heard,
            register: null,
            servers: [
              { server_id: 'server1', host_role: 'primary', disk_status: 'normal' },
              { server_id: 'server2', host_role: 'standby', disk_status: 'normal', detached: true },
            ],
          }),
        },
        gives: { same: 'a server is out' },
        tells: [{ code: 'ARB005' }],
      },
      {
        title: 'the servers answer themselves, in whatever order',
        desired: '{ places: [server2, server1, server3] }',
        reply: {
          stdout: report({
            register: { term: 1, members: ['server1', 'server2', 'server3'], answers: true },
          }),
        },
        gives: { same: 'the majority of server2, server1, server3 answers' },
      },
      {
        title: 'nobody is to answer, and nobody is named',
        desired: '{}',
        reply: { stdout: report({ register: null }) },
        gives: { same: 'no register is named' },
      },
      {
        title: 'nobody is to answer, and an older controller knows of no register',
        desired: '{}',
        reply: { stdout: report({}) },
        gives: { same: 'no register is named' },
      },
      {
        title: 'the arbiter was taken away, and is named still',
        desired: '{}',
        reply: { stdout: report(named) },
        gives: { change: 'knows that no register is named', reason: 'arb1', script: ['"register":null'] },
      },
      {
        title: 'no controller runs',
        reply: { stdout: 'stopped\n' },
        gives: { change: 'wait', reason: 'no controller runs' },
      },
      {
        title: 'the controller does not answer',
        reply: { status: 1, stderr: 'no answer within 5 s' },
        gives: { unknown: 'no answer within 5 s' },
      },
    ],
  },
];
