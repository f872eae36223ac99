/** What a server in maintenance is kept from, and what has to be so before it is said that it is: docs/adr/0018. */
import { describe, expect, it } from 'vitest';
import type { MaintenanceBegin } from '../../src/controller/core/event.ts';
import { entryOf } from '../../src/controller/core/maintenance.ts';
import type { State } from '../../src/controller/core/state.ts';
import { renderStatus, statusReport } from '../../src/controller/core/status.ts';
import type { Maintenance, ServerView, SyncSet } from '../../src/controller/core/view.ts';
import { durationMs, wrongMaintenance } from '../../src/controller/ctl-maintenance.ts';
import {
  answer,
  asked,
  boot,
  Conversation,
  heard,
  inSync,
  inSyncOfThree,
  primaryOfThree,
  recorded,
  report,
  sender,
  toBegin,
  view,
} from './support/conversation.ts';

const startWall = Date.UTC(2026, 10, 20, 12, 0, 0);
const begin = (server: string, more: Partial<MaintenanceBegin> = {}) =>
  asked(toBegin(server, { reason: 'new disks', ...more }), 1);
const end = (server: string, more: object = {}) =>
  asked({ kind: 'maintenance-end', server, who: 'alice', ...more }, 2);
const open: Maintenance = {
  timeline: 1,
  number: 100,
  stage: 'open',
  by: 'alice',
  sinceWall: startWall,
  reason: 'new disks',
  untilWall: null,
};
const knowing = { understands: 4 } as const;

/** A standby that has heard all that server1 tells. */
const echoing = (id: string, state: State, change: Partial<ServerView> = {}) =>
  heard(view(id, 'standby', { ...knowing, sync: state.sync, maintenance: state.maintenance, ...change }));
const both = (it: Conversation): Conversation =>
  it.after(1, '', echoing('server2', it.state)).after(1, '', echoing('server3', it.state));
const answersOf = (it: Conversation): string =>
  it
    .text()
    .match(/answer mc_ctl[^\n]*/g)
    ?.join('; ') ?? '';

/** A pair of standbys that are heard, both in sync and able. */
const trio = () => both(primaryOfThree());
const namesOf3 = answer(
  report('primary', {
    senders: [sender('server2'), sender('server3')],
    synchronousStandbyNames: 'FIRST 1 (server3)',
  }),
);

/** server2 is put into maintenance, up to the moment in which the names are set. */
const leaving = () => {
  const it = trio().after(10, 'begin', begin('server2'));
  both(it);
  return it.after(1, '', { kind: 'names-set', ids: ['server3'], needed: 1 }).after(1, '', namesOf3);
};
/** server3 is proven anew. */
const proven = (it: Conversation): Conversation => {
  both(it);
  it.after(1, '', { kind: 'checkpointed', purpose: 'proof', why: null }).after(1, '', namesOf3);
  return it.after(1, '', echoing('server3', it.state));
};
const maintained = () => both(proven(leaving()));

