/** What a primary does whose term the register has given to another server, or could: it waits, asks, or obeys a person. */
import { describe, expect, it } from 'vitest';
import type { Cell, CellName, SyncSet } from '../../src/controller/core/view.ts';
import { answer, boot, Conversation, heard, inSync, recorded, report, view } from './support/conversation.ts';

const cells: readonly CellName[] = [{ at: 'arb1', id: 'its cell' }];
/** Nobody may take over from server1, whose commits wait for server2. */
const bound: SyncSet = { ...inSync, eligible: [], term: 4, cells };

/** The arbiter is heard, and its cell says this. */
function withArbiter(it: Conversation, cell: Cell): Conversation {
  const line = { id: 'arb1', host: '192.0.2.9', port: 27541 };
  const told = { id: 'arb1', incarnation: 'a', seq: 1, cell, version: '0', echoes: {} };
  const arbiter = { line, heardAt: it.state.now, heardWall: it.state.wall, why: '', view: told };
  it.state = { ...it.state, arbiters: { arb1: arbiter } };
  return it;
}

const givenAway: Cell = { id: 'its cell', term: 4, holder: 'server2', attempt: 7 };

describe('a primary whose term was given away', () => {
  const starts = () =>
    withArbiter(new Conversation('server1', 2, { heartbeatErrorAction: 'arbitration' }), givenAway).after(
      0,
      'the host boots',
      boot({ restored: recorded({ sync: bound }) }),
    );

  it('waits for the word of the holder, and is not started and stopped in turn', () => {
    const told = starts().silence(30_000);
    expect(told.state.own.phase).toBe('waiting');
    expect(told.text()).toContain('MCA01070');
    expect(told.text()).not.toContain('MCA01003');
  });

  it('does not ask for it again and again while it waits', () => {
    const believed = { ...bound, eligible: ['server2'] };
    const told = withArbiter(
      new Conversation('server1', 2, { heartbeatErrorAction: 'arbitration' }),
      givenAway,
    )
      .after(0, 'the host boots', boot({ restored: recorded({ sync: believed }) }))
      .silence(30_000);
    expect(told.state.own.phase).toBe('waiting');
    expect(told.text()).not.toContain('MCA01130');
  });

  it('starts when a person says so, says what may be missing, and does not stop again', () => {
    const told = starts()
      .silence(30_000)
      .after(10, 'mc_ctl start', { kind: 'control', id: 1, request: { kind: 'start' } })
      .silence(8000);
    expect(told.text()).toContain('MCA01137');
    expect(told.state.sync).toMatchObject({ cells: [], eligible: [] });
    expect(told.state.own.phase).toBe('starting');
    told.after(100, 'it runs', { kind: 'instance-started' }).after(10, '', answer(report('primary')));
    told.silence(8000);
    expect(told.state.own.phase).toBe('running');
  });
});

describe('a role that was given, by an order, to a server that was not one that may take over', () => {
  it('comes back on silence only with the word of the register', () => {
    const told = new Conversation('server1', 2, { heartbeatErrorAction: 'arbitration' })
      .after(0, '', boot({ running: true, restored: recorded({ sync: bound }) }))
      .after(10, '', answer(report('primary', { senders: [] })))
      .after(5, '', heard(view('server2', 'standby', { understands: 3, sync: bound })))
      .after(5, '', {
        kind: 'control',
        id: 1,
        request: { kind: 'switch', force: true, noFencing: true },
      })
      .after(50, '', { kind: 'checkpointed', purpose: 'switch', why: null })
      .after(10, '', answer(report('primary', { senders: [] })))
      .after(50, '', {
        kind: 'instance-stopped',
        proof: { state: 'shut down', checkpoint: '0/3000028', idle: true },
      });
    expect(told.state.giving?.stage).toBe('given');
    told.silence(20_000);
    expect(told.state.giving?.handover.to).toBe('server2');
    expect(told.state.vote).toMatchObject({ stage: 'asking', term: 4 });
  });
});

describe('a server that has forgotten how often it has asked', () => {
  const far = Date.UTC(2036, 0, 1);
  const restored = recorded({ sync: { ...bound, eligible: ['server2'] } });
  const booted = (cell: Cell) =>
    withArbiter(new Conversation('server1', 2, { heartbeatErrorAction: 'arbitration' }), cell).after(
      0,
      'the host boots',
      boot({ restored }),
    );
  const back: Cell = { ...givenAway, holder: null, gaveBack: 'server1', attempt: far };

  it.each([
    ['holds the term', { ...givenAway, holder: 'server1', attempt: far }],
    ['has given it back', back],
  ])('asks with a higher attempt than its cells remember of it, where it %s', (_, cell) => {
    const told = booted(cell).silence(7000);
    expect(told.state.vote).toMatchObject({ stage: 'asking', term: 4, attempt: far + 1 });
  });

  it('begins anew when it has asked before it heard that its attempt is a dead one', () => {
    const told = booted({ ...givenAway, term: 3, holder: null }).silence(7000);
    expect(told.state.vote).toMatchObject({ stage: 'asking', term: 4 });
    expect(told.state.vote?.attempt).toBeLessThan(far);
    withArbiter(told, back).silence(1000);
    expect(told.state.vote).toMatchObject({ stage: 'back' });
    withArbiter(told, back).silence(6000);
    expect(told.state.vote).toMatchObject({ stage: 'asking', term: 4, attempt: far + 1 });
    // Nobody has taken it, and nobody is told so.
    expect(told.text()).not.toContain('MCA01132');
  });
});

describe('what a server has seen of a register that keeps a lineage', () => {
  it('is written down, and is known after a restart', () => {
    const lineages = { 'of an etcd': 'the last write' };
    const cell = { ...givenAway, holder: 'server1' };
    const told = withArbiter(new Conversation('server1'), cell).after(0, '', boot());
    const register = { id: 'arb1', incarnation: 'a', seq: 2, cell, version: '0', echoes: {} };
    told.after(5, '', { kind: 'arbiter-heard', arbiter: 'arb1', view: register, lineages });
    expect(told.state.persisted).toMatchObject({ lineages });
    const again = new Conversation('server1').after(0, '', boot({ restored: told.state.persisted }));
    expect(again.state.persisted).toMatchObject({ lineages });
  });
});

describe('a standby that waits for the register', () => {
  it('gives its takeover up when its primary says that it may not, before it has confirmed that', () => {
    const believed = { ...bound, eligible: ['server2'], term: 4 };
    const told = new Conversation('server2', 2, { heartbeatErrorAction: 'arbitration' })
      .after(0, '', boot({ standby: true, running: true }))
      .after(10, '', answer(report('standby', { receiver: null })));
    told.state = { ...told.state, sync: believed, confirmed: true };
    told.silence(7000).after(50, '', { kind: 'receiver-cut', lsn: '0/3000060' });
    expect(told.state.vote?.stage).toBe('asking');
    const leaving = { sync: { ...bound, epoch: 9 }, leaving: 'instance', phase: 'stopping' } as const;
    told.after(10, '', heard(view('server1', 'primary', leaving)));
    expect(told.state.takeover).toBeNull();
    expect(told.state.vote?.stage).toBe('back');
  });
});
