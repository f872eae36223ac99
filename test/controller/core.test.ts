/** Conversations with the core: golden text in `golden/`. Change one only if you know why and want it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from '../../src/controller/core/decide.ts';
import type { Happening } from '../../src/controller/core/event.ts';
import { answer, boot, Conversation, heard, recorded, report, sender, view } from './support/conversation.ts';

const check = (kind: 'busy' | 'starting' | 'timeout' | 'gone'): Happening => ({
  kind: 'instance-check',
  outcome: { kind },
});
const golden = (name: string) => `./golden/${name}.txt`;

/** The id of a handover is the time at which it began. */
const refusal = { declined: { id: Date.UTC(2026, 10, 20, 12, 0, 7) + 910, why: 'it is not in sync' } };

const runningPrimary = () =>
  new Conversation('server1')
    .after(0, 'the host has booted; the instance is stopped, no standby.signal', boot())
    .after(5, 'server2 refuses the connection', { kind: 'peer-refused', peer: 'server2' })
    .after(100, 'the postmaster is ready', { kind: 'instance-started' })
    .after(10, 'the instance answers as primary', answer(report('primary', { senders: [] })))
    .after(900, 'server2 tells that it is a streaming standby', heard(view('server2', 'standby')))
    .after(10, 'the instance answers with its standby in sync', answer(report('primary')))
    .after(50, 'the checkpoint is done', { kind: 'checkpointed', purpose: 'proof', why: null })
    .after(50, 'the instance answers', answer(report('primary')));

