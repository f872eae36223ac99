/** Conversations about what a server that was primary must not forget before it starts again: golden text in `golden/`. */
import { describe, expect, it } from 'vitest';
import type { Happening } from '../../src/controller/core/event.ts';
import { notToldYet } from '../../src/controller/core/promise.ts';
import type { ServerView, SyncSet, Takeover } from '../../src/controller/core/view.ts';
import { answer, boot, Conversation, heard, inSync, recorded, report, view } from './support/conversation.ts';

const golden = (name: string) => `./golden/${name}.txt`;

const alone: SyncSet = { ...inSync, eligible: [], voters: [], needed: 0 };
const taken: SyncSet = { ...alone, primary: 'server2', timeline: 2, epoch: 3, members: ['server1'] };

const refused: Happening = { kind: 'peer-refused', peer: 'server2' };
const isPrimary = heard(
  view('server2', 'primary', {
    sync: taken,
    lastTimeline: 2,
    report: report('primary', { timeline: 2, senders: [] }),
  }),
);
/** Its state file is torn, and its controller has not looked at the instance yet. */
const justAttached = view('server2', 'primary', { phase: 'unknown', report: null, lastTimeline: 0 });

const stop: Happening = {
  kind: 'control',
  id: 1,
  request: { kind: 'stop', all: false, mcOnly: false, force: false },
};

/** The next start, while nobody else is there. */
const bootsAgain = ({ state: { persisted: restored } }: Conversation) =>
  new Conversation('server1')
    .after(0, 'the host boots again', boot({ restored }))
    .after(10, 'no controller runs on server2', refused)
    .silence(8000);

