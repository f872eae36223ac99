/** Before a server is taken out: whom the primary hears counts at that moment. The primary and the other verbs are played. */
import { beforeEach, expect, it, vi } from 'vitest';
import { DiagnosticError } from '../../src/base/diagnostic.ts';
import type { DataDirectory } from '../../src/resources/data/data-directory.ts';
import type { PrimarySeen } from '../../src/rolling/preparation.ts';
import type { FleetSeen } from '../../src/verbs/rolling/fleet.ts';
import { askPrimary, takeOut } from '../../src/verbs/rolling/maintain.ts';
import { makeMove } from '../../src/verbs/rolling/moves.ts';
import { fakeHosts } from './fakes.ts';
import { orderFor } from './samples.ts';

vi.mock('../../src/verbs/rolling/maintain.ts', () => ({ askPrimary: vi.fn(), takeOut: vi.fn() }));
vi.mock('../../src/verbs/pause.ts', () => ({ pause: async () => undefined }));

const all = ['server2', 'server3'];
const primarySeen = (streaming: readonly string[]): PrimarySeen => ({
  inSync: streaming,
  lag: Object.fromEntries(streaming.map((name) => [name, 0])),
  oldestTransaction: null,
  walPerSecond: null,
  walKept: 0,
  slotLimit: -1,
  slots: {},
});
/** What the primary says, one look after the other; the last one for ever. */
const looks = (...each: readonly (readonly string[])[]): void => {
  let at = 0;
  vi.mocked(askPrimary).mockImplementation(async () =>
    primarySeen(each[Math.min(at++, each.length - 1)] ?? []),
  );
};
const out = async (name: string, more: Partial<FleetSeen['view']> = {}): Promise<string> => {
  const hosts = await fakeHosts(orderFor({ pause: true }));
  const seen = await hosts.update.fleet.look();
  const row = { id: '0badcafe', done: [] };
  let clock = 0;
  const update = { ...hosts.update, ports: { ...hosts.update.ports, now: () => (clock += 1000) } };
  const move = { kind: 'work', server: name, step: 'out' } as const;
  try {
    await makeMove(update, move, { ...seen, view: { ...seen.view, ...more } }, row);
    return 'out';
  } catch (error) {
    if (!(error instanceof DiagnosticError)) throw error;
    return error.diagnostics.map(({ what, fix }) => `${what}; ${fix}`).join('\n');
  }
};
beforeEach(() => {
  vi.mocked(takeOut).mockReset();
  vi.mocked(askPrimary).mockReset();
});
const times = () => vi.mocked(askPrimary).mock.calls.length;

it('a server that follows goes out', async () => {
  looks(all);
  expect(await out('server2')).toBe('out');
  expect(takeOut).toHaveBeenCalledTimes(1);
});

it('a moment without a connection is no reason to stop, and a lasting one is', async () => {
  looks(['server3'], ['server2'], all);
  expect(await out('server2')).toBe('out');
  expect(times()).toBe(3);
  looks(['server3']);
  expect(await out('server2')).toContain('server2 is not taken out: it does not follow server1');
  looks(['server2']);
  expect(await out('server2')).toContain('server2 is not taken out: server3 is not in sync');
  expect(takeOut).toHaveBeenCalledTimes(1);
});

it('where its data were mounted before the work counts, also when it goes out once more', async () => {
  looks(all);
  const hosts = await fakeHosts(orderFor({ pause: true }));
  const move = { kind: 'work', server: 'server2', step: 'out' } as const;
  const seen = await hosts.update.fleet.look();
  const first = seen.hosts.get('server2');
  if (!first) throw new Error('no host');
  const now = { ...seen, hosts: new Map([['server2', { ...first, mounts: 'b /' }]]) };
  const row = { id: '0badcafe', done: [] };
  expect((await makeMove(hosts.update, move, now, row)).kept).toEqual({ mounts: 'b /' });
  const worked = { ...row, mounts: 'a /data' };
  expect((await makeMove(hosts.update, move, now, worked)).kept).toEqual({ mounts: 'a /data' });
});

it('a former primary is for a person at once: it is rebuilt first', async () => {
  looks(['server3']);
  const leads = { content: 'cluster', standbySignal: false, recorded: '7000' } as unknown as DataDirectory;
  const told = await out('server2', { hosts: new Map([['server2', { data: leads }]]) });
  expect(told).toContain('server2 is not taken out: it does not follow server1');
  expect(told).toContain('pgduet rebuild server2, and pgduet rolling-update --continue');
  expect(times()).toBe(1);
  expect(takeOut).not.toHaveBeenCalled();
});

it('what the update itself has out, or has stopped, need not follow', async () => {
  looks(['server3']);
  const by = 'rolling-update 0badcafe';
  const entry = { number: 1, by, since: '', until: null, reason: '' };
  expect(await out('server2', { maintained: new Map([['server2', entry]]) })).toBe('out');
  expect(await out('server2', { hosts: new Map([['server2', { stopped: { since: '', by } }]]) })).toBe('out');
  expect(
    await out('server2', { hosts: new Map([['server2', { stopped: { since: '', by: 'alice' } }]]) }),
  ).toContain('does not follow');
});