describe('a maintenance that begins', () => {
  it('is said only when nobody relies on the server, and whoever may take over remembers it', () => {
    const it1 = trio().after(10, 'begin', begin('server2'));
    expect(entryOf(it1.state, 'server2')?.stage).toBe('asked');
    expect(it1.state.sync?.eligible).not.toContain('server2');
    both(it1);
    it1.after(1, '', { kind: 'names-set', ids: ['server3'], needed: 1 }).after(1, '', namesOf3);
    expect(entryOf(it1.state, 'server2')?.stage).toBe('asked');
    proven(it1);
    expect(it1.state.sync?.eligible).toEqual(['server3']);
    expect(entryOf(it1.state, 'server2')?.stage).toBe('open');
    expect(answersOf(it1)).toBe('');
    both(it1);
    expect(answersOf(it1)).toContain('server2 is in maintenance; commits wait for server3');
    expect(it1.state.maintaining).toBeNull();
    expect(it1.state.persisted?.maintenance?.server2?.stage).toBe('open');
  });

  it('is over without having begun when the server falls silent before it has confirmed', () => {
    const it1 = trio().after(10, 'begin', begin('server2'));
    for (let n = 0; n < 8; n += 1)
      it1.after(800, '', echoing('server3', it1.state)).after(1, '', { kind: 'tick' });
    expect(entryOf(it1.state, 'server2')?.stage).toBe('ended');
    expect(answersOf(it1)).toContain('has not begun: server2 has fallen silent');
    expect(it1.state.sync?.voters).toContain('server2');
  });

  it('is over without having begun when the names cannot be set', () => {
    const it1 = trio().after(10, 'begin', begin('server2'));
    both(it1).after(1, '', { kind: 'names-failed', why: 'ALTER SYSTEM holds them' });
    expect(entryOf(it1.state, 'server2')?.stage).toBe('ended');
    expect(answersOf(it1)).toContain('has not begun');
  });

  it('that another primary had only asked for is ended', () => {
    const it1 = primaryOfThree();
    it1.after(
      1,
      '',
      echoing('server2', it1.state, { maintenance: { server2: { ...open, stage: 'asked' } } }),
    );
    expect(entryOf(it1.state, 'server2')?.stage).toBe('ended');
    expect(it1.state.sync?.voters).toContain('server2');
  });

  it.each([
    ['the primary', 'server1', {}, 'switch first'],
    ['an unknown server', 'server9', {}, 'no server of this cluster; there are server1, server2, server3'],
  ])('is refused for %s', (_, server, more, why) => {
    const it1 = trio().after(10, 'begin', begin(server, more));
    expect(answersOf(it1)).toContain(why);
    expect(it1.state.maintenance?.[server]).toBeUndefined();
  });

  it('is refused for the only standby, unless that is meant', () => {
    const pair = () => {
      const it1 = new Conversation('server1')
        .after(0, '', boot({ running: true }))
        .after(10, '', answer(report('primary')));
      it1.state = { ...it1.state, sync: inSync, change: null, proving: null };
      return it1.after(1, '', echoing('server2', it1.state));
    };
    const refused = pair().after(10, 'begin', begin('server2'));
    expect(answersOf(refused)).toContain('no second copy');
    const meant = pair().after(10, 'begin', begin('server2', { alone: true }));
    meant
      .after(1, '', echoing('server2', meant.state))
      .after(1, '', { kind: 'names-set', ids: [], needed: 0 });
    meant.after(1, '', echoing('server2', meant.state)).after(1, '', echoing('server2', meant.state));
    expect(answersOf(meant)).toContain('server1 alone has what is written meanwhile');
  });

  it('is refused while a controller that is heard would not heed it, and while somebody else has it', () => {
    const old = primaryOfThree();
    old
      .after(1, '', echoing('server2', old.state))
      .after(1, '', echoing('server3', old.state, { understands: 3 }));
    expect(answersOf(old.after(10, 'begin', begin('server2')))).toContain(
      'the controller of server3 is of an earlier version',
    );
    const held = maintained().after(10, 'begin', begin('server2', { who: 'bob' }));
    expect(answersOf(held)).toContain('in maintenance by alice');
    const taken = maintained().after(10, 'begin', begin('server2', { who: 'bob', replace: true }));
    expect(entryOf(taken.state, 'server2')?.by).toBe('bob');
  });
});