describe('a former primary', () => {
  it('whose state file is torn asks everybody, and still does at the next start', async () => {
    const first = new Conversation('server1')
      .after(0, 'the host boots; the state file is torn', boot({ torn: true }))
      .silence(8000)
      .status();
    const second = bootsAgain(first)
      .after(1000, 'server2 is a standby', heard(view('server2', 'standby')))
      .after(100, 'the postmaster is ready', { kind: 'instance-started' })
      .after(10, 'the instance answers', answer(report('primary')));
    expect(second.state.persisted).not.toHaveProperty('forgotten');
    await expect(`${first.text()}\n${second.text()}`).toMatchFileSnapshot(golden('former-primary-torn'));
  });

  it('that is held back and stopped with the others knows afterwards whom it has to ask', async () => {
    const first = new Conversation('server1')
      .after(0, 'the host boots', boot({ restored: recorded({ sync: inSync }) }))
      .after(10, 'server2 is primary', isPrimary)
      .after(5000, 'server2 stops everybody', {
        kind: 'peer-request',
        peer: 'server2',
        id: 1,
        request: { kind: 'stop', mcOnly: false, force: false },
      });
    const second = bootsAgain(first).status();
    await expect(`${first.text()}\n${second.text()}`).toMatchFileSnapshot(golden('former-primary-stopped'));
  });

  it('that is stopped while it waits for the others still waits for them at the next start', () => {
    const first = new Conversation('server1')
      .after(0, 'the host boots', boot({ restored: recorded({ sync: inSync }) }))
      .after(10, 'mc_ctl stop', stop);
    expect(first.state.sync).toEqual(inSync);
    expect(bootsAgain(first).state.own.phase).toBe('waiting');
  });

  it('remembers a newer primary that a person has made without its leave', () => {
    const first = new Conversation('server1')
      .after(0, 'the host boots; nobody could take over', boot({ restored: recorded({ sync: alone }) }))
      .after(10, 'server2 is primary', isPrimary);
    expect(first.state.own.phase).toBe('held');
    expect(bootsAgain(first).state.own.phase).toBe('waiting');
  });

  it('remembers it also when that one does not run', () => {
    const stopped = view('server2', 'primary', {
      phase: 'stopped',
      report: null,
      sync: taken,
      lastTimeline: 2,
    });
    const first = new Conversation('server1')
      .after(0, 'the host boots; nobody could take over', boot({ restored: recorded({ sync: alone }) }))
      .after(10, 'server2 was primary and is stopped', heard(stopped));
    expect(first.state.own.phase).toBe('held');
    expect(bootsAgain(first).state.own.phase).toBe('waiting');
  });

  it('takes no older primary for the one whose promise counts', () => {
    const older = { ...taken, timeline: 0 };
    const first = new Conversation('server1')
      .after(0, 'the host boots', boot({ restored: recorded({ sync: inSync }) }))
      .after(10, 'server2 runs as primary', heard(view('server2', 'primary', { sync: older })));
    expect(first.state.own.phase).toBe('held');
    expect(first.state.sync).toEqual(inSync);
  });

  it('takes for an answer only what was said after this start of it was heard', () => {
    const standby = (incarnation: string) =>
      heard(view('server2', 'standby', { echoes: { server1: { incarnation, seq: 1 } } }));
    for (const sync of [inSync, alone]) {
      const told = new Conversation('server1')
        .after(0, 'the host boots', boot({ restored: recorded({ sync }), incarnation: 'second' }))
        .after(10, 'server2 was on its way to say that it is a standby', standby('first'));
      expect(told.state.own.phase).toBe('waiting');
      told.after(800, 'it says so again', standby('second'));
      expect(told.state.own.phase).toBe('starting');
    }
  });

  it('takes for no answer what was said before it stood still itself', () => {
    const standby = (seq: number) =>
      heard(view('server2', 'standby', { echoes: { server1: { incarnation: 'second', seq } } }));
    const told = new Conversation('server1')
      .after(0, 'the host boots', boot({ restored: recorded({ sync: inSync }), incarnation: 'second' }))
      .silence(800)
      .after(10_000, 'it has stood still; server2 had said that it is a standby', standby(1));
    expect(told.state.own.phase).toBe('waiting');
    told.after(800, 'it says so again', standby(told.state.seq));
    expect(told.state.own.phase).toBe('starting');
  });

  it('believes a controller that does not say yet whom it has heard', () => {
    const told = new Conversation('server1')
      .after(0, 'the host boots', boot({ restored: recorded({ sync: inSync }) }))
      .after(10, 'server2 is a standby', heard(view('server2', 'standby')));
    expect(told.state.own.phase).toBe('starting');
  });

  it('is held back by its standby that is primary now, whatever that one still knows of itself', async () => {
    const told = new Conversation('server1')
      .after(
        0,
        'the host boots; server2 was allowed to take over',
        boot({ restored: recorded({ sync: inSync }) }),
      )
      .after(10, 'server2 is primary, and its controller has just been started', heard(justAttached))
      .status();
    await expect(told.text()).toMatchFileSnapshot(golden('former-primary-and-torn-one'));
  });

  it('waits until another one that may run as primary has looked at its instance', () => {
    const told = new Conversation('server1')
      .after(0, 'the host boots; nobody could take over', boot({ restored: recorded({ sync: alone }) }))
      .after(10, 'server2 may be primary', heard(justAttached))
      .silence(8000);
    expect(told.state.own.phase).toBe('waiting');
    told.after(10, 'server2 is primary', isPrimary);
    expect(told.state.own.phase).toBe('held');
  });

  it('that has written down who took over stops its instance, though its controller was killed in between', () => {
    const told = new Conversation('server1')
      .after(0, 'the controller starts again', boot({ running: true, restored: recorded({ sync: taken }) }))
      .after(10, 'the instance answers', answer(report('primary')));
    expect(told.state.sync).toEqual(taken);
    expect(told.text()).toContain('stop the instance (immediate)');
    told.after(100, 'it has stopped', { kind: 'instance-stopped', proof: null });
    expect(told.state.own.phase).toBe('held');
  });

  it('that a person starts beside the one which has taken over does not stop again', () => {
    const told = new Conversation('server1')
      .after(0, 'the host boots', boot({ restored: recorded({ sync: taken }) }))
      .silence(8000)
      .after(10, 'mc_ctl start', { kind: 'control', id: 1, request: { kind: 'start' } })
      .silence(8000)
      .after(100, 'it runs', { kind: 'instance-started' })
      .after(10, 'the instance answers', answer(report('primary')));
    expect(told.state.own.phase).toBe('running');
    expect(told.state.sync).toMatchObject({ primary: 'server1', timeline: 1, eligible: [] });
    expect(told.state.sync?.epoch).toBeGreaterThan(taken.epoch);
  });
});

/** server2 may take over no more, and does not know it as long as it is not heard to. */
const withdrawn: SyncSet = { ...inSync, eligible: [], epoch: 3 };
const unsaid = recorded({ sync: withdrawn, withdrawn: { server2: 3 } });

