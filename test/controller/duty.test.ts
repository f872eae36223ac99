/** What a server may do: who is called eligible, for whom commits wait, who takes over, and what a person is told. */
import { describe, expect, it } from 'vitest';
import type { serverConf } from '../../src/controller/config.ts';
import { wantedRegister } from '../../src/controller/core/naming.ts';
import type { Duty, InstanceReport, ServerView, SyncSet } from '../../src/controller/core/view.ts';
import {
  answer,
  boot,
  Conversation,
  heard,
  inSyncOfThree,
  report,
  sender,
  view,
} from './support/conversation.ts';

const free: Duty = { takeover: 'allowed', priority: 100, replication: 'synchronous' };
const never: Duty = { ...free, takeover: 'never' };
const copy: Duty = { ...free, replication: 'asynchronous' };
const preferred: Duty = { ...free, priority: 200 };

const streaming = (names: readonly string[], needed = 1): Partial<InstanceReport> => ({
  senders: ['server2', 'server3'].map((id) => sender(id, 'streaming', names.includes(id) ? 'sync' : 'async')),
  synchronousStandbyNames: names.length > 1 ? `FIRST ${needed} (${names.join(', ')})` : names.join(),
});

const promiseOf = (ids: readonly string[]): SyncSet => ({
  ...inSyncOfThree,
  eligible: ids,
  voters: ids,
  needed: Math.min(1, ids.length),
});

/** server1 is primary; server3 has this duty, and both know the promise that is in force. */
class Trio extends Conversation {
  duties: Readonly<Record<string, Duty>>;
  needed = 1;

  constructor(duty: Duty, sync: SyncSet = inSyncOfThree, ids?: readonly string[]) {
    super('server1', 3);
    this.duties = { server2: free, server3: duty };
    this.after(0, '', boot({ running: true }));
    this.after(10, '', answer(report('primary', streaming(sync.voters))));
    this.state = { ...this.state, sync, change: null, proving: null };
    this.round(ids);
  }

  /** Everybody is heard, and the names that were to be set are set. */
  round(ids: readonly string[] = ['server2', 'server3']): this {
    for (const id of ids) {
      const own = report('standby', { lsn: this.state.own.report?.lsn ?? '0/3000060' });
      this.after(
        10,
        '',
        heard(view(id, 'standby', { sync: this.state.sync, duty: this.duties[id], report: own })),
      );
    }
    const { change, proving } = this.state;
    if (change?.stage === 'setting') {
      this.after(5, '', { kind: 'names-set', ids: change.to, needed: Math.min(1, change.to.length) });
      this.after(5, '', answer(report('primary', streaming(change.to))));
    }
    if (proving?.stage === 'checkpoint') {
      this.after(5, '', { kind: 'checkpointed', purpose: 'proof', why: null });
      this.after(5, '', answer(report('primary', streaming(this.state.sync?.voters ?? [], this.needed))));
    }
    return this;
  }

  settle(ids?: readonly string[]): this {
    for (let turn = 0; turn < 8; turn += 1) this.round(ids).silence(800);
    return this;
  }
}

