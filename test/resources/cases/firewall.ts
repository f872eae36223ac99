/** Cases of the kinds about the firewall of our ports. */
import { createHash } from 'node:crypto';
import { tableText } from '../../../src/resources/system/firewall-table.ts';
import { type KindCases, sampleContext } from '../cases.ts';

const { entropy } = sampleContext();
const stands = (cluster: string, sources: readonly string[], port = '27500'): string =>
  tableText({ name: 'mcoi_inst1', cluster, ports: new Map([[port, sources]]) });
const declared = stands('inst1', ['10.0.0.1', '10.0.0.2']);
const state = (word: string, more = ''): string =>
  `{ name: mcoi_inst1, cluster: inst1, state: ${word}, ports: { '27500': '10.0.0.1 10.0.0.2' }${more} }`;
const says = (live: string, kept = '', more = ''): string =>
  `live ${live}\n${more}${kept === '' ? '' : `rests\nkept\n${kept}`}`;

const tables = '[["server1"]]';
const mark = createHash('sha256').update(tables).digest('hex').slice(0, 24);
const reach = (word: string): string =>
  `{ name: mcoi_inst1, places: [27540@10.0.0.2, 'fd00::2'], tables: '${tables}', state: ${word} }`.replace(
    "'fd00::2'",
    "'27500@fd00::2'",
  );

