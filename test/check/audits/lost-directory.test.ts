/** A management directory that is lost: who vouches for the data, and who brings it back. */
import { describe, expect, it } from 'vitest';
import { lostDirectory } from '../../../src/check/audits/lost-directory.ts';
import { findingOf } from '../../../src/check/finding.ts';
import { type HostView, vouchedFor } from '../../../src/observe/survey.ts';
import type { DataDirectory } from '../../../src/resources/data/data-directory.ts';
import { contextOf, pair, reply } from './context.ts';

const control = {
  ...{
    systemIdentifier: '77',
    state: 'in production',
    timeline: 1,
    checkpoint: '0/3000060',
    checksums: true,
  },
  reached: { position: '0/3000060', timeline: 1 },
};
const server = (more: Partial<DataDirectory>, streams: HostView['streams']): HostView => ({
  data: {
    ...{ content: 'cluster', files: [], standbySignal: false, running: true, tablespaces: [] },
    ...{ control, ...more },
  },
  ...(streams ? { streams } : {}),
});
const port = pair.servers[0]?.postgres.port ?? 0;
const primary = server(
  { recorded: '77' },
  { receiver: null, senders: [{ name: 'server2', state: 'streaming', address: null }] },
);
const standby = (more: Partial<DataDirectory>) =>
  server(
    { standbySignal: true, ...more },
    { receiver: { host: '192.0.2.100', port, status: 'streaming' }, senders: [] },
  );

const told = (two: HostView) => {
  const seen = vouchedFor(
    pair,
    new Map([
      ['server1', primary],
      ['server2', two],
    ]),
  );
  const context = contextOf({});
  return lostDirectory
    .judge({ ...context, view: { ...context.view, ...seen } }, new Map())
    .map((one) => findingOf(one, 'pgduet provision -i inventory.yml'));
};

describe('a management directory', () => {
  it('that is lost is brought back by a provisioning where another server vouches for it', () => {
    expect(told(standby({ directoryLost: true }))).toMatchObject([
      {
        code: 'CTL016',
        severity: 'danger',
        host: 'server2',
        object: 'server2',
        declared: '/mcdir/inst1',
        found: 'nothing that says whose data it has; server1 vouches for it',
        repairedBy: 'provision',
        repair: 'pgduet provision -i inventory.yml',
      },
    ]);
  });

  it('that nobody vouches for is up to a person, with the way on', () => {
    const [one] = told(standby({ directoryLost: true, running: false }));
    expect(one).toMatchObject({
      code: 'CTL016',
      found: 'nothing that says whose data it has; nobody vouches for it',
      repairedBy: 'person',
      repair: expect.stringContaining('mv -T /database/inst1 /database/inst1.lost'),
    });
    expect(one?.commands.map(({ run }) => run)).toEqual([
      'systemctl stop mcoi_inst1',
      '[ ! -e /database/inst1.lost ] && mv -T /database/inst1 /database/inst1.lost',
      'pgduet provision',
    ]);
  });

  it('that may not be mounted is to be mounted', () => {
    expect(told(standby({ directoryAway: 'nothing is mounted on /mcdir' }))).toMatchObject([
      { code: 'CTL016', found: 'nothing is mounted on /mcdir', repairedBy: 'person' },
    ]);
  });

  it('that is there is nothing to tell', () => {
    expect(told(standby({ recorded: '77' }))).toEqual([]);
  });

  it('cannot be judged where the data directory is not seen', () => {
    const host = pair.servers[0] as never;
    expect(lostDirectory.read(reply(undefined, { stdout: 'content absent\n' }), host).state).toBe('present');
    expect(lostDirectory.read(reply(undefined, { status: 1 }), host).state).toBe('unknown');
  });
});
