/** Cases of the kind that makes a lost management directory anew. */
import type { KindCases } from '../cases.ts';
import { controlData } from './postgres.ts';

const seen = (words: string, identifier = '77'): string =>
  `mounted /mcdir\n${words}content cluster\nversion 15\nrunning 12\n${controlData(identifier)}`;

export const remembering: readonly KindCases[] = [
  {
    kind: 'memory',
    desired:
      '{ system_identifier: 77, by: server2, by_address: 192.0.2.110, by_port: 27500, unit: mcoi_inst1 }',
    key: 'server1',
    describes: 'memory of server1',
    errors: [
      {
        desired: '{ system_identifier: 77, by: server2, by_address: a, by_port: 1 }',
        what: "'unit' is missing",
        at: '1:1',
      },
      {
        desired: '{ system_identifier: 77, by: server2, by_address: a, by_port: x, unit: u }',
        what: "whole number, not 'x'",
        at: '1:63',
      },
    ],
    cases: [
      {
        title: 'it is lost, and the other server vouches',
        reply: { stdout: seen('started once\ndirectory lost\n') },
        gives: {
          change: 'make the management directory /mcdir/inst1 anew',
          reason: 'it is lost; server2 vouches for server1, of cluster 77',
          differences: [
            'CTL016 server1: /mcdir/inst1 → nothing that says whose data it has; server2 vouches for it',
          ],
          notes: ['mounted on /mcdir', 'What the controller of server1 alone knew is gone'],
          script: ['state.json.torn', 'mv -T', 'sender_host = '],
        },
      },
      { title: 'it is there', reply: { stdout: seen('recorded 77\n') }, gives: { same: 'cluster 77' } },
      {
        title: 'it says another cluster',
        reply: { stdout: seen('recorded 99\n') },
        gives: { refuse: 'SAF001', what: 'not as it was a moment ago' },
      },
      {
        title: 'it does not tell',
        reply: { stdout: seen('recorded unreadable\n') },
        gives: { refuse: 'SAF008', what: 'server1.system is there' },
      },
      {
        title: 'it is not there, and nobody can say that it was',
        reply: { stdout: seen('') },
        gives: { refuse: 'SAF001', what: 'not as it was a moment ago' },
      },
      {
        title: 'the data is of another cluster',
        reply: { stdout: seen('started once\ndirectory lost\n', '99') },
        gives: { refuse: 'SAF001', what: 'not as it was a moment ago' },
      },
      {
        title: 'what stands there is not finished',
        reply: { stdout: seen('making copy\nstarted once\ndirectory lost\n') },
        gives: { refuse: 'SAF001', what: 'not as it was a moment ago' },
      },
      {
        title: 'it could not be looked at',
        reply: { status: 1, stderr: 'denied' },
        gives: { unknown: 'denied' },
      },
    ],
  },
];