describe('conversations', () => {
  it('a primary starts, its standby joins', async () => {
    await expect(runningPrimary().status().remember().text()).toMatchFileSnapshot(golden('primary-starts'));
  });

  it('a standby waits for its primary', async () => {
    const told = new Conversation('server2')
      .after(
        0,
        'the host has booted; the instance is stopped, standby.signal is there',
        boot({ standby: true }),
      )
      .after(3, 'server1 refuses the connection', { kind: 'peer-refused', peer: 'server1' })
      .after(1, 'the replication port is closed', { kind: 'primary-probe', open: false })
      .after(50, 'mc_ctl start -w waits', { kind: 'control', id: 1, request: { kind: 'wait-started' } })
      .silence(2400)
      .after(100, 'the replication port is closed', { kind: 'primary-probe', open: false })
      .status()
      .after(900, 'server1 tells that it is primary', heard(view('server1', 'primary')))
      .after(100, 'the postmaster is ready', { kind: 'instance-started' })
      .after(10, 'the instance answers as standby', answer(report('standby')))
      .status();
    await expect(told.remember().text()).toMatchFileSnapshot(golden('standby-waits'));
  });

  it('an old primary comes back while the other one is primary', async () => {
    const told = new Conversation('server1')
      .after(0, 'the host has booted; the instance is stopped, no standby.signal', boot())
      .after(20, 'mc_ctl start -w waits', { kind: 'control', id: 1, request: { kind: 'wait-started' } })
      .after(
        20,
        'server2 tells that it is primary',
        heard(view('server2', 'primary', { report: report('primary', { timeline: 2, senders: [] }) })),
      )
      .status()
      .after(5000, 'mc_ctl start, again', { kind: 'control', id: 2, request: { kind: 'start' } });
    await expect(told.remember().text()).toMatchFileSnapshot(golden('old-primary-returns'));
  });

  it('two servers that were both primary once start at the same time', async () => {
    const rival = view('server2', 'primary', { phase: 'waiting', report: null });
    const told = new Conversation('server1')
      .after(0, 'the host has booted; the instance is stopped, no standby.signal', boot())
      .after(20, 'server2 tells that it would be primary, and asks', heard(rival))
      .after(4000, 'it still does', heard(rival))
      .silence(2400)
      .status()
      .after(60_000, 'server2 is held back, too', heard({ ...rival, phase: 'held' }))
      .after(1000, 'a person decides: mc_ctl start', { kind: 'control', id: 1, request: { kind: 'start' } });
    await expect(told.remember().text()).toMatchFileSnapshot(golden('two-candidates'));
  });

  it('the newer of two former primaries starts at once, the older one is held', async () => {
    const restored = (timeline: number) =>
      recorded({ timeline, lsn: '0/5000000', degraded: timeline > 1 ? 'switched' : null });
    const rival = (lastTimeline: number, phase: 'waiting' | 'held') =>
      heard(view('server2', 'primary', { phase, report: null, lastTimeline }));
    const newer = new Conversation('server1')
      .after(
        0,
        'the host has booted; the state file says primary on timeline 2',
        boot({ restored: restored(2) }),
      )
      .after(20, 'server2, held back, was primary on timeline 1', rival(1, 'held'));
    const older = new Conversation('server1')
      .after(
        0,
        'the host has booted; the state file says primary on timeline 1',
        boot({ restored: restored(1) }),
      )
      .after(20, 'server2 was primary on timeline 2, and asks', rival(2, 'waiting'))
      .after(100, 'server2 is primary', heard(view('server2', 'primary', { lastTimeline: 2 })));
    await expect(`${newer.text()}\n${older.text()}`).toMatchFileSnapshot(golden('former-primaries'));
  });

  it('a primary whose peer host is dead asks for a bounded time', async () => {
    const told = new Conversation('server1')
      .after(0, 'the host has booted; the instance is stopped, no standby.signal', boot())
      .silence(8000)
      .after(100, 'the postmaster is ready', { kind: 'instance-started' })
      .after(10, 'the instance answers as primary', answer(report('primary', { senders: [] })))
      .status();
    await expect(told.remember().text()).toMatchFileSnapshot(golden('primary-without-peer'));
  });

  it('the standby host falls silent and comes back', async () => {
    const told = runningPrimary()
      .silence(8000)
      .after(
        10,
        'the instance answers; the row of the standby is gone',
        answer(report('primary', { senders: [] })),
      )
      .status()
      .after(60_000, 'server2 is heard again', heard(view('server2', 'standby')))
      .after(
        10,
        'its row is back, catching up',
        answer(report('primary', { senders: [sender('server2', 'catchup', 'async')] })),
      )
      .after(800, 'its row says streaming, sync', answer(report('primary')));
    await expect(told.remember().text()).toMatchFileSnapshot(golden('standby-silent'));
  });

  it('the instance is busy, then silent, then gone, then back', async () => {
    const told = runningPrimary()
      .after(800, 'all connections are taken', check('busy'))
      .after(800, 'no answer in time', check('timeout'))
      .after(1800, 'no answer in time', check('timeout'))
      .after(1800, 'no answer in time', check('timeout'))
      .status()
      .after(800, 'the instance answers', answer(report('primary')))
      .after(800, 'the postmaster does not exist any more', check('gone'))
      .status()
      .after(20, 'nothing of it is left', { kind: 'instance-stopped', proof: null })
      .after(900, 'mc_ctl start', { kind: 'control', id: 7, request: { kind: 'start' } })
      .after(10, 'server2 refuses', heard(view('server2', 'standby', refusal)))
      .after(
        5,
        'server2 is heard: standby without its primary',
        heard(view('server2', 'standby', { report: report('standby', { receiver: null }) })),
      )
      .after(100, 'postgres ends at once', {
        kind: 'start-failed',
        why: 'postgres ended with exit status 1: could not bind',
      });
    await expect(told.remember().text()).toMatchFileSnapshot(golden('instance-faults'));
  });

  it('a disk fails more often than it may, and recovers', async () => {
    const bad: Happening = { kind: 'disk-check', part: 'transaction_log', ok: false, error: '/wal: EIO' };
    const told = runningPrimary()
      .after(800, 'the WAL disk fails a check', bad)
      .after(800, 'the WAL disk fails a check', bad)
      .after(800, 'the WAL disk fails a check', bad)
      .status()
      .after(800, 'the WAL disk works', { ...bad, ok: true, error: '' });
    await expect(told.remember().text()).toMatchFileSnapshot(golden('disk-fails'));
  });

  it('stop -a on a standby: the other standby, itself, the primary', async () => {
    const told = new Conversation('server2', 3)
      .after(0, 'the controller starts and finds its standby running', boot({ standby: true, running: true }))
      .after(10, 'the instance answers as standby', answer(report('standby')))
      .after(
        10,
        'server1 is primary',
        heard(
          view('server1', 'primary', {
            report: report('primary', {
              senders: [sender('server2'), sender('server3', 'streaming', 'potential')],
            }),
          }),
        ),
      )
      .after(10, 'server3 is standby', heard(view('server3', 'standby')))
      .status()
      .after(500, 'mc_ctl stop -a', {
        kind: 'control',
        id: 3,
        request: { kind: 'stop', all: true, mcOnly: false, force: false },
      })
      .after(300, 'server3 has stopped', {
        kind: 'peer-reply',
        peer: 'server3',
        id: 0,
        ok: true,
        text: 'stopped',
      })
      .after(200, 'the own instance has stopped', { kind: 'instance-stopped', proof: null })
      .after(300, 'server1 has stopped', {
        kind: 'peer-reply',
        peer: 'server1',
        id: 0,
        ok: true,
        text: 'stopped',
      });
    await expect(told.remember().text()).toMatchFileSnapshot(golden('stop-all'));
  });

  it('an instance that does not stop keeps its controller, until -e', async () => {
    const stop = (force: boolean): Happening => ({
      kind: 'control',
      id: force ? 5 : 4,
      request: { kind: 'stop', all: false, mcOnly: false, force },
    });
    const told = runningPrimary()
      .after(500, 'mc_ctl stop', stop(false))
      .after(30_000, 'mc_ctl stop -e, in another terminal', stop(true))
      .after(20_000, 'it is still there', {
        kind: 'stop-failed',
        why: 'it is still there after an immediate shutdown',
      });
    await expect(told.remember().text()).toMatchFileSnapshot(golden('stop-by-force'));
  });

  it('two primaries, another cluster, an unknown peer, a torn file', async () => {
    const foreign = view('server2', 'standby', { report: report('standby', { systemId: '42' }) });
    const told = new Conversation('server1')
      .after(0, 'the controller starts and finds its instance running', boot({ running: true, torn: true }))
      .after(10, 'the instance answers as primary', answer(report('primary')))
      .after(10, 'server2 tells that it is primary, too', heard(view('server2', 'primary')))
      .status()
      .after(800, 'server2 tells of a standby of another cluster', heard(foreign))
      .after(800, 'somebody calls without the key', {
        kind: 'unknown-peer',
        from: '203.0.113.9',
        why: 'no shared cipher',
      })
      .after(800, 'the role changes by itself', answer(report('standby')));
    await expect(told.remember().text()).toMatchFileSnapshot(golden('strange-things'));
  });
});

