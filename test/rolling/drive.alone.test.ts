/** The moves of a rolling update behind each other, on hosts that are directories; the other verbs are played. */
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { DiagnosticError } from '../../src/base/diagnostic.ts';
import { exitCode } from '../../src/base/exit-codes.ts';
import type { Intent } from '../../src/intent/intent.ts';
import { nextMove } from '../../src/rolling/next.ts';
import { emptyRow, rowText } from '../../src/rolling/row.ts';
import { drive, situationOf } from '../../src/verbs/rolling/drive.ts';
import { abort, ownOut } from '../../src/verbs/rolling/go-on.ts';
import { runWithin } from '../../src/verbs/rolling/sub-run.ts';
import { begun, done, type FakeHosts, fakeHosts } from './fakes.ts';
import { orderFor } from './samples.ts';

vi.mock('../../src/verbs/rolling/sub-run.ts', () => ({ runWithin: vi.fn() }));

const ran: Intent[] = [];
let hosts: FakeHosts;
let refuses: Intent['kind'] | undefined;
beforeEach(() => {
  ran.length = 0;
  refuses = undefined;
  vi.mocked(runWithin).mockImplementation(async (_world, _cluster, { intent }) => {
    ran.push(intent);
    if (intent.kind === refuses)
      throw new DiagnosticError(
        [{ code: 'HST011', what: 'it failed', why: 'of this', fix: 'Mend it.' }],
        exitCode.hostFailed,
      );
    if (intent.kind === 'switch') hosts.primary = intent.to ?? '';
    if (intent.kind === 'maintenance' && intent.goal === 'end') hosts.maintained.delete(intent.host);
    return { changed: [] } as never;
  });
});

const finish = (...names: readonly string[]): void => {
  for (const name of names)
    hosts.write(
      name,
      'row',
      rowText({ ...emptyRow('0badcafe'), ...done('out', 'pause', 'proof', 'back', 'check') }),
    );
};
const words = (problem: DiagnosticError | undefined): string =>
  (problem?.diagnostics ?? []).map(({ what, fix }) => `${what}: ${fix}`).join('\n');

describe('what is done', () => {
  it('is not done over and over where it cannot be written down', async () => {
    hosts = await fakeHosts(orderFor({ pause: true }));
    finish('server2', 'server3');
    hosts.refuse = (_server, script) => (script.includes('/row') ? 1 : 0);
    const ended = await drive(hosts.update, false);
    expect(ended.ended).toBe('failed');
    expect(words(ended.problem)).toContain('server1 cannot keep what is done');
    expect(ran.filter(({ kind }) => kind === 'switch')).toHaveLength(1);
  });

  it('is over only where a host has written that down', async () => {
    hosts = await fakeHosts(orderFor({ pause: true }));
    finish('server2', 'server3', 'server1');
    hosts.refuse = (_server, script) => (script.includes('/ended') ? 1 : 0);
    const ended = await drive(hosts.update, false);
    expect(ended.ended).toBe('failed');
    expect(words(ended.problem)).toContain('no host can keep that the update is over');
  });
});

describe('a host', () => {
  it('is worked on only by the order that stands on it', async () => {
    for (const text of ['', '{"format": 1, "work": {"command": "evil"}}']) {
      hosts = await fakeHosts(orderFor({ pause: true }));
      begun(hosts, 'server2', 'out', 'pause', 'proof');
      hosts.write('server2', 'order', text);
      const ended = await drive(hosts.update, true);
      expect(ended.ended).toBe('failed');
      expect(words(ended.problem)).toContain('server2 does not hold the order of this update');
      expect(ran).toEqual([]);
    }
  });

  it.each(['run', 'stop'] as const)(
    'that somebody else has in maintenance now is left alone: no %s',
    async (step) => {
      const work = step === 'run' ? { run: 'hash' } : { reboot: true };
      hosts = await fakeHosts(orderFor(work));
      begun(hosts, 'server2', 'out');
      hosts.maintained.set('server2', 'bob@desk');
      const ended = await drive({ ...hosts.update, run: 'my.yml' }, true);
      expect(ended.ended).toBe('failed');
      expect(words(ended.problem)).toContain('server2 is not in maintenance by this update');
      expect(ran).toEqual([]);
    },
  );

  it('that is another machine now gets no playbook', async () => {
    hosts = await fakeHosts(orderFor({ run: 'hash' }));
    begun(hosts, 'server2', 'out');
    const ended = await drive({ ...hosts.update, run: 'my.yml' }, true);
    expect(words(ended.problem)).toContain('the playbook was not run on server2');
    expect(ran).toEqual([]);
  });
});

