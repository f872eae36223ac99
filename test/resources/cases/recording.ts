/** Cases of the kind that keeps what a server was before pgduet in two places. */
import type { KindCases } from '../cases.ts';
import { b64 } from '../single.ts';

const recordText = (starter: unknown, system = '7300000000000000001'): string =>
  JSON.stringify({
    schema: 1,
    at: 1,
    systemIdentifier: system,
    version: 15,
    starter,
    configFile: '/database/inst1/postgresql.conf',
    hbaFile: '/database/inst1/pg_hba.conf',
    identFile: '/database/inst1/pg_ident.conf',
    files: [],
    settings: [],
    made: [],
    roles: [],
  });
const byHand = recordText({ kind: 'hand', options: '' });
const unit = 'postgresql@15-main.service';
const byUnit = recordText({ kind: 'unit', unit, enabled: 'enabled' });
const path = '/database/inst1/pgduet.before.server1.0123456789ab.json';
const data = [
  'recorded 7300000000000000001',
  'content cluster',
  'version 15',
  'Database system identifier:           7300000000000000001',
  'Database cluster state:               in production',
  'Latest checkpoint location:           0/2000060',
  "Latest checkpoint's REDO location:    0/2000028",
  "Latest checkpoint's TimeLineID:       1",
  "Latest checkpoint's NextOID:          16384",
];
const lost = ['directory lost', ...data.filter((line) => !line.startsWith('recorded'))];
const told = (...lines: readonly string[]) => ({ stdout: `place ${path}\n${lines.join('\n')}\nlooked\n` });
const record = (text: string): string => `record ${b64(text)}`;
const second = (text: string): string => `second${record(text)}`;
const dropIn = `dropin /etc/systemd/system/${unit}.d/pgduet.conf`;

export const recording: readonly KindCases[] = [
  {
    kind: 'second_record',
    desired: '{ unit: mcoi_inst1 }',
    key: 'server1',
    describes: 'what server1 was before',
    errors: [{ desired: '{ units: x }', what: "'units'", at: '1:3' }],
    cases: [
      {
        title: 'pgduet has made it',
        reply: { stdout: 'none\nlooked\n' },
        gives: { same: 'server1 has no record of what it was before pgduet' },
      },
      { title: 'both say the same', reply: { stdout: 'equal\nlooked\n' }, gives: { same: 'twice' } },
      {
        title: 'the machine has no number',
        reply: { stdout: 'nameless\nlooked\n' },
        gives: { same: '/etc/machine-id' },
      },
      {
        title: 'an earlier release has migrated it',
        reply: told(record(byHand), ...data),
        gives: {
          change: 'write what server1 was before pgduet into /database/inst1, too',
          reason: 'it is not there',
          script: ['put "$second" 0600', 'before.json'],
          differences: [`CTL018 ${path}: as /mcdir/inst1/server1.before.json → missing`],
        },
      },
      {
        title: 'the second one says something else',
        reply: told(record(byHand), second(byUnit), ...data),
        gives: {
          change: 'write what server1 was before pgduet into /database/inst1, too',
          reason: 'another text is there',
          differences: [`CTL018 ${path}: as /mcdir/inst1/server1.before.json → another text`],
        },
      },
      {
        title: 'the second one cannot be read',
        reply: told(record(byHand), 'secondunread it is no plain file', ...data),
        gives: { change: 'write what server1 was', reason: 'another text is there' },
      },
      {
        title: 'the record cannot be read, and the second one is whole: nobody knows which one is meant',
        reply: told(record('{'), second(byHand), ...data),
        gives: {
          same: 'cannot be read',
          differences: [
            'CTL019 /mcdir/inst1/server1.before.json: what it was before pgduet → it cannot be read: it is no JSON object',
          ],
        },
        tells: [{ code: 'CTL019', repair: expectText(`copy that over it as postgres`) }],
      },
      {
        title: 'the record is lost',
        reply: told(second(byHand), ...data),
        gives: {
          change: `write /mcdir/inst1/server1.before.json again, from ${path}`,
          reason: 'it is lost',
          script: ['/mcdir/inst1/server1.before.json', '/mcdir/inst1/server1.system'],
          scriptLacks: ['nothing is done to it'],
          differences: ['CTL019 /mcdir/inst1/server1.before.json: what server1 was before pgduet → missing'],
        },
      },
      {
        title: 'it is lost with its directory, and root has written down the unit that it names',
        reply: told(second(byUnit), dropIn, ...lost),
        gives: {
          change: 'write /mcdir/inst1/server1.before.json again',
          reason: 'it is lost',
          script: ['nothing is done to it'],
        },
      },
      {
        title: 'nothing of root confirms the unit that it names',
        reply: told(second(byUnit), ...lost),
        gives: { refuse: 'SAF085', what: `the record '${path}' says that ${unit} started 'server1'` },
      },
      {
        title: 'the second one is about another cluster',
        reply: told(second(recordText({ kind: 'hand', options: '' }, '1')), ...data),
        gives: { refuse: 'SAF085', what: 'is about another cluster than the data beside it' },
      },
      {
        title: 'the second one is no record',
        reply: told(second('{"schema":1}'), ...data),
        gives: { refuse: 'SAF085', what: "its field 'at'" },
      },
      {
        title: 'the record is lost, and only other servers or machines have left one there',
        reply: told(...data),
        gives: { same: 'has no record of what it was before pgduet' },
      },
      {
        title: 'the data is nobody’s of ours: a teardown has left it',
        reply: told(second(byHand), ...data.slice(1)),
        gives: { same: 'has no record of what it was before pgduet' },
      },
      {
        title: 'what is recorded is not what stands there',
        reply: told(second(byHand), 'recorded 1', ...data.slice(1)),
        gives: { same: 'has no record of what it was before pgduet' },
      },
      {
        title: 'the host does not say',
        reply: { status: 1, stderr: 'closed /mcdir' },
        gives: { unknown: 'closed' },
      },
      {
        title: 'its data directory could not be looked at',
        reply: told(second(byHand)),
        gives: { unknown: 'the data directory could not be looked at' },
      },
    ],
  },
];

function expectText(text: string): string {
  return `look at it; where it is broken, and ${path} is whole, ${text}`;
}