describe('a primary', () => {
  it('calls nobody eligible who takes nothing over, and waits for it only where nobody else is there', () => {
    const it1 = new Trio(never).settle();
    expect(it1.state.sync).toMatchObject({ voters: ['server2'], eligible: ['server2'] });
    expect(it1.text()).toContain('server3 is being taken out: server3 never takes over by itself');
    expect(it1.state.mirroring.status).toBe('switchable');
    const alone = new Trio(never, promiseOf([]), ['server3']).settle(['server3']);
    expect(alone.state.sync).toMatchObject({ voters: ['server3'], eligible: [] });
    expect(alone.state.mirroring.reason).toContain('server3 never takes over by itself');
    // The other one is back: it is waited for, proven, and the first one leaves.
    expect(alone.settle().state.sync).toMatchObject({ voters: ['server2'], eligible: ['server2'] });
  });

  it('takes an asynchronous copy out of the names, and back when it is none any more', () => {
    const it1 = new Trio(copy);
    // It may have been called eligible: it is told first.
    expect(it1.state.sync?.eligible).not.toContain('server3');
    expect(Object.keys(it1.state.withdrawn)).toContain('server3');
    expect(it1.state.change?.stage).toBe('reporting');
    expect(it1.settle().state.sync).toMatchObject({ voters: ['server2'], eligible: ['server2'] });
    it1.duties = { server2: free, server3: free };
    expect(it1.settle().state.sync).toMatchObject({
      voters: ['server2', 'server3'],
      eligible: ['server2', 'server3'],
    });
  });

  it('is alone rather than waiting for a copy', () => {
    expect(new Trio(copy, promiseOf([]), ['server3']).settle(['server3']).state.sync?.voters).toEqual([]);
  });

  it('leaves one that is silent and cannot believe anything, whatever the policy is', () => {
    const it1 = new Trio(never, { ...promiseOf(['server2', 'server3']), eligible: ['server2'] });
    it1.state = { ...it1.state, conf: { ...it1.state.conf, heartbeatErrorAction: 'message' }, change: null };
    expect(it1.settle(['server2']).state.sync?.voters).toEqual(['server2']);
  });

  it('is not held up by two receivers of a copy, one of which is dead', () => {
    const rows = [
      sender('server2'),
      sender('server3', 'streaming', 'async'),
      sender('server3', 'streaming', 'async'),
    ];
    const names = { senders: rows, synchronousStandbyNames: 'server2' };
    const told = (duty: Duty) => {
      const it1 = new Trio(duty, promiseOf(['server2']));
      return it1.after(10, '', answer(report('primary', names))).state.strangers;
    };
    expect(told(copy)).toEqual([]);
    expect(told(free)).toEqual([{ kind: 'rows', name: 'server3' }]);
  });

  it('wants a register of three that vote, and none of two and a copy', () => {
    const cells = (id: string) => ({ id: `cell of ${id}`, term: 0, holder: null, attempt: 0 });
    const wanted = (duty: Duty) => {
      const it1 = new Conversation('server1', 3, { heartbeatErrorAction: 'arbitration' });
      it1.after(0, '', boot({ running: true })).after(10, '', answer(report('primary')));
      for (const id of ['server2', 'server3'])
        it1.after(
          5,
          '',
          heard(view(id, 'standby', { duty: id === 'server3' ? duty : free, cell: cells(id) })),
        );
      return wantedRegister(it1.state)?.map(({ at }) => at);
    };
    expect(wanted(never)).toEqual(['server1', 'server2', 'server3']);
    expect(wanted(copy)).toEqual([]);
  });

  it('hands over to the preferred one, and never by itself to one that takes nothing over', () => {
    const gone = { kind: 'instance-check', outcome: { kind: 'gone' } } as const;
    expect(new Trio(preferred).after(10, '', gone).state.giving?.handover.to).toBe('server3');
    expect(new Trio({ ...free, priority: 50 }).after(10, '', gone).state.giving?.handover.to).toBe('server2');
    // It is still called eligible; its own word counts.
    const stale = new Trio(free);
    stale.after(5, '', heard(view('server2', 'standby', { phase: 'down', duty: free })));
    const peer = stale.state.peers.server3;
    if (!peer?.view) throw new Error('server3 was not heard');
    const peers = { ...stale.state.peers, server3: { ...peer, view: { ...peer.view, duty: never } } };
    stale.state = { ...stale.state, peers };
    expect(stale.after(10, '', gone).state.giving).toBeNull();
  });
});

describe('a handover of a failover that the preferred one declines', () => {
  const given = () => {
    const it1 = new Trio(preferred).settle();
    it1.after(10, '', { kind: 'instance-check', outcome: { kind: 'gone' } });
    it1.after(10, '', { kind: 'instance-stopped', proof: null });
    const id = it1.state.giving?.handover.id ?? 0;
    const yielding = { to: 'server3', lsn: '0/3000100' };
    const { sync } = it1.state;
    it1.after(10, '', heard(view('server2', 'standby', { sync, duty: free, yield: yielding })));
    return {
      it1,
      declining: view('server3', 'standby', {
        sync,
        duty: preferred,
        declined: { id, why: 'server2 is ahead' },
      }),
    };
  };

  it('is offered to the one that is ahead, which has its word for the other one still', () => {
    const { it1, declining } = given();
    expect(it1.state.giving).toMatchObject({ stage: 'given', handover: { to: 'server3' } });
    expect(it1.after(1, '', heard(declining)).state.giving).toMatchObject({
      stage: 'given',
      handover: { to: 'server2' },
    });
  });
});