describe('a standby that was not told that it may take over no more', () => {
  const boots = () => new Conversation('server1').after(0, 'the host boots', boot({ restored: unsaid }));

  it('frees a former primary when it is a standby that knows it', () => {
    const told = boots().after(10, 'it knows it', heard(view('server2', 'standby', { sync: withdrawn })));
    expect(told.state).toMatchObject({ withdrawn: {}, own: { phase: 'starting' } });
  });

  it('holds a former primary back when it is primary, also if it has forgotten all but what it was told now', () => {
    const forgetful = view('server2', 'primary', {
      phase: 'held',
      report: null,
      lastTimeline: 0,
      sync: withdrawn,
    });
    const told = boots().after(10, 'it was primary, and is held back', heard(forgetful));
    expect(told.state).toMatchObject({ withdrawn: { server2: 3 }, own: { phase: 'held' } });
    expect(bootsAgain(told).state.own.phase).toBe('waiting');
  });

  it('confirms nothing while it takes over', () => {
    const takeover: Takeover = {
      from: 'server1',
      kind: 'silence',
      id: 0,
      checkpoint: null,
      stage: 'gather',
      lsn: '0/3000060',
    };
    const taking = view('server2', 'standby', { sync: withdrawn, takeover });
    const told = boots().after(10, 'it takes over', heard(taking));
    expect(told.state).toMatchObject({ withdrawn: { server2: 3 }, own: { phase: 'waiting' } });
  });

  it('is asked for after a stop of both, if it has become primary meanwhile', () => {
    const leaves = view('server2', 'primary', {
      phase: 'stopped',
      leaving: 'instance',
      lastTimeline: 2,
      sync: taken,
      failover: { enabled: false, changedAtWall: 1 },
    });
    const told = new Conversation('server1')
      .after(0, 'the controller attaches', boot({ running: true, restored: recorded({ sync: inSync }) }))
      .after(10, 'the instance answers', answer(report('primary')))
      .after(10, 'server2 has become primary, and is stopped; failover is disabled', heard(leaves))
      .after(10, 'mc_ctl stop', stop);
    expect(told.state.withdrawn).toEqual({ server2: 3 });
    expect(bootsAgain(told).state.own.phase).toBe('waiting');
  });
});

describe('a primary that was cut off while its standby took over', () => {
  const serves = () =>
    new Conversation('server1', 2, { heartbeatErrorAction: 'fallback' })
      .after(0, 'the controller attaches', boot({ running: true, restored: recorded({ sync: inSync }) }))
      .after(10, 'the instance answers', answer(report('primary', { senders: [] })));
  const newer = (phase: 'stopping' | 'stopped') =>
    heard(view('server2', 'primary', { phase, leaving: 'instance', lastTimeline: 2, sync: taken }));

  it('stops when it hears that one, though that is being stopped itself', () => {
    const told = serves().after(10, 'server2 was primary and is being stopped', newer('stopping'));
    expect(told.state).toMatchObject({ ending: 'demoted', own: { phase: 'stopping' } });
  });

  it('does not go on alone when that one has gone', () => {
    const told = serves()
      .after(10, 'server2 was primary and is stopped', newer('stopped'))
      .after(10, 'its controller has ended', refused)
      .silence(16_000);
    expect(told.text()).not.toContain('synchronous_standby_names: ');
    expect(told.state.sync?.voters).toEqual(['server2']);
  });
});

describe('a server that has forgotten its promise', () => {
  it('takes no other former primary for a newer one, and tells nobody to rebuild it', () => {
    const waits = view('server1', 'primary', { phase: 'waiting', report: null, sync: withdrawn });
    const told = new Conversation('server2')
      .after(0, 'the host boots; the state file is torn', boot({ torn: true }))
      .after(10, 'server1 was primary, too', heard(waits));
    expect(told.state).toMatchObject({ sync: null, forgotten: true, own: { phase: 'held' } });
    expect(told.text()).toContain('server1 would start as primary, too (MCA01034)');
    expect(told.text()).not.toContain('MCA01071');
  });
});

/** Its record is torn while its instance runs, and nobody else is heard: it promises anew. */
const promisesAnew = () =>
  new Conversation('server1')
    .after(0, 'the controller attaches; the state file is torn', boot({ running: true, torn: true }))
    .after(10, 'the instance answers', answer(report('primary')));
const knowing = (sync: SyncSet | null, change: Partial<ServerView> = {}) =>
  heard(view('server2', 'standby', { sync, ...change }));

/** Its record as it would be if nobody had been heard since the loss. */
const promisedOnSecond = ({ state: { persisted } }: Conversation) =>
  persisted && { ...persisted, withdrawn: { server2: notToldYet } };

