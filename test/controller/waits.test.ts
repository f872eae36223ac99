/** Whoever has asked for a switch, a start or a stop is answered, whatever comes in between, and the server is free for the next command. */
import { describe, expect, it } from 'vitest';
import type { ControlRequest, Happening } from '../../src/controller/core/event.ts';
import type { ServerView, Takeover } from '../../src/controller/core/view.ts';
import {
  answer,
  answersOf,
  asked,
  boot,
  Conversation,
  heard,
  inSync,
  inSyncOfThree,
  primaryOfThree,
  recorded,
  report,
  view,
} from './support/conversation.ts';

const toSwitch: ControlRequest = { kind: 'switch', force: false, noFencing: false };
const gone: Happening = { kind: 'instance-check', outcome: { kind: 'gone' } };
const knowing = { understands: 4 } as const;

/** server1 prepares a switch to server2 that a person has asked for. */
function preparing(): Conversation {
  const it1 = primaryOfThree();
  for (const id of ['server2', 'server3'])
    it1.after(1, '', heard(view(id, 'standby', { ...knowing, sync: it1.state.sync })));
  it1.after(10, 'mc_ctl switch', asked(toSwitch));
  expect(it1.state.preparing?.to).toBe('server2');
  return it1;
}

const proof = { state: 'shut down', checkpoint: '0/4000028', idle: true };

describe('a switch', () => {
  it('whose receiver falls silent behind its yes is answered, and the role stays given', () => {
    const it1 = new Conversation('server1')
      .after(0, '', boot({ running: true }))
      .after(10, '', answer(report('primary')));
    it1.state = { ...it1.state, sync: inSync, change: null, proving: null };
    const standby = (change: Partial<ServerView> = {}) =>
      heard(view('server2', 'standby', { ...knowing, sync: it1.state.sync, ...change }));
    it1.after(1, '', standby()).after(1, '', asked({ ...toSwitch, force: true }));
    it1.after(1, '', { kind: 'checkpointed', purpose: 'switch', why: null });
    it1.after(1, '', { kind: 'instance-stopped', proof });
    const { id = 0 } = it1.state.giving?.handover ?? {};
    const takeover: Takeover = {
      from: 'server1',
      kind: 'handover',
      id,
      checkpoint: proof.checkpoint,
      stage: 'promote',
      lsn: '0/5',
    };
    it1.after(1, '', standby({ takeover })).silence(2400);
    expect(answersOf(it1)).toEqual([]);
    it1.silence(4000);
    expect(answersOf(it1)).toEqual([
      expect.stringMatching(/failed: server2 was given the role .*may have become primary/),
    ]);
    expect(it1.state.giving?.stage).toBe('given');
    it1.silence(60_000);
    expect(answersOf(it1)).toHaveLength(1);
    expect(it1.text()).not.toContain('start the instance');
  });
});

describe('an instance that does not stop, in a stop of the unit that came behind', () => {
  it('a switch ends the switch, and it serves on', () => {
    const it1 = preparing();
    it1.state = {
      ...it1.state,
      preparing: null,
      own: { ...it1.state.own, phase: 'stopping' },
      giving: {
        stage: 'stop',
        handover: { id: 5, kind: 'switch', to: 'server2', checkpoint: null },
        tried: [],
        restartable: true,
      },
    };
    it1.after(1, 'systemctl stop', { kind: 'terminate' }).silence(2400);
    it1.after(1, '', { kind: 'stop-failed', why: 'it is still there' });
    expect(answersOf(it1)).toEqual([expect.stringContaining('the instance did not stop')]);
    expect(it1.state).toMatchObject({ stop: null, giving: null, task: null });
  });

  it('the end of a former primary is looked at anew', () => {
    const it1 = primaryOfThree();
    const later = heard(
      view('server2', 'primary', { ...knowing, lastTimeline: 2, report: report('primary', { timeline: 2 }) }),
    );
    it1.after(1, '', later);
    expect(it1.state.ending).toBe('demoted');
    it1.after(1, 'systemctl stop', { kind: 'terminate' }).silence(2400);
    it1.after(1, '', { kind: 'stop-failed', why: 'it is still there' });
    expect(it1.state.stop).toBeNull();
    it1.after(1, '', answer(report('primary'))).after(1, '', later);
    expect(it1.text().match(/stop the instance \(immediate\)/g)).toHaveLength(2);
  });
});

describe('a start', () => {
  it('of a former primary that is being ended is answered when it is held', () => {
    const it1 = primaryOfThree();
    it1.after(
      1,
      '',
      heard(
        view('server2', 'primary', {
          ...knowing,
          lastTimeline: 2,
          report: report('primary', { timeline: 2 }),
        }),
      ),
    );
    it1.after(1, '', asked({ kind: 'start' })).after(1, '', { kind: 'instance-stopped', proof: null });
    expect(it1.state.own.phase).toBe('held');
    expect(answersOf(it1)).toEqual([expect.stringContaining('server2 is primary')]);
  });
});

describe('a takeover that a person has forced', () => {
  it('is answered as done when only the end of the instance shows that it has become primary', () => {
    const restored = recorded({ role: 'standby', sync: inSync });
    const it1 = new Conversation('server2')
      .after(0, '', boot({ running: true, standby: true, restored }))
      .after(10, '', answer(report('standby', { receiver: null })))
      .silence(8000)
      .after(10, '', asked({ kind: 'switch', force: true, noFencing: true }))
      .after(10, '', { kind: 'receiver-cut', lsn: '0/3000060' });
    expect(it1.state.takeover?.stage).toBe('promote');
    it1
      .after(10, '', gone)
      .after(10, '', { kind: 'instance-stopped', proof: { ...proof, state: 'in production' } });
    expect(it1.state.own.role).toBe('primary');
    expect(answersOf(it1)).toEqual([expect.stringContaining('done: server2 is primary')]);
  });
});

describe('a switch that was passed on', () => {
  const takenOver = (to?: string): Conversation => {
    const it1 = new Conversation('server2', 3)
      .after(0, '', boot({ running: true, standby: true }))
      .after(10, '', answer(report('standby')))
      .after(10, '', heard(view('server1', 'primary', { ...knowing, sync: inSyncOfThree })))
      .after(10, '', asked({ ...toSwitch, ...(to === undefined ? {} : { to }) }));
    const takeover: Takeover = {
      from: 'server1',
      kind: 'silence',
      id: 0,
      checkpoint: null,
      stage: 'promote',
      lsn: '0/3000060',
    };
    it1.state = { ...it1.state, takeover };
    return it1
      .after(10, '', { kind: 'promoted', timeline: 2 })
      .after(10, '', answer(report('primary', { timeline: 2, senders: [] })));
  };

  it.each([[undefined], ['server2']])('is done when this server is primary (to %s)', (to) => {
    expect(answersOf(takenOver(to))).toEqual([expect.stringContaining('done: server2 is primary')]);
  });

  it('is not done when another one was meant', () => {
    expect(answersOf(takenOver('server3'))).toEqual([
      expect.stringContaining('failed: server2 is primary now; ask again'),
    ]);
  });
});