describe('mc_ctl switch', () => {
  const ask = (duty: Duty, more: { readonly to?: string; readonly force?: boolean }) => {
    const { force = false, ...to } = more;
    return new Trio(duty)
      .settle()
      .after(10, '', { kind: 'control', id: 7, request: { kind: 'switch', force, noFencing: false, ...to } });
  };

  it.each([never, copy])('refuses who takes nothing over, with words, unless a person insists', (duty) => {
    const refused = ask(duty, { to: 'server3' });
    expect(refused.state.preparing).toBeNull();
    expect(refused.text()).toContain('mc_ctl switch --to server3 --force');
    expect(ask(duty, { to: 'server3', force: true }).text()).toContain('switching to server3');
  });

  it('goes to the preferred one when nobody is named, and by force not to one that takes nothing over', () => {
    expect(ask(preferred, {}).state.preparing?.to).toBe('server3');
    expect(ask({ ...free, priority: 99 }, {}).state.preparing?.to).toBe('server2');
    expect(ask({ ...never, priority: 200 }, { force: true }).text()).toContain('switching to server2');
  });
});

describe('mc_ctl switch to one for which no commit waits', () => {
  const begun = () =>
    new Trio(copy)
      .settle()
      .after(10, '', {
        kind: 'control',
        id: 7,
        request: { kind: 'switch', force: true, noFencing: false, to: 'server3', maxWaitMs: 3000 },
      })
      .after(10, '', { kind: 'checkpointed', purpose: 'switch', why: null });

  it('begins when everybody who could take over beside it has confirmed that it does not', () => {
    const it1 = begun();
    expect(it1.state).toMatchObject({ giving: null, sync: { eligible: [], voters: ['server2'] } });
    expect(it1.round(['server3']).state.giving).toBeNull();
    expect(it1.round(['server2']).state.giving?.handover.to).toBe('server3');
    expect(it1.state.sync?.eligible).toEqual([]);
  });

  it('is the same where each of two standbys confirms every commit, so that each could take over alone', () => {
    const it1 = new Trio(free);
    it1.needed = 2;
    const both = answer(report('primary', streaming(['server2', 'server3'], 2)));
    const request = { kind: 'switch', force: false, noFencing: false, to: 'server3' } as const;
    it1.after(10, '', both).settle().after(10, '', { kind: 'control', id: 7, request });
    expect(it1.state).toMatchObject({ giving: null, sync: { needed: 2, eligible: ['server3'] } });
    it1.after(10, '', { kind: 'checkpointed', purpose: 'switch', why: null }).after(10, '', both);
    expect(it1.round(['server3']).state.giving).toBeNull();
    expect(it1.round(['server2']).state.giving?.handover.to).toBe('server3');
  });

  it('is given up while one of them is not heard, and then everything is as before', () => {
    const it1 = begun().silence(4000);
    expect(it1.state).toMatchObject({ giving: null, preparing: null });
    expect(it1.text()).toContain('server2 could take over beside server3');
    expect(it1.settle().state.sync?.eligible).toEqual(['server2']);
  });
});

describe('how many standbys confirm a commit, when somebody changes that by hand', () => {
  const both = ['server2', 'server3'];
  const named = (needed: number, names: string) =>
    new Trio(free, { ...inSyncOfThree, needed }).after(
      10,
      '',
      answer(report('primary', { ...streaming(both), synchronousStandbyNames: names })),
    ).state.sync;

  it('is promised as it is in force, and who is eligible is proven anew where it becomes more', () => {
    expect(named(1, 'FIRST 2 (server2, server3)')).toMatchObject({ voters: both, needed: 2, eligible: [] });
    // One of them may confirm now what the other one lacks, so that nobody takes over without both.
    const fewer = { voters: both, needed: 1, eligible: both };
    expect(named(2, 'FIRST 1 (server2, server3)')).toMatchObject(fewer);
  });
});

/** server3 follows server1 and has heard its promise; server2 is the other standby. */
function standby(own: Partial<ReturnType<typeof serverConf>>, lsn = '0/3000060'): Conversation {
  return new Conversation('server3', 3, own)
    .after(0, '', boot({ standby: true, running: true }))
    .after(10, '', answer(report('standby', { lsn })))
    .after(10, '', heard(view('server1', 'primary', { sync: inSyncOfThree })));
}

const cutOff = (lsn = '0/3000060') => answer(report('standby', { receiver: null, lsn }));
const other = (change: Partial<ServerView> = {}, lsn = '0/3000060') =>
  heard(
    view('server2', 'standby', {
      sync: inSyncOfThree,
      duty: free,
      report: report('standby', { receiver: null, lsn }),
      ...change,
    }),
  );