const promised = (primary: string) => {
  const voters = ['server1', 'server2', 'server3'].filter((it) => it !== primary);
  return { primary, timeline: 1, epoch: 3, members: voters, eligible: voters, voters, needed: 1 };
};

describe('laws of the core', () => {
  const id = fc.constantFrom('server2', 'server3');
  const happening: fc.Arbitrary<Happening> = fc.oneof(
    fc.constant<Happening>({ kind: 'tick' }),
    fc.record({ standby: fc.boolean(), running: fc.boolean(), mcOnly: fc.boolean() }).map((it) => boot(it)),
    fc
      .tuple(id, fc.constantFrom('primary' as const, 'standby' as const))
      .map(([peer, role]) => heard(view(peer, role, { sync: role === 'primary' ? promised(peer) : null }))),
    id.map((peer): Happening => ({ kind: 'peer-refused', peer })),
    fc.constantFrom('busy' as const, 'starting' as const, 'timeout' as const, 'gone' as const).map(check),
    fc.constantFrom('primary' as const, 'standby' as const).map((role) => answer(report(role))),
    fc.constant<Happening>({ kind: 'instance-started' }),
    fc.constant<Happening>({ kind: 'start-failed', why: 'no' }),
    fc.constant<Happening>({ kind: 'instance-stopped', proof: null }),
    fc.boolean().map((open): Happening => ({ kind: 'primary-probe', open })),
    fc.constant<Happening>({ kind: 'control', id: 1, request: { kind: 'start' } }),
    fc
      .boolean()
      .map((enabled): Happening => ({ kind: 'control', id: 2, request: { kind: 'set-failover', enabled } })),
  );
  const history = fc.array(fc.tuple(fc.nat(3000), happening), { maxLength: 40 });

  it('the same events give the same answers, and the state is plain data', () => {
    fc.assert(
      fc.property(history, (events) => {
        const first = new Conversation('server1', 3);
        const second = new Conversation('server1', 3);
        for (const [ms, it] of events) {
          first.after(ms, it.kind, it);
          second.after(ms, it.kind, structuredClone(it));
        }
        expect(second.text()).toBe(first.text());
        expect(JSON.parse(JSON.stringify(first.state))).toEqual(first.state);
      }),
      { numRuns: 200 },
    );
  });

  it('never starts a primary while a peer that is heard says that it is primary', () => {
    fc.assert(
      fc.property(history, (events) => {
        const { state: start } = new Conversation('server1', 3);
        let state = start;
        let at = 0;
        for (const [ms, it] of events) {
          at += ms;
          const before = state;
          const decision = decide(before, { ...it, at, wall: at, sinceBoot: at });
          state = decision.state;
          const starts = decision.actions.some((action) => action.kind === 'start-instance');
          const other = Object.values(state.peers).some(
            (peer) => peer.reach === 'up' && peer.view?.role === 'primary' && peer.view.phase === 'running',
          );
          expect(starts && other && state.own.role === 'primary').toBe(false);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('what is heard again and again leads to nothing new: two controllers do not talk without end', () => {
    fc.assert(
      fc.property(history, (events) => {
        let { state } = new Conversation('server1', 3);
        let at = 0;
        for (const [ms, it] of events) {
          at += ms;
          state = decide(state, { ...it, at, wall: at, sinceBoot: at }).state;
          if (it.kind !== 'heard') continue;
          const again = () => decide(state, { ...structuredClone(it), at, wall: at, sinceBoot: at });
          for (let time = 0; time < 4; time += 1) state = again().state;
          expect(again().actions).toEqual([]);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('what must survive a crash is persisted before anything else is done', () => {
    fc.assert(
      fc.property(history, (events) => {
        let { state } = new Conversation('server1', 3);
        let at = 0;
        for (const [ms, it] of events) {
          at += ms;
          const decision = decide(state, { ...it, at, wall: at, sinceBoot: at });
          state = decision.state;
          const index = decision.actions.findIndex((action) => action.kind === 'persist');
          expect(index <= 0).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });
});