describe('a primary that has promised anew without its record', () => {
  it('waits at its next start for whoever could take over by the lost promise, and so does the start after that', () => {
    const told = bootsAgain(promisesAnew());
    expect(told.state).toMatchObject({ withdrawn: { server2: notToldYet }, own: { phase: 'waiting' } });
    expect(bootsAgain(told).state.own.phase).toBe('waiting');
  });

  it('asks whoever is heard to confirm a promise that is later than the one it holds', () => {
    for (const [name, lost, epoch] of [
      ['an earlier one', { ...inSync, epoch: 0 }, 1002],
      ['one of the same number', { ...inSync, epoch: 1 }, 1002],
      ['a later one', { ...inSync, epoch: 7 }, 1008],
      ['none', null, 1002],
    ] as const) {
      const told = promisesAnew().after(10, `server2 holds ${name}`, knowing(lost));
      expect([name, told.state.sync?.epoch, told.state.withdrawn]).toEqual([name, epoch, { server2: epoch }]);
      const { sync } = told.state;
      expect(told.after(10, 'it knows the new one', knowing(sync)).state.withdrawn).toEqual({});
    }
  });

  it('takes no word of a standby that takes over for a yes', () => {
    const takeover = { from: 'server1', kind: 'silence', id: 0, checkpoint: null, stage: 'gather' } as const;
    const told = promisesAnew()
      .after(10, 'server2 holds the lost one', knowing(inSync))
      .after(10, 'it takes over', knowing({ ...inSync, epoch: 9 }, { takeover: { ...takeover, lsn: null } }));
    expect(Object.keys(told.state.withdrawn)).toEqual(['server2']);
  });

  it('still has to be told of by whoever turns up with a later promise, however long after', () => {
    const told = promisesAnew().after(10, 'server2 knows nothing', knowing(null));
    told.after(10, 'and knows the new promise', knowing(told.state.sync));
    expect(told.state.withdrawn).toEqual({});
    told.after(10, 'it reads what was sent before the loss', knowing({ ...inSync, epoch: 2009 }));
    expect(told.state).toMatchObject({ sync: { epoch: 3010, eligible: [] }, withdrawn: { server2: 3010 } });
  });

  it('takes what was on its way before the loss for no confirmation', () => {
    const told = promisesAnew().after(10, 'server2 holds an earlier one', knowing({ ...inSync, epoch: 5 }));
    told.after(10, 'the last message of the time before reaches it', knowing({ ...inSync, epoch: 6 }));
    expect(Object.keys(told.state.withdrawn)).toEqual(['server2']);
  });

  it('counts no former primary of an earlier timeline, and does not wait for it at its next start', () => {
    const rebuilt = { phase: 'held', report: null, lastTimeline: 1 } as const;
    const onSecond = answer(report('primary', { timeline: 2, senders: [], synchronousStandbyNames: '' }));
    const told = new Conversation('server1')
      .after(0, 'the controller attaches; the state file is torn', boot({ running: true, torn: true }))
      .after(10, 'the instance answers, on timeline 2', onSecond)
      .after(10, 'server2 was primary, and is to be rebuilt', heard(view('server2', 'primary', rebuilt)))
      .after(10, 'it says so again', heard(view('server2', 'primary', rebuilt)));
    expect(told.state.withdrawn).toEqual({});
    const again = new Conversation('server1')
      .after(0, 'the host boots again', boot({ restored: promisedOnSecond(told) }))
      .after(10, 'server2 is heard', heard(view('server2', 'primary', rebuilt)))
      .silence(8000);
    expect(again.state.own.phase).toBe('starting');
    expect(again.text()).not.toContain('MCA01071');
  });

  it('says at its next start whose word is missing', () => {
    expect(bootsAgain(promisesAnew()).state.mirroring).toMatchObject({
      reason: 'the instance of server1 waits, because server2 may have taken over and is not heard',
    });
  });

  it('asks nobody who is no server of the cluster any more', () => {
    const told = promisesAnew();
    const { conf, servers } = told.state;
    const alone = servers.filter((line) => line.id === 'server1');
    expect(told.after(10, 'reload', { kind: 'reload', conf, servers: alone }).state.withdrawn).toEqual({});
    const inForce = answer(report('primary'));
    const eligible = new Conversation('server1')
      .after(0, 'the controller attaches', boot({ running: true, restored: recorded({ sync: inSync }) }))
      .after(10, 'the instance answers', inForce)
      .after(4000, 'server2, which may take over, goes', { kind: 'reload', conf, servers: alone });
    expect(eligible.state.withdrawn).toEqual({});
    expect(eligible.after(10, 'the instance answers', inForce).state).toMatchObject({
      withdrawn: {},
      sync: { eligible: [] },
    });
    const booted = boot({ restored: recorded({ sync: inSync, withdrawn: { server9: 3 } }) });
    expect(new Conversation('server1').after(0, 'the host boots', booted).state.withdrawn).toEqual({});
  });
});

describe('a stop that fails', () => {
  it('is over: nobody waits any longer for this server to leave', () => {
    const told = new Conversation('server2')
      .after(
        0,
        'the controller starts and finds its instance running',
        boot({ running: true, standby: true }),
      )
      .after(10, 'the instance answers', answer(report('standby')))
      .after(10, 'server1 is primary', heard(view('server1', 'primary', { sync: inSync })))
      .after(10, 'mc_ctl stop', stop)
      .after(
        10,
        'server1 does without it',
        heard(view('server1', 'primary', { sync: { ...alone, epoch: 4 } })),
      );
    expect(told.state).toMatchObject({ leaving: 'instance', own: { phase: 'stopping' } });
    told.after(60_000, 'it is still there', { kind: 'stop-failed', why: 'it is still there' });
    expect(told.state).toMatchObject({ leaving: null, stop: null });
  });
});