describe('a server that was cut off on its way back', () => {
  it('goes on with that: it is not taken out a second time', async () => {
    const order = orderFor({ reboot: true });
    hosts = await fakeHosts(order);
    begun(hosts, 'server2', 'out', 'stop', 'reboot', 'proof');
    hosts.maintained.clear();
    const seen = await hosts.update.fleet.look();
    const next = (by?: string) => {
      const view = {
        ...seen.view,
        hosts: new Map([['server2', by === undefined ? {} : { stopped: { at: '', by } }]]),
      } as unknown as typeof seen.view;
      return nextMove(situationOf(order, { ...seen, view }, hosts.update.cluster));
    };
    expect(next('rolling-update 0badcafe')).toEqual({ kind: 'work', server: 'server2', step: 'back' });
    // Its controller starts it already.
    expect(next()).toEqual({ kind: 'work', server: 'server2', step: 'back' });
    expect(next('alice@desk')).toEqual({ kind: 'work', server: 'server2', step: 'out' });
  });
});

describe('a pause', () => {
  it('counts as done only where a person was told of it', async () => {
    hosts = await fakeHosts(orderFor({ pause: true }));
    begun(hosts, 'server2', 'out');
    expect((await drive(hosts.update, true)).ended).toBe('paused');
    expect(hosts.file('server2', 'row')).not.toContain('"pause"');
    hosts.losesData();
    await drive(hosts.update, true);
    expect(hosts.file('server2', 'row')).toContain('"pause"');
  });
});

describe('an interruption', () => {
  it('is told as one, whatever the closed connection made of the step', async () => {
    hosts = await fakeHosts(orderFor({ pause: true }));
    begun(hosts, 'server2', 'out', 'pause', 'proof');
    vi.mocked(runWithin).mockImplementation(async () => {
      hosts.abort.abort();
      throw new DiagnosticError(
        [{ code: 'CON007', what: 'the connection broke', why: 'closed', fix: 'Again.' }],
        exitCode.unreachable,
      );
    });
    const ended = await drive(hosts.update, false);
    expect(ended.problem?.exitCode).toBe(exitCode.interrupted);
    expect(words(ended.problem)).toContain(
      'the rolling update was interrupted: pgduet rolling-update --continue',
    );
  });
});

describe('the switch back', () => {
  it('that is refused ends the update all the same, and says why', async () => {
    hosts = await fakeHosts(orderFor({ pause: true }));
    finish('server2', 'server3', 'server1');
    hosts.primary = 'server2';
    refuses = 'switch';
    const ended = await drive(hosts.update, false);
    expect(ended.ended).toBe('done');
    expect(words(ended.problem)).toContain('server1 is not primary again');
    expect(ended.problem?.diagnostics[0]?.evidence).toEqual(['it failed: of this']);
    expect(ended.problem?.exitCode).toBe(exitCode.hostFailed);
    expect(hosts.file('server3', 'ended')).toBe('0badcafe done');
  });
});