describe('a server in maintenance', () => {
  it('is neither eligible, nor waited for, nor given a role, by force neither', () => {
    const it1 = maintained();
    for (let n = 0; n < 10; n += 1) both(it1).after(800, '', { kind: 'tick' });
    expect(it1.state.sync?.voters).toEqual(['server3']);
    it1.after(1, '', asked({ kind: 'switch', to: 'server2', force: true, noFencing: false }, 9));
    expect(answersOf(it1)).toContain('mc_ctl maintenance end --server server2');
    expect(it1.state.mirroring.status).toBe('switchable');
  });

  it('takes nothing over on a silence, whatever promise it holds', () => {
    const it1 = new Conversation('server2', 3, { heartbeatErrorAction: 'fallback' })
      .after(0, '', boot({ running: true, standby: true }))
      .after(10, '', answer(report('standby')))
      .after(
        5,
        '',
        heard(
          view('server1', 'primary', { ...knowing, sync: inSyncOfThree, maintenance: { server2: open } }),
        ),
      )
      .after(10, '', answer(report('standby', { receiver: null })));
    it1.silence(20_000);
    expect(it1.state.sync?.eligible).toContain('server2');
    expect(it1.state.takeover).toBeNull();
  });

  it('starts no instance by itself, and does when it hears that it is over', () => {
    const it1 = new Conversation('server2', 3).after(
      0,
      '',
      boot({ standby: true, restored: recorded({ role: 'standby', maintenance: { server2: open } }) }),
    );
    const tells = (entry: Maintenance) =>
      heard(view('server1', 'primary', { ...knowing, sync: inSyncOfThree, maintenance: { server2: entry } }));
    it1.after(10, '', tells(open)).after(10, '', { kind: 'primary-probe', open: true });
    expect(it1.state.boot.kind).toBe('maintained');
    expect(it1.state.own.phase).toBe('stopped');
    it1.after(10, '', tells({ ...open, number: 101, stage: 'ended' }));
    expect(it1.state.own.phase).toBe('starting');
    // An older copy does not bring it back.
    it1.after(10, '', tells(open));
    expect(entryOf(it1.state, 'server2')?.stage).toBe('ended');
  });

  it('that has slept through the begin waits for a word before the port of a primary starts it', () => {
    const it1 = new Conversation('server2', 3)
      .after(0, '', boot({ standby: true, restored: recorded({ role: 'standby' }) }))
      .after(10, '', { kind: 'primary-probe', open: true });
    expect(it1.state.own.phase).toBe('waiting');
    it1.after(
      10,
      '',
      heard(view('server1', 'primary', { ...knowing, sync: inSyncOfThree, maintenance: { server2: open } })),
    );
    expect(it1.state.boot.kind).toBe('maintained');
    const alone = new Conversation('server2', 3)
      .after(0, '', boot({ standby: true, restored: recorded({ role: 'standby' }) }))
      .silence(8000)
      .after(10, '', { kind: 'primary-probe', open: true });
    expect(alone.state.own.phase).toBe('starting');
    const torn = new Conversation('server2', 3)
      .after(0, '', boot({ standby: true, torn: true }))
      .silence(8000)
      .after(10, '', { kind: 'primary-probe', open: true });
    expect(torn.state.own.phase).toBe('waiting');
  });

  it('is started by a person who says so twice, once', () => {
    const rests = () =>
      new Conversation('server2', 3).after(
        0,
        '',
        boot({ standby: true, restored: recorded({ role: 'standby', maintenance: { server2: open } }) }),
      );
    const refused = rests().after(10, '', asked({ kind: 'start' }));
    expect(answersOf(refused)).toContain('mc_ctl start --force-start');
    expect(refused.state.own.phase).toBe('stopped');
    const started = rests().after(10, '', asked({ kind: 'start', force: true }));
    expect(started.state.own.phase).toBe('starting');
    const unit = rests().after(10, '', asked({ kind: 'wait-started' }));
    expect(answersOf(unit)).toContain('the instance is left alone');
  });

  it('leads nobody when its instance was promoted by hand', () => {
    const it1 = new Conversation('server3', 3)
      .after(0, '', boot({ running: true, standby: true }))
      .after(10, '', answer(report('standby')))
      .after(
        5,
        '',
        heard(
          view('server1', 'primary', { ...knowing, sync: inSyncOfThree, maintenance: { server2: open } }),
        ),
      );
    const theirs: SyncSet = { ...inSyncOfThree, primary: 'server2', timeline: 2, epoch: 9 };
    const promoted = report('primary', { timeline: 2, senders: [] });
    it1.after(
      10,
      '',
      heard(
        view('server2', 'primary', {
          ...knowing,
          sync: theirs,
          lastTimeline: 2,
          report: promoted,
          maintenance: { server2: open },
        }),
      ),
    );
    expect(it1.state.sync?.primary).toBe('server1');
    const itself = new Conversation('server2', 3)
      .after(0, '', boot({ running: true, restored: recorded({ maintenance: { server2: open } }) }))
      .after(10, '', answer(promoted))
      .silence(3000);
    expect(itself.state.sync?.primary).not.toBe('server2');
  });

  it('becomes primary by force alone, with a warning, and its maintenance is over then', () => {
    const it1 = new Conversation('server2', 3)
      .after(
        0,
        '',
        boot({
          running: true,
          standby: true,
          restored: recorded({ role: 'standby', maintenance: { server2: open } }),
        }),
      )
      .after(10, '', answer(report('standby', { receiver: null })))
      .silence(20_000)
      .after(10, '', asked({ kind: 'switch', force: true, noFencing: true }));
    expect(it1.text()).toContain('MCA01050');
    it1
      .after(10, '', { kind: 'receiver-cut', lsn: '0/3000060' })
      .after(10, '', { kind: 'promoted', timeline: 2 });
    expect(it1.state.own.role).toBe('primary');
    expect(it1.text()).toMatch(/answer mc_ctl: done: server2 is primary\. .* commits may be missing/);
    expect(entryOf(it1.state, 'server2')?.stage).toBe('ended');
    expect(it1.state.sync?.primary).toBe('server2');
  });

  it('gives no standby a term before a primary was heard since its start', () => {
    const votes = view('server3', 'standby', {
      ...knowing,
      vote: {
        cells: [],
        term: 0,
        attempt: 5,
        stage: 'asking',
        against: 'server1',
      },
    });
    const start = (maintenance?: Record<string, Maintenance>) =>
      new Conversation('server2', 3)
        .after(
          0,
          '',
          boot({ running: true, standby: true, restored: recorded({ role: 'standby', maintenance }) }),
        )
        .after(10, '', answer(report('standby')));
    const asks = (it1: Conversation) => {
      const id = it1.state.cell?.id ?? '';
      return it1.after(
        5,
        '',
        heard({ ...votes, vote: votes.vote && { ...votes.vote, cells: [{ at: 'server2', id }] } }),
      );
    };
    expect(asks(start()).state.cell?.holder).toBe('server3');
    expect(asks(start({ server2: open })).state.cell?.holder).toBeNull();
  });

  it('is shown with who, since when and until when, and as no fault', () => {
    const it1 = maintained();
    it1.after(10, '', begin('server2', { untilWall: startWall + 60_000 }));
    both(it1);
    it1.after(1, '', echoing('server2', it1.state, { phase: 'stopped', report: null }));
    it1.silence(70_000);
    it1.after(1, '', echoing('server2', it1.state, { phase: 'stopped', report: null }));
    const shown = renderStatus(statusReport(it1.state, { pid: 1, node: '20' }));
    expect(shown).toContain(
      'maintenance: server2, by alice since 2026-11-20 12:00 UTC, expected until 2026-11-20 12:01 UTC (overdue): new disks',
    );
    expect(shown).not.toContain('abnormal(postmaster)');
    expect(shown).not.toContain('abnormal(wal_sender)');
  });
});

