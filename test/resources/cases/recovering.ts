/** Cases of the kind that says what a former primary alone holds: proven, told, or refused with the condition that failed. */
import type { KindCases } from '../cases.ts';
import { report, row, takenOver } from './controllers.ts';

const fields =
  "primary: server2, timeline: 2, history: '1 0/5000148', fork: 0/5000148, successor: server2, promise: its promise, commands: systemctl start mcoi_inst1";
const yaml = `{ ${fields} }`;
const more = (over: string): string => `{ ${fields}, ${over} }`;

const seen = (
  beyond: string,
  {
    names = 'server2',
    commit = 'on',
    options = 'none',
  }: Partial<Record<'names' | 'commit' | 'options', string>> = {},
) => ({ stdout: `beyond ${beyond}\nnames ${names}\ncommit ${commit}\noptions ${options}\n` });
const refused = { refuse: 'SAF091', what: 'server1 may hold commits' } as const;

/** The line of times, then the report of a controller. */
const controllerSays = (...says: Parameters<typeof report>): string =>
  `200 100 200 50 100\n${report(...says)}\n`;
const held = row('server1', { host_role: 'none(inactivated primary)', instance: 'held' });

export const recovering: readonly KindCases[] = [
  {
    kind: 'alone',
    desired: yaml,
    key: 'server2',
    describes: 'what server1 alone holds',
    errors: [
      { desired: '{ timeline: 2 }', what: "'primary' is missing", at: '1:1' },
      {
        desired: "{ primary: server2, timeline: 2, history: '$(id) 0/5' }",
        what: 'is no timeline and position',
        at: '1:43',
        beyondSchema: true,
      },
      {
        desired: '{ primary: server2, timeline: 2, fork: here }',
        what: 'is no WAL position',
        at: '1:40',
        beyondSchema: true,
      },
    ],
    cases: [
      {
        title: 'its WAL ends where the other one left it',
        reply: seen('none'),
        gives: { same: 'nothing after 0/5000148' },
      },
      {
        title: 'nobody was told of its commits',
        reply: seen('commits 1', { names: 'ANY 1 ("SERVER2")', commit: 'remote_apply' }),
        gives: { same: /holds 1 commit after 0\/5000148; acknowledged to nobody who waited/ },
      },
      {
        title: 'its WAL has no proven end, and nobody was told',
        reply: seen('unknown its WAL file 0 is gone'),
        gives: { same: /unknown: its WAL file 0 is gone; acknowledged to nobody/ },
      },
      {
        title: 'it would start by itself',
        desired: more('restless: no record'),
        reply: seen('none'),
        gives: refused,
      },
      {
        title: 'its promise proves nothing',
        desired: more('unproven: no record'),
        reply: seen('commits 2'),
        gives: { ...refused, fix: 'A person decides' },
      },
      {
        title: 'its promise proves nothing, and nothing has to be proven',
        desired: more('unproven: no record'),
        reply: seen('none'),
        gives: { same: 'nothing after' },
      },
      {
        title: 'it gave its role away, and holds more than that',
        desired: more('joins: true'),
        reply: seen('commits 1'),
        gives: refused,
      },
      {
        title: 'it gave its role away, and nothing besides',
        desired: more('joins: true'),
        reply: seen('none'),
        gives: { same: 'nothing after' },
      },
      {
        title: 'nobody took over from it directly',
        desired: yaml.replace('successor: server2, ', ''),
        reply: seen('commits 2'),
        gives: refused,
      },
      { title: 'its names were emptied', reply: seen('commits 2', { names: '' }), gives: refused },
      { title: 'its names are others', reply: seen('commits 2', { names: 'server22' }), gives: refused },
      ...['local', 'off', 'remote_write'].map((commit) => ({
        title: `synchronous_commit was ${commit}`,
        reply: seen('commits 2', { commit }),
        gives: refused,
      })),
      {
        title: 'it was started with options that may say otherwise',
        reply: { stdout: 'beyond commits 2\nnames server2\ncommit on\n' },
        gives: refused,
      },
      {
        title: 'PostgreSQL does not say its settings',
        reply: { stdout: 'beyond commits 2\noptions none\n' },
        gives: refused,
      },
      {
        title: 'the other one runs: it is told, and not judged',
        desired: more('decides: false, restless: no record'),
        reply: seen('commits 2', { names: '' }),
        gives: { same: /holds 2 commits after 0\/5000148$/ },
      },
      {
        title: 'it could not be looked at',
        reply: { status: 1, stderr: 'no data directory' },
        gives: { unknown: 'no data' },
      },
    ],
  },
  {
    kind: 'settlement',
    desired: '{ heirs: [server1, server2], unit: mcoi_inst1, bundle: /x }',
    key: 'ended',
    describes: 'the end of the switch to server1 or server2',
    errors: [{ desired: '{ heirs: [server1] }', what: "'bundle' is missing", at: '1:1' }],
    cases: [
      {
        title: 'its controller does not run',
        reply: { stdout: 'stopped\n' },
        gives: {
          change: 'start server1, which ends the switch',
          reason: 'server1 or server2 becomes primary, as the controllers decide',
          script: ['systemctl start mcoi_inst1', 'if held; then break; fi'],
        },
      },
      {
        title: 'nobody but mc_ctl starts it: without waiting for an instance that another one may hold back',
        desired: '{ heirs: [server1, server2], bundle: /x }',
        reply: { stdout: 'stopped\n' },
        gives: {
          change: 'start server1',
          reason: 'as the controllers decide',
          script: [/ start -M /],
          scriptLacks: ['start -w'],
        },
      },
      {
        title: 'its controller waits for the others: nobody gives it a word',
        reply: { stdout: controllerSays({ mirroring_status: 'switching' }, 'waiting') },
        gives: {
          change: 'wait for the controller of server1',
          reason: 'as the controllers decide',
          scriptLacks: ['systemctl start', 'systemctl restart'],
        },
      },
      {
        title: 'its instance runs',
        reply: { stdout: controllerSays() },
        gives: { same: 'the instance of server1 runs' },
      },
      {
        title: 'another one has the role, and it is about to follow that',
        reply: {
          stdout: controllerSays({ mirroring_status: 'switching', servers: [held, row('server2')] }, 'held'),
        },
        gives: { change: 'wait for the controller of server1', reason: 'the role was on its way' },
      },
      {
        title: 'its controller gives no answer',
        reply: { stdout: '200 100 200 50 100\n', stderr: 'mc_ctl: no answer' },
        gives: { unknown: 'no answer' },
      },
      {
        title: 'another one has the role, and it is held',
        reply: { stdout: controllerSays({ ...takenOver, servers: [held, row('server2')] }) },
        gives: { same: 'server1 is held' },
      },
    ],
  },
];