describe('an end', () => {
  it('brings back what the update has taken out, and nothing that a person has in maintenance', async () => {
    hosts = await fakeHosts(orderFor({ pause: true }));
    begun(hosts, 'server2', 'out');
    begun(hosts, 'server3', 'out');
    hosts.maintained.set('server2', 'alice@desk');
    const seen = await hosts.update.fleet.look();
    expect(ownOut(hosts.update.order, seen)).toEqual(['server3']);
  });

  it('brings back, too, what was cut off on its way back, and is still stopped by the update', async () => {
    hosts = await fakeHosts(orderFor({ reboot: true }));
    const { view } = await hosts.update.fleet.look();
    const stopped = (by: string) => ({ stopped: { since: '', by } });
    const looks = new Map([
      ['server2', stopped('rolling-update 0badcafe')],
      ['server3', stopped('alice@desk')],
    ]);
    const own = (maintained?: (typeof view)['maintained']) =>
      ownOut(hosts.update.order, { view: { ...view, hosts: looks, ...(maintained ? { maintained } : {}) } });
    expect(own()).toEqual(['server2']);
    const entry = { number: 1, by: 'alice@desk', since: '', until: null, reason: '' };
    expect(own(new Map([['server2', entry]]))).toEqual([]);
  });

  it('starts no instance beside work that goes on by itself', async () => {
    hosts = await fakeHosts(orderFor({ command: 'true' }));
    begun(hosts, 'server2', 'out');
    for (const state of ['active', 'deactivating']) {
      hosts.units(state);
      await expect(abort(hosts.update, await hosts.update.fleet.look())).rejects.toThrow('still runs there');
      expect(ran).toEqual([]);
      expect(hosts.file('server2', 'ended')).toBe('');
    }
    hosts.units('inactive');
    await abort(hosts.update, await hosts.update.fleet.look());
    expect(ran).toEqual([expect.objectContaining({ kind: 'maintenance', goal: 'end', host: 'server2' })]);
    expect(hosts.file('server2', 'ended')).toBe('0badcafe aborted');
  });
});

describe('an end of a host that is not fit', () => {
  it('leaves it out by the name of the person, and starts nothing there', async () => {
    hosts = await fakeHosts(orderFor({ reboot: true }));
    begun(hosts, 'server2', 'out', 'stop');
    hosts.losesData();
    await abort(hosts.update, await hosts.update.fleet.look());
    expect(ran).toEqual([
      expect.objectContaining({
        kind: 'maintenance',
        goal: 'begin',
        by: 'alice@desk',
        replace: true,
        host: 'server2',
      }),
    ]);
    expect(hosts.said.join('\n')).toContain('the data directory is not there');
    expect(hosts.file('server2', 'ended')).toBe('0badcafe aborted');
  });
});

describe('a command', () => {
  const machineId = readFileSync('/etc/machine-id', 'utf8').trim();
  const ordered = (command: string, validate?: string) => {
    const order = orderFor({ command, ...(validate ? { validate } : {}) });
    return { ...order, servers: order.servers.map(({ name }) => ({ name, machineId })) };
  };
  const times = () => hosts.file('server2', 'times').length;
  const failing = async () => {
    hosts = await fakeHosts(ordered('printf x >> /var/lib/pgduet/shop.server2/times; exit 3'));
    begun(hosts, 'server2', 'out');
  };

  it('that failed while nobody was there is told before it is run once more', async () => {
    await failing();
    hosts.write('server2', 'command.begun', '');
    hosts.write('server2', 'command.rc', '3\n');
    const first = await drive(hosts.update, true);
    expect(words(first.problem)).toContain('the command of server2 ended with status 3');
    expect(times()).toBe(0);
    await drive(hosts.update, true);
    expect(times()).toBe(1);
    await drive(hosts.update, true);
    expect(times()).toBe(2);
  });

  it('that failed counts as done where a person says so, and is not run', async () => {
    await failing();
    hosts.losesData();
    await drive(hosts.update, true);
    const ended = await drive({ ...hosts.update, unsure: 'done' }, true);
    expect(times()).toBe(1);
    expect(words(ended.problem)).toContain('server2 is not fit to come back');
    expect(hosts.file('server2', 'row')).toContain('done by hand');
  });
});