/** server1 falls silent, and the other standby goes on to tell this. */
function silence(it1: Conversation, told: () => ReturnType<typeof other>, lsn?: string): Conversation {
  it1.after(10, '', cutOff(lsn));
  for (let turn = 0; turn < 9; turn += 1) it1.silence(800).after(1, '', told());
  return it1;
}

describe('a standby', () => {
  it.each([
    ['never', { takeover: 'never' } as const],
    ['asynchronous', { replication: 'asynchronous' } as const],
  ])('takes nothing over on a silence where its own file says %s', (_, own) => {
    expect(silence(standby(own), other).state.takeover).toBeNull();
    expect(silence(standby({ takeoverPriority: 200 }), other).state.takeover?.kind).toBe('silence');
  });

  it('declines the handover of a failover, and takes that of a switch which a person has ordered', () => {
    const giver = (kind: 'failover' | 'switch') =>
      heard(
        view('server1', 'primary', {
          phase: 'stopped',
          sync: inSyncOfThree,
          handover: { id: 7, kind, to: 'server3', checkpoint: kind === 'switch' ? '0/3000028' : null },
        }),
      );
    const told = (kind: 'failover' | 'switch') =>
      standby({ takeover: 'never' }).after(10, '', giver(kind)).state;
    expect(told('failover')).toMatchObject({ takeover: null, declined: { id: 7 } });
    expect(told('failover').declined?.why).toContain('never takes over by itself');
    expect(told('switch').takeover?.kind).toBe('handover');
  });

  it('leaves it to one with a higher priority and the same data, not to one with less', () => {
    const better = () => other({ duty: preferred });
    expect(silence(standby({}), better).state.takeover).toBeNull();
    expect(silence(standby({}, '0/3000100'), better, '0/3000100').state.takeover?.kind).toBe('silence');
    // By its place in network.conf server2 would come first.
    expect(silence(standby({ takeoverPriority: 101 }), other).state.takeover?.kind).toBe('silence');
  });

  it('does not wait for one that takes nothing over, although it is still called eligible and comes first', () => {
    const first = () => other({ duty: never });
    expect(silence(standby({}), first).state.takeover?.kind).toBe('silence');
  });

  it.each([
    ['server2 is no voter', promiseOf(['server3']), 'promote'],
    ['server2 is one', inSyncOfThree, undefined],
  ])('of two takeovers only voters count for the question who is ahead: %s', (_, sync, stage) => {
    const it1 = standby({ takeoverPriority: 200 });
    it1.state = { ...it1.state, sync };
    silence(it1, () => other({ sync }));
    expect(it1.state.takeover?.stage).toBe('cut');
    it1.after(5, '', { kind: 'receiver-cut', lsn: '0/3000060' });
    it1.after(5, '', other({ sync, yield: { to: 'server3', lsn: '0/3000100' } }, '0/3000100'));
    expect(it1.state.takeover?.stage).toBe(stage);
  });
});

describe('what a person is told', () => {
  it('shows the duty below the table, and names the command', () => {
    const text = new Trio(copy).settle().status().text();
    expect(text).toContain('duty: server3 is an asynchronous copy');
    expect(new Trio(preferred).status().text()).toContain('duty: server3 takes over with priority 200');
    const forced = silence(standby({ takeover: 'never' }), other).status();
    expect(forced.state.mirroring.advice).toContain('on server2: mc_ctl switch --force');
    const alone = standby({ takeover: 'never' }).after(10, '', cutOff()).silence(9000);
    expect(alone.state.mirroring.advice).toMatch(/on server3: mc_ctl switch --force.*which may lose/);
    expect(alone.state.mirroring.reason).toContain('server3 never takes over by itself');
  });
});

describe('a voter that takes nothing over and holds more', () => {
  const ahead = (duty: Duty) => () => other({ duty, sync: inSyncOfThree }, '0/3000100');

  it('is left to a person, who is told of it: the other one begins nothing', () => {
    const stays = silence(standby({}), ahead(never)).state;
    expect(stays.takeover).toBeNull();
    expect(stays.mirroring.advice).toContain('on server2: mc_ctl switch --force');
    expect(stays.mirroring.advice).toContain('which may lose what was acknowledged without server2');
  });

  it('is no obstacle where its word acknowledges nothing', () => {
    const it1 = standby({});
    it1.state = { ...it1.state, sync: promiseOf(['server3']) };
    const told = () => other({ duty: never, sync: promiseOf(['server3']) }, '0/3000100');
    expect(silence(it1, told).state.takeover?.kind).toBe('silence');
  });
});
