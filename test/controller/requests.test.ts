/** Conversations about hooks, fencing, and a command that comes while another one is under way: golden text in `golden/`. */
import { describe, expect, it } from 'vitest';
import type { ServerConf } from '../../src/controller/config.ts';
import type { ControlRequest, Happening } from '../../src/controller/core/event.ts';
import {
  answer,
  answersOf,
  boot,
  Conversation,
  heard,
  inSync,
  report,
  sender,
  view,
} from './support/conversation.ts';

const golden = (name: string) => `./golden/${name}.txt`;
const asked = (id: number, request: ControlRequest): Happening => ({ kind: 'control', id, request });
const fenced = (target: string, yes: boolean): Happening => ({
  kind: 'command-ended',
  command: 'fencing',
  target,
  yes,
  why: `exit status ${yes ? 0 : 1}`,
});
const knows = (epoch: number, change: Parameters<typeof view>[2] = {}) =>
  heard(view('server2', 'standby', { ...change, sync: { ...inSync, epoch } }));
const alone = answer(report('primary', { synchronousStandbyNames: '', senders: [] }));
const noRow = answer(report('primary', { senders: [] }));
const noReceiver = answer(report('standby', { receiver: null }));
const person = { pid: 4711, user: 'postgres', server: 'server2' };
const detach = { kind: 'detach', noFencing: false, by: person } as const;

const primary = (conf: Partial<ServerConf>) =>
  new Conversation('server1', 2, conf)
    .after(0, 'the controller starts and finds its instance running', boot({ running: true }))
    .after(10, 'the instance answers', answer(report('primary')))
    .after(5, 'server2 is a streaming standby', heard(view('server2', 'standby')))
    .after(20, 'the checkpoint is done', { kind: 'checkpointed', purpose: 'proof', why: null })
    .after(20, 'the instance answers', answer(report('primary')))
    .silence(800);

const standby = (conf: Partial<ServerConf>) =>
  new Conversation('server2', 2, conf)
    .after(0, 'the controller starts and finds its instance running', boot({ running: true, standby: true }))
    .after(10, 'the instance answers', answer(report('standby')))
    .after(5, 'server1 is primary and calls it in sync', heard(view('server1', 'primary', { sync: inSync })))
    .silence(4800)
    .after(10, 'nothing comes from the primary', noReceiver)
    .silence(1600);

describe('mc_ctl stop of all servers', () => {
  it('asks nothing of a standby that has stopped first, when the primary starts again alone', () => {
    const off = { failover: 'manual' } as const;
    const gone = { leaving: 'instance', phase: 'stopped', report: null } as const;
    const it1 = primary(off)
      .after(100, 'server2 tells that it has stopped', heard(view('server2', 'standby', gone)))
      .after(100, 'its controller is gone', { kind: 'peer-refused', peer: 'server2' })
      .after(100, 'mc_ctl stop', {
        kind: 'control',
        id: 5,
        request: { kind: 'stop', all: false, mcOnly: false, force: false },
      });
    expect(it1.state.sync?.eligible).toEqual([]);
    expect(it1.state.withdrawn).toEqual({});
  });
});

describe('names that ALTER SYSTEM holds', () => {
  it('are tried again after a pause: each failure costs one attempt, and not the time for everything else', () => {
    const overridden = answer(
      report('primary', { synchronousStandbyNames: '', senders: [sender('server2', 'streaming', 'async')] }),
    );
    const why = 'postgresql.auto.conf overrides synchronous_standby_names of postgresql.conf';
    const it1 = primary({});
    // Nothing counts as somebody else's change right after one of its own.
    it1.silence(3200);
    for (let round = 0; round < 10; round += 1) {
      it1
        .after(100, 'no name is in force', overridden)
        .after(10, 'server2 knows', knows(it1.state.sync?.epoch ?? 0));
      if (it1.state.change?.stage === 'setting')
        it1.after(10, 'the names cannot be changed', { kind: 'names-failed', why });
    }
    expect(it1.state.sync?.voters).toEqual([]);
    expect(it1.text().split(why).length - 1).toBeLessThanOrEqual(1);
  });
});

describe('mc_ctl switch', () => {
  const begun = () =>
    primary({}).after(10, 'mc_ctl switch', asked(9, { kind: 'switch', force: false, noFencing: false }));

  it('is answered when a failover comes in the middle of it', () => {
    const it1 = begun()
      .after(10, 'the postmaster is gone', { kind: 'instance-check', outcome: { kind: 'gone' } })
      .after(10, 'the instance has stopped', {
        kind: 'instance-stopped',
        proof: { state: 'in production', checkpoint: '0/3000060', idle: true },
        endedSenders: 0,
      });
    expect(answersOf(it1)).toEqual([]);
    const sync = {
      ...inSync,
      primary: 'server2',
      timeline: 2,
      epoch: 3,
      eligible: [],
      voters: [],
      members: [],
    };
    const leads = view('server2', 'primary', {
      sync,
      report: report('primary', { timeline: 2, senders: [] }),
    });
    it1.after(10, 'server2 is primary', heard(leads));
    expect(answersOf(it1)).toEqual([
      expect.stringContaining('server2 is primary; this server must be rebuilt'),
    ]);
    expect(it1.state.task).toBeNull();
  });

  it('is answered when the controller is ended in the middle of it', () => {
    const it1 = begun().after(10, 'SIGTERM', { kind: 'terminate' });
    expect(answersOf(it1)).toEqual([expect.stringContaining('this controller is being stopped')]);
  });
});

