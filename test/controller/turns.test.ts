/** A decision whose record cannot be written has not happened: nothing of it is done, and its event comes again. */
import { describe, expect, it } from 'vitest';
import { serverConf } from '../../src/controller/config.ts';
import type { Deed } from '../../src/controller/core/action.ts';
import { initialState } from '../../src/controller/core/initial-state.ts';
import type { Persisted } from '../../src/controller/core/state.ts';
import type { ServerView } from '../../src/controller/core/view.ts';
import { Turns } from '../../src/controller/turns.ts';
import { answer, boot, heard, inSync, report, sender, view } from './support/conversation.ts';

/** The controller of a primary with a disk that can be filled. */
class Host {
  full = false;
  /** What shows without a write. */
  place: string | null = null;
  now = 0;
  readonly deeds: Deed[] = [];
  readonly records: Persisted[] = [];
  readonly turns: Turns;

  constructor() {
    const servers = ['server1', 'server2'].map((id) => ({ id, host: '192.0.2.1', port: 1 }));
    const [self] = servers;
    if (!self) throw new Error('no server');
    const conf = serverConf({ dbInstance: '/data' });
    const clocks = () => ({ at: this.now, wall: this.now, sinceBoot: this.now });
    const state = initialState({ self, servers, conf, controllerVersion: '0', clocks: clocks() });
    this.turns = new Turns(state, {
      clocks,
      write: (record) => {
        if (this.full) return 'no space left on device';
        this.records.push(record);
        return null;
      },
      place: () => this.place,
      act: (deeds) => void this.deeds.push(...deeds),
    });
  }

  at(ms: number, happening: Parameters<Turns['happen']>[0]): void {
    this.now = ms;
    this.turns.happen(happening);
  }

  lastView(): ServerView {
    const told = this.deeds.flatMap((it) => (it.kind === 'heartbeat' ? [it.view] : []));
    const last = told.at(-1);
    if (!last) throw new Error('nothing was told');
    return last;
  }

  kinds(): string[] {
    return this.deeds.splice(0).map((it) => it.kind);
  }
}

/** A primary that waits for the proof that server2 holds everything. */
function proving(): Host {
  const host = new Host();
  host.at(0, boot({ running: true }));
  host.at(10, answer(report('primary')));
  host.at(20, heard(view('server2', 'standby')));
  host.at(30, answer(report('primary')));
  host.at(40, { kind: 'checkpointed', purpose: 'proof', why: null });
  host.kinds();
  return host;
}

const eligible = {
  ...inSync,
  primary: 'server2',
  members: ['server1'],
  eligible: ['server1'],
  voters: ['server1'],
};
const giver = view('server2', 'primary', {
  phase: 'stopped',
  report: null,
  sync: eligible,
  handover: { id: 7, kind: 'switch', to: 'server1', checkpoint: '0/3000100' },
});

/** A standby that may take over. */
function standby(): Host {
  const host = new Host();
  host.at(0, boot({ running: true, standby: true }));
  host.at(10, answer(report('standby')));
  host.at(20, heard(view('server2', 'primary', { sync: eligible })));
  host.kinds();
  return host;
}

const checked = (lsn: string) => answer(report('primary', { lsn, senders: [sender('server2')] }));

