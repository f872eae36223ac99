/** Cases of the kind that says what a former primary alone holds: proven, told, or refused with the condition that failed. */
import type { KindCases } from '../cases.ts';

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
];