describe('pre_detach_command', () => {
  const hook = { preDetachCommand: '/usr/local/bin/pre_detach' };

  it('runs before anything is promised; its failure is logged; it is not run again when the names cannot be set', async () => {
    const it1 = primary(hook)
      .after(100, 'the instance of server2 is down', knows(2, { phase: 'down', report: null }))
      .after(50, 'server2 is back already', knows(2))
      .after(900, 'the command was killed', { kind: 'pre-detached', failures: ['no answer within 10 s'] })
      .after(20, 'server2 confirms that it is out', knows(3))
      .after(20, 'the names cannot be changed', { kind: 'names-failed', why: 'EIO' })
      .after(20, 'the instance of server2 is down', knows(3, { phase: 'down', report: null }))
      .silence(5600);
    await expect(it1.remember().text()).toMatchFileSnapshot(golden('pre-detach'));
  });

  it('holds nothing up when the primary itself fails meanwhile', () => {
    const it1 = primary(hook)
      .after(100, 'a person takes server2 out', asked(9, detach))
      .after(100, 'the postmaster is gone', { kind: 'instance-check', outcome: { kind: 'gone' } })
      .after(100, 'the command has ended', { kind: 'pre-detached', failures: [] });
    expect([it1.state.waitingForDetach, it1.state.change, it1.state.sync?.voters]).toEqual([
      [],
      null,
      ['server2'],
    ]);
  });
});

describe('fencing_command', () => {
  const fence = { fencingCommand: '/usr/local/bin/fence' };

  it('a person detaches: no cancels it, yes lets it happen', async () => {
    const it1 = primary(fence)
      .after(100, 'mc_ctl detach', asked(9, detach))
      .after(300, 'the command ends with 1', fenced('server2', false))
      .after(5000, 'server2 is heard', knows(2))
      .after(100, 'mc_ctl detach', asked(10, detach))
      .after(300, 'the command ends with 0', fenced('server2', true))
      .after(20, 'server2 confirms that it is out', knows(3))
      .after(20, 'the names are commented out', { kind: 'names-set', ids: [], needed: 0 })
      .after(20, 'the instance answers', alone)
      .status();
    await expect(it1.remember().text()).toMatchFileSnapshot(golden('detach-fenced'));
  });

  it('a standby that is not heard stays in until the command says yes', async () => {
    const it1 = primary(fence)
      .silence(4000)
      .after(10, 'the row of the standby is gone', noRow)
      .silence(1600)
      .after(300, 'the command ends with 1', fenced('server2', false))
      .silence(27_200)
      .after(300, 'the command ends with 0', fenced('server2', true))
      .after(20, 'the names are commented out', { kind: 'names-set', ids: [], needed: 0 });
    await expect(it1.remember().text()).toMatchFileSnapshot(golden('lost-standby-fenced'));
  });

  it('a takeover waits for it, and asks again when the controller is started anew in between', async () => {
    const restored = standby(fence).state.persisted;
    const it1 = new Conversation('server2', 2, fence)
      .after(0, 'the controller is started again in the middle', boot({ standby: true, restored }))
      .after(300, 'the postmaster is ready', { kind: 'instance-started' })
      .after(10, 'nothing comes from the primary', noReceiver)
      .silence(6400)
      .after(300, 'the command ends with 0', fenced('server1', true))
      .after(30, 'the receiver is cut', { kind: 'receiver-cut', lsn: '0/3000060' })
      .after(90, 'the instance takes writes', { kind: 'promoted', timeline: 2 });
    await expect(it1.remember().text()).toMatchFileSnapshot(golden('takeover-fenced'));
  });

  it('--no-fencing takes over at once', () => {
    const request = { kind: 'switch', force: true, noFencing: true } as const;
    const it1 = standby({ ...fence, heartbeatErrorAction: 'message' }).after(10, 'mc_ctl', asked(9, request));
    expect(it1.state.takeover?.stage).toBe('cut');
  });
});

describe('a second command', () => {
  it('is told who is at work; one server that only passes a request on is no obstacle to itself', async () => {
    const busy = { work: 'detach', by: person, sinceWall: Date.UTC(2026, 10, 20, 12, 0, 1) } as const;
    const passedOn: Happening = { kind: 'peer-request', peer: 'server2', id: 3, request: detach };
    const it1 = primary({ preDetachCommand: '/usr/local/bin/pre_detach' })
      .after(100, 'server2 has a request that it will pass on', knows(2, { busy }))
      .after(10, 'server2 passes mc_ctl detach on', passedOn)
      .after(500, 'mc_ctl switch', asked(10, { kind: 'switch', force: true, noFencing: false }))
      .after(500, 'mc_ctl detach', asked(11, { kind: 'detach', noFencing: false }))
      .after(500, 'mc_ctl stop', asked(12, { kind: 'stop', all: false, mcOnly: false, force: false }))
      .after(500, 'mc_ctl disable-failover', asked(13, { kind: 'set-failover', enabled: false }))
      .after(500, 'mc_ctl stop -e', asked(14, { kind: 'stop', all: false, mcOnly: false, force: true }));
    await expect(it1.remember().text()).toMatchFileSnapshot(golden('second-command'));
  });
});