export const firewalls: readonly KindCases[] = [
  {
    kind: 'firewall',
    desired: state('tried'),
    key: 'mcoi_inst1 tried',
    describes: 'firewall of mcoi_inst1, tried',
    errors: [
      {
        desired: "{ name: 'a b', cluster: x, state: kept }",
        what: "'a b' is no name of a unit",
        at: '1:9',
        beyondSchema: true,
      },
      {
        desired: "{ name: a, cluster: x, state: kept, ports: { '1': 'db1; flush ruleset' } }",
        what: "'1: db1; flush ruleset' is no port with networks",
        at: '1:44',
        beyondSchema: true,
      },
    ],
    cases: [
      { title: 'it is in force', reply: { stdout: says('same', declared) }, gives: { same: 'in force' } },
      {
        title: 'there is none, and somebody is in from elsewhere',
        reply: { stdout: says('none'), sql: ['192.0.2.7'] },
        gives: {
          change: 'close the ports of mcoi_inst1 on trial: 27500 for 10.0.0.1, 10.0.0.2',
          reason: 'not there',
          notes: ['192.0.2.7 go on, and cannot come again'],
          differences: [
            'FWL001 inet pgduet_mcoi_inst1: 27500 for 10.0.0.1, 10.0.0.2 → no such table',
            'FWL003 192.0.2.7: not among clients or servers → in, now',
          ],
          script: ['systemd-run', '--on-active=90', 'nft -c -f', 'nft delete table inet pgduet_mcoi_inst1'],
          scriptLacks: ['flush ruleset', 'ct state'],
        },
      },
      {
        title: 'it is in force by an earlier run, which was broken off',
        reply: { stdout: says('same', '', 'rests\ntrial # run 00\n') },
        gives: {
          change: 'close the ports of mcoi_inst1 on trial',
          reason: 'broken off',
          differences: [
            'FWL001 inet pgduet_mcoi_inst1: 27500 for 10.0.0.1, 10.0.0.2 → on trial, and not kept',
          ],
        },
      },
      {
        title: 'it is in force on trial, by this run',
        reply: { stdout: says('same', '', `rests\ntrial # run ${entropy}\n`) },
        gives: { same: 'in force' },
      },
      {
        title: 'what is kept was flushed',
        reply: { stdout: says('none', declared) },
        gives: { change: 'load the firewall of mcoi_inst1 again', reason: 'not there' },
      },
      {
        title: 'it was edited',
        reply: { stdout: says('other', declared) },
        gives: {
          change: 'load the firewall of mcoi_inst1 again',
          reason: 'another one',
          differences: ['FWL001 inet pgduet_mcoi_inst1: 27500 for 10.0.0.1, 10.0.0.2 → another table'],
        },
      },
      {
        title: 'it cannot be',
        desired: state('tried', ', problem: the host has no systemd'),
        reply: { stdout: says('none') },
        gives: { refuse: 'SAF100', what: 'has no systemd' },
      },
      {
        title: 'the arbiter serves others',
        desired: state('tried', ', clusters: /mcarb/arbiter/clusters'),
        reply: { stdout: says('none', '', 'other inst2\n') },
        gives: {
          same: 'other clusters',
          differences: [
            'FWL007 port 27500: 27500 for 10.0.0.1, 10.0.0.2 → open: the arbiter serves inst2, too',
          ],
        },
      },
      {
        title: 'the login is not root',
        reply: { status: 1, stderr: 'only root may look at the rules of a firewall' },
        gives: { unknown: 'only root' },
      },
      {
        title: 'nothing stands that would keep somebody out',
        desired: state('opened'),
        reply: { stdout: says('unseen') },
        gives: { same: 'no firewall of ours' },
      },
      {
        title: 'what stands lets in all',
        desired: state('opened'),
        reply: { stdout: says('unseen', declared) },
        gives: { same: 'who is declared' },
      },
      {
        title: 'what stands keeps a new server out',
        desired: state('opened'),
        reply: { stdout: says('unseen', stands('inst1', ['10.0.0.1', '10.0.0.9'])) },
        gives: {
          change: 'let 10.0.0.2 in at port 27500',
          reason: 'keeps them out',
          differences: ['FWL002 port 27500: open to 10.0.0.2 → not in the firewall that stands'],
          script: ['10.0.0.1, 10.0.0.9, 10.0.0.2'],
        },
      },
      {
        title: 'it judges another port than the declared one',
        desired: state('opened'),
        reply: { stdout: says('unseen', stands('inst1', ['10.0.0.1'], '27000')) },
        gives: { same: 'who is declared' },
      },
      {
        title: 'an earlier run was broken off on trial',
        desired: state('opened'),
        reply: { stdout: says('unseen', '', 'rests\ntrial # run 00\n') },
        gives: {
          change: 'take the trial',
          reason: 'broken off',
          script: ['stop mcoi_inst1-firewall-trial.timer'],
        },
      },
      {
        title: 'this run tries',
        desired: state('opened'),
        reply: { stdout: says('unseen', '', `rests\ntrial # run ${entropy}\n`) },
        gives: { same: 'no firewall of ours' },
      },
      {
        title: 'nobody declares what stands',
        desired: state('opened', ', declared: false'),
        reply: { stdout: says('unseen', declared) },
        gives: {
          same: 'who is declared',
          differences: ['FWL004 /etc/pgduet/firewall/mcoi_inst1.nft: nothing → a firewall of pgduet'],
        },
      },
      {
        title: 'another cluster has closed the arbiter',
        desired: state('opened'),
        reply: { stdout: says('unseen', stands('inst2', ['10.0.0.1'])) },
        gives: { refuse: 'SAF101', what: "'inst2' keeps 'inst1' out", fix: 'firewall.servers: [10.0.0.2]' },
      },
      {
        title: 'it is loaded at boot',
        desired: state('kept'),
        reply: { stdout: says('unseen', declared) },
        gives: { same: 'behind a reboot' },
      },
      {
        title: 'another one is loaded at boot',
        desired: state('kept'),
        reply: { stdout: says('unseen', stands('inst1', ['10.0.0.1'])) },
        gives: {
          change: 'keep the firewall',
          reason: 'another one',
          differences: ['FWL005 /etc/pgduet/firewall/mcoi_inst1.nft: as rendered → another content'],
          script: ['is-active mcoi_inst1-firewall-trial.timer'],
        },
      },
      {
        title: 'nothing of it is there',
        desired: state('absent'),
        reply: { stdout: says('none') },
        gives: { same: 'no firewall' },
      },
      {
        title: 'it goes',
        desired: state('absent'),
        reply: { stdout: says('other', declared) },
        gives: {
          change: 'take the firewall of mcoi_inst1 away',
          reason: 'not to be there',
          differences: ['FWL006 inet pgduet_mcoi_inst1: no firewall of pgduet → a table, or its files'],
          script: ['disable mcoi_inst1-firewall', 'nft delete table inet pgduet_mcoi_inst1'],
          scriptLacks: ['flush'],
        },
      },
      {
        title: 'it is the firewall of another cluster of the arbiter',
        desired: state('absent'),
        reply: { stdout: says('other', stands('inst2', ['10.0.0.1'])) },
        gives: { same: "of 'inst2'" },
      },
    ],
  },
  {
    kind: 'reached',
    desired: reach('tried'),
    key: 'mcoi_inst1 tried',
    describes: 'reaches 10.0.0.2 port 27540, fd00::2 port 27500',
    errors: [{ desired: '{ name: x }', what: "'tables' is missing", at: '1:1' }],
    cases: [
      { title: 'it was proven', reply: { stdout: `${mark}\n\n` }, gives: { same: 'was proven' } },
      {
        title: 'this run has proven it',
        reply: { stdout: `\n${mark} ${entropy}\n` },
        gives: { same: 'this run' },
      },
      {
        title: 'a run that was broken off has proven it',
        reply: { stdout: `\n${mark} 00\n` },
        gives: { change: 'reach 10.0.0.2 port 27540', reason: 'not been proven' },
      },
      {
        title: 'other tables were proven',
        reply: { stdout: 'x\n\n' },
        gives: {
          change: 'by new connections',
          reason: 'not been proven',
          differences: ['FWL008 10.0.0.2 port 27540, fd00::2 port 27500: reached → not proven yet'],
          script: ['27540@10.0.0.2 27500@fd00::2'],
        },
      },
      {
        title: 'it is written down once all keep theirs',
        desired: reach('written'),
        reply: { stdout: `\n${mark} ${entropy}\n` },
        gives: { change: 'write down', reason: 'not been proven', script: ['mcoi_inst1.proven', mark] },
      },
      { title: 'it cannot be read', reply: { status: 1, stderr: 'closed' }, gives: { unknown: 'closed' } },
    ],
  },
];