describe('a record that cannot be written', () => {
  it('holds everything of its decision back, and nobody is told', () => {
    const host = proving();
    const before = host.turns.state.sync;
    host.full = true;
    host.at(50, checked('0/3000060'));
    const told = host.deeds.flatMap((it) => (it.kind === 'heartbeat' ? [it.view] : []));
    // Once, before it falls silent: why, and what is on the disk.
    expect(told).toEqual([expect.objectContaining({ unsaved: 'no space left on device', sync: before })]);
    expect(host.kinds()).toEqual(['log', 'heartbeat', 'log']);
    expect(host.turns.standsStill).toBe(true);
    expect(host.turns.state.sync).toBe(before);
    expect(host.turns.state.sync?.eligible).toEqual([]);
    expect(host.turns.state.mirroring.reason).toContain('no space left on device');
    host.at(800, { kind: 'tick' });
    host.at(900, heard(view('server2', 'standby')));
    expect(host.kinds()).toEqual([]);
  });

  it('lets it happen when there is room, and what waited behind it in its order', () => {
    const host = proving();
    host.full = true;
    host.at(50, checked('0/3000060'));
    host.at(60, { kind: 'hook-failed', hook: 'a', why: 'first' });
    host.at(70, { kind: 'hook-failed', hook: 'b', why: 'second' });
    host.kinds();
    host.full = false;
    host.at(800, { kind: 'tick' });
    expect(host.turns.standsStill).toBe(false);
    // The look that waited is out of date; the next one says the same.
    expect(host.turns.state.sync?.eligible).toEqual([]);
    host.at(810, checked('0/3000060'));
    expect(host.turns.state.sync?.eligible).toEqual(['server2']);
    expect(host.records.at(-1)?.sync?.eligible).toEqual(['server2']);
    const said = host.deeds.flatMap((it) => (it.kind === 'log' ? [it.values.why ?? it.message] : []));
    expect(said).toEqual(expect.arrayContaining(['MCA01080', 'first', 'second']));
    expect(said.indexOf('first')).toBeLessThan(said.indexOf('second'));
  });

  it('ends as a pause: a standby that may have taken over meanwhile is not given up before it is heard anew', () => {
    const host = proving();
    host.at(50, checked('0/3000060'));
    host.at(100, checked('0/3000060'));
    expect(host.turns.state.sync?.eligible).toEqual(['server2']);
    host.full = true;
    host.at(200, { kind: 'peer-refused', peer: 'server2' });
    host.at(210, answer(report('primary', { synchronousStandbyNames: '', senders: [] })));
    expect(host.turns.standsStill).toBe(true);
    host.full = false;
    host.at(60_000, { kind: 'tick' });
    expect(host.turns.standsStill).toBe(false);
    expect(host.turns.state.peers.server2).toMatchObject({ asleepMs: 60_000 });
  });

  it('does not act on a heartbeat that has waited: its primary may have taken its role back meanwhile', () => {
    const host = new Host();
    host.at(0, boot({ running: true, standby: true }));
    host.at(10, answer(report('standby')));
    host.at(20, heard(view('server2', 'primary')));
    host.full = true;
    const handover = { id: 7, kind: 'switch', to: 'server1', checkpoint: '0/3000100' } as const;
    host.at(30, heard(view('server2', 'primary', { phase: 'stopped', report: null, handover })));
    host.full = false;
    host.at(12_000, { kind: 'tick' });
    expect([host.turns.standsStill, host.turns.state.takeover]).toEqual([false, null]);
  });

  it('says no to a handover, which the giver hears', () => {
    const host = standby();
    host.full = true;
    host.at(30, heard(giver));
    expect(host.turns.standsStill).toBe(false);
    expect(host.turns.state).toMatchObject({ takeover: null, declined: { id: 7 } });
    expect(host.turns.state.declined?.why).toContain('no space left on device');
    expect(host.lastView()).toMatchObject({ takeover: null, declined: { id: 7 } });
  });

  it('says no also to one that it had begun to take', () => {
    const host = standby();
    host.at(30, heard(giver));
    expect(host.turns.state.takeover).toMatchObject({ id: 7, stage: 'cut' });
    host.full = true;
    host.at(40, { kind: 'receiver-cut', lsn: '0/3000200' });
    expect(host.turns.standsStill).toBe(false);
    expect(host.lastView()).toMatchObject({ takeover: null, declined: { id: 7 } });
    // What the file says is worth nothing at the next start: the role was taken back meanwhile.
    const again = new Host();
    const restored = host.records.at(-1) ?? null;
    expect(restored?.takeover).toMatchObject({ id: 7 });
    again.at(0, boot({ running: true, standby: true, restored, incarnation: 'second' }));
    again.at(10, answer(report('standby')));
    again.at(20, heard(view('server2', 'primary', { phase: 'stopped', report: null, sync: eligible })));
    expect(again.turns.state.takeover).toBe(null);
  });

  it('is told before anything has to be written, and that it can be again', () => {
    const host = standby();
    host.place = '/mcdir/inst1 is gone';
    host.full = true;
    host.at(800, { kind: 'tick' });
    expect(host.lastView()).toMatchObject({ unsaved: '/mcdir/inst1 is gone' });
    expect(host.turns.state.mirroring.reason).toContain('/mcdir/inst1 is gone');
    host.place = null;
    host.at(1600, { kind: 'tick' });
    // The disk is asked, not only looked at.
    expect(host.lastView()).toMatchObject({ unsaved: '/mcdir/inst1 is gone' });
    host.full = false;
    host.at(2400, { kind: 'tick' });
    expect(host.lastView().unsaved).toBe(undefined);
  });

  it('refuses what a person asks, with the reason', () => {
    const host = proving();
    host.full = true;
    host.at(50, checked('0/3000060'));
    host.kinds();
    host.at(60, { kind: 'control', id: 7, request: { kind: 'switch', force: false, noFencing: false } });
    expect(host.deeds).toEqual([
      {
        kind: 'reply',
        to: { kind: 'control', id: 7 },
        ok: false,
        text: 'the state file of server1 cannot be written (no space left on device), and nothing is decided until it can',
      },
    ]);
  });

  it('holds up no stop', () => {
    const host = proving();
    host.full = true;
    host.at(50, checked('0/3000060'));
    host.kinds();
    host.at(60, { kind: 'terminate' });
    host.at(1100, { kind: 'tick' });
    expect(host.kinds()).toContain('stop-instance');
    host.at(1200, { kind: 'instance-stopped', proof: null });
    expect(host.kinds()).toContain('exit');
  });

  it('of the very first event keeps every other one out', () => {
    const host = new Host();
    host.full = true;
    host.at(0, boot({ standby: true, running: true }));
    host.at(10, heard(view('server2', 'primary')));
    expect(host.turns.state.confirmed).toBe(false);
    expect(host.turns.state.peers.server2?.view).toBeNull();
    host.full = false;
    host.at(800, { kind: 'tick' });
    expect(host.turns.state.boot.kind).toBe('done');
  });
});

it('what comes due with the loss of the place stands still, and is tried again: the loss is told once, not for ever', () => {
  let full = true;
  let told = 0;
  const { state } = new Host().turns;
  const turns = new Turns(
    state,
    {
      clocks: () => ({ at: 0, wall: 0, sinceBoot: 0 }),
      write: () => (full ? 'no space left on device' : null),
      place: () => null,
      act: () => undefined,
    },
    // A core whose every decision has to be written down.
    (before, event) => {
      if (event.kind === 'place-lost') told += 1;
      const persisted = {} as Persisted;
      const must = event.kind !== 'persist-failed';
      return { state: before, actions: must ? [{ kind: 'persist', persisted, must }] : [] };
    },
  );
  turns.happen({ kind: 'terminate' });
  expect([told, turns.standsStill]).toEqual([1, true]);
  full = false;
  turns.happen({ kind: 'tick' });
  expect(turns.standsStill).toBe(false);
});