describe('who leads', () => {
  const promoted = report('primary', { timeline: 2, senders: [] });

  it('by the hand of a person while it is in maintenance gives no role away, and nobody takes one from it', () => {
    const it1 = new Conversation('server2', 3)
      .after(
        0,
        '',
        boot({ running: true, restored: recorded({ sync: inSyncOfThree, maintenance: { server2: open } }) }),
      )
      .after(10, '', answer(promoted))
      .after(5, '', heard(view('server3', 'standby', { ...knowing, sync: inSyncOfThree })))
      .after(10, 'the instance goes away', { kind: 'instance-check', outcome: { kind: 'gone' } });
    it1.silence(20_000);
    expect(it1.state.giving).toBeNull();
    expect(it1.state.boot.kind).not.toBe('starting');
    const it3 = new Conversation('server3', 3)
      .after(0, '', boot({ running: true, standby: true }))
      .after(10, '', answer(report('standby')))
      .after(
        5,
        '',
        heard(
          view('server1', 'primary', { ...knowing, sync: inSyncOfThree, maintenance: { server2: open } }),
        ),
      );
    const handover = { id: 7, kind: 'failover', to: 'server3', checkpoint: null } as const;
    it3.after(
      5,
      '',
      heard(
        view('server2', 'primary', {
          ...knowing,
          phase: 'stopped',
          handover,
          maintenance: { server2: open },
        }),
      ),
    );
    expect(it3.state.takeover).toBeNull();
  });

  it('by its own promise is in no maintenance, whatever it has slept through', () => {
    const mine: SyncSet = {
      ...inSyncOfThree,
      primary: 'server2',
      timeline: 2,
      epoch: 9,
      eligible: [],
      voters: [],
    };
    const it1 = new Conversation('server2', 3)
      .after(0, '', boot({ running: true, restored: recorded({ timeline: 2, sync: mine }) }))
      .after(10, '', answer(promoted));
    // The clock of whoever has begun it is an hour ahead.
    const ahead = { ...open, number: startWall + 3_600_000 };
    it1.after(
      5,
      '',
      heard(view('server3', 'standby', { ...knowing, sync: inSyncOfThree, maintenance: { server2: ahead } })),
    );
    expect(entryOf(it1.state, 'server2')?.stage).toBe('ended');
    expect(entryOf(it1.state, 'server2')?.timeline).toBe(2);
    it1.after(
      5,
      '',
      heard(view('server3', 'standby', { ...knowing, sync: inSyncOfThree, maintenance: { server2: ahead } })),
    );
    expect(entryOf(it1.state, 'server2')?.stage).toBe('ended');
  });

  it('no more, and is in maintenance, leads again where a person forces its start', () => {
    const it1 = new Conversation('server2', 2)
      .after(
        0,
        '',
        boot({
          restored: recorded({ sync: { ...inSync, primary: 'server2' }, maintenance: { server2: open } }),
        }),
      )
      .after(10, '', asked({ kind: 'start' }));
    expect(answersOf(it1)).toContain('--force-start');
    it1.after(10, '', asked({ kind: 'start', force: true }, 3)).silence(12_000);
    expect(it1.state.own.phase).toBe('starting');
    expect(entryOf(it1.state, 'server2')?.stage).toBe('ended');
  });

  it('against its record or without one leads where a person says that it counts, and beside no other primary', () => {
    const torn = () =>
      new Conversation('server2', 2)
        .after(0, '', boot({ running: true, torn: true }))
        .after(
          5,
          '',
          heard(view('server1', 'primary', { ...knowing, phase: 'held', maintenance: { server2: open } })),
        )
        .after(10, '', answer(promoted));
    const it1 = torn().after(10, '', end('server2'));
    expect(answersOf(it1)).toContain('mc_ctl start --force-start');
    expect(it1.state.sync?.primary).not.toBe('server2');
    it1.after(10, '', asked({ kind: 'start', force: true }, 3)).after(800, '', { kind: 'tick' });
    expect(answersOf(it1)).toContain('server2 leads from now on');
    expect(it1.text()).toContain('MCA01050');
    expect(it1.state.sync).toMatchObject({ primary: 'server2', timeline: 2, eligible: [] });
    const beside = torn().after(
      10,
      'server1 leads',
      heard(
        view('server1', 'primary', {
          ...knowing,
          sync: { ...inSync, epoch: 5 },
          maintenance: { server2: open },
        }),
      ),
    );
    beside.after(10, '', asked({ kind: 'start', force: true }, 3));
    expect(answersOf(beside)).toContain('server1 is primary');
    expect(entryOf(beside.state, 'server2')?.stage).toBe('open');
  });

  it('keeps a maintenance that goes on when what is said anew is not confirmed', () => {
    const it1 = maintained().after(10, '', begin('server2', { untilWall: startWall + 60_000 }));
    const silent = { ...it1.state.maintenance, server2: open };
    for (let n = 0; n < 80; n += 1)
      it1
        .after(800, '', echoing('server3', it1.state, { maintenance: silent }))
        .after(1, '', echoing('server2', it1.state))
        .after(1, '', { kind: 'tick' });
    expect(entryOf(it1.state, 'server2')?.stage).toBe('open');
    expect(answersOf(it1)).toContain('server2 is in maintenance; server3 has not confirmed');
  });

  it('calls nobody eligible whose controller came back as one that knows no maintenance', () => {
    const it1 = maintained();
    expect(it1.state.sync?.eligible).toEqual(['server3']);
    it1.after(1, '', echoing('server3', it1.state, { understands: 3 }));
    expect(it1.state.sync?.eligible).toEqual([]);
  });
});

describe('a maintenance that ends', () => {
  it('is ended by whoever has it, or by somebody who says whose it is, and is said when all have heard it', () => {
    const refused = maintained().after(10, '', end('server2', { who: 'bob' }));
    expect(answersOf(refused)).toContain('--of alice');
    expect(entryOf(refused.state, 'server2')?.stage).toBe('open');
    const it1 = maintained().after(10, '', end('server2', { who: 'bob', of: 'alice' }));
    expect(entryOf(it1.state, 'server2')?.stage).toBe('ended');
    expect(answersOf(it1)).not.toContain('over');
    both(it1);
    expect(answersOf(it1)).toContain('the maintenance of server2 is over');
    both(it1).after(800, '', { kind: 'tick' });
    expect(it1.state.change?.to ?? it1.state.sync?.voters).toContain('server2');
  });

  it('takes a former detach along, and says so when there is none', () => {
    const it1 = maintained();
    it1.state = { ...it1.state, parked: { server2: startWall } };
    it1.after(10, '', end('server2'));
    expect(it1.state.parked).toEqual({});
    expect(answersOf(both(both(it1)).after(10, '', end('server2')))).toContain('is in no maintenance');
  });

  it('brings an instance back that was stopped by hand meanwhile', () => {
    const it1 = new Conversation('server2', 3)
      .after(
        0,
        '',
        boot({
          running: true,
          standby: true,
          restored: recorded({ role: 'standby', maintenance: { server2: open } }),
        }),
      )
      .after(10, '', answer(report('standby')))
      .after(10, '', { kind: 'instance-check', outcome: { kind: 'gone' } });
    expect(it1.state.own.phase).toBe('down');
    const over = { ...open, number: 101, stage: 'ended' } as const;
    it1.after(
      10,
      '',
      heard(view('server1', 'primary', { ...knowing, sync: inSyncOfThree, maintenance: { server2: over } })),
    );
    expect(it1.state.own.phase).toBe('starting');
  });
});

describe('the words of mc_ctl maintenance', () => {
  it.each([
    ['30m', 1_800_000],
    ['30min', 1_800_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['0m', undefined],
    ['2', undefined],
    ['2x', undefined],
    ['9999d', undefined],
  ])('take %s for a time, or for none', (text, ms) => {
    expect(durationMs(text)).toBe(ms);
  });

  it.each([
    [undefined, undefined, { server: 'server2' }, 'begin or end'],
    ['begin', 'more', { server: 'server2' }, 'too much'],
    ['begin', undefined, {}, 'needs --server'],
    ['begin', undefined, { server: 'server2', of: 'bob' }, 'does not know --of'],
    ['end', undefined, { server: 'server2', alone: true }, 'does not know --alone'],
    ['begin', undefined, { server: 'server2', reason: 'a\nb' }, 'one line'],
    ['begin', undefined, { server: 'server2', by: '' }, 'a name'],
  ])('%s %s %j are told what is wrong', (goal, more, words, why) => {
    expect(wrongMaintenance(goal, more, words)).toContain(why);
  });
});
