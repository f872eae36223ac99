/** Conversations about every fault that the controller watches for, and what it does: golden text in `golden/`. */
import { describe, expect, it } from 'vitest';
import type { ServerConf } from '../../src/controller/config.ts';
import type { Happening } from '../../src/controller/core/event.ts';
import { answer, boot, Conversation, heard, inSync, report, sender, view } from './support/conversation.ts';

const golden = (name: string) => `./golden/${name}.txt`;

const told = (epoch: number) => ({ sync: { ...inSync, epoch } });
const out = { synchronousStandbyNames: '', senders: [] };

/** server1 is primary, server2 in sync. */
const primary = (conf: Partial<ServerConf> = {}) =>
  new Conversation('server1', 2, conf)
    .after(0, 'the controller starts and finds its instance running', boot({ running: true }))
    .after(10, 'the instance answers', answer(report('primary')))
    .after(5, 'server2 is a streaming standby', heard(view('server2', 'standby')))
    .after(20, 'the checkpoint is done', { kind: 'checkpointed', purpose: 'proof', why: null })
    .after(20, 'the instance answers', answer(report('primary')))
    .silence(800);

/** server2 is the standby that server1 calls in sync. */
const standby = (conf: Partial<ServerConf> = {}) =>
  new Conversation('server2', 2, conf)
    .after(0, 'the controller starts and finds its instance running', boot({ running: true, standby: true }))
    .after(10, 'the instance answers', answer(report('standby')))
    .after(5, 'server1 is primary and calls it in sync', heard(view('server1', 'primary', { sync: inSync })))
    .silence(800);

const cutOff = answer(report('standby', { receiver: null }));
const promotion = (it: Conversation) =>
  it
    .after(30, 'the receiver is cut', { kind: 'receiver-cut', lsn: '0/3000060' })
    .after(90, 'the instance takes writes', { kind: 'promoted', timeline: 2 })
    .after(10, 'the instance answers', answer(report('primary', { ...out, timeline: 2 })))
    .status();

describe('host or network lost, by heartbeat_error_action', () => {
  it('fallback: the standby takes over', async () => {
    const it1 = standby().silence(4000).after(10, 'nothing comes from the primary', cutOff).silence(1600);
    await expect(promotion(it1).remember().text()).toMatchFileSnapshot(golden('lost-primary-fallback'));
  });

  it('a standby that was suspended takes over only on a word that is younger than that', async () => {
    const echo = (seq: number) => ({ echoes: { server2: { incarnation: 'first', seq } } });
    const before = view('server1', 'primary', { sync: inSync, ...echo(1) });
    const it1 = standby()
      .suspended(3_600_000)
      .after(10, 'a heartbeat that server1 has sent before is still in the buffer', heard(before))
      .after(10, 'nothing comes from the primary', cutOff)
      .silence(16_000)
      .status();
    const after = view('server1', 'primary', { sync: inSync, ...echo(it1.state.seq) });
    it1.after(10, 'server1 has heard this server again, and calls it in sync', heard(after)).silence(8000);
    await expect(it1.remember().text()).toMatchFileSnapshot(golden('standby-suspended'));
  });

  it('a former primary that comes back and still waits for this one is no second primary', async () => {
    const it1 = standby().silence(4000).after(10, 'nothing comes from the primary', cutOff).silence(1600);
    const former = view('server1', 'primary', { sync: inSync });
    const alone = view('server1', 'primary', { sync: { ...inSync, eligible: [], voters: [], needed: 0 } });
    promotion(it1)
      .after(20_000, 'server1 is back; it has been frozen', heard(former))
      .status()
      .after(100, 'server1 has gone on alone', heard(alone))
      .status();
    await expect(it1.text()).toMatchFileSnapshot(golden('former-primary-thaws'));
  });

  const references = (answered: readonly string[]): Happening => ({ kind: 'references', answered });
  const gateway = ['192.0.2.1'];
  const answers = (it1: Conversation) => it1.after(1, 'the reference address answers', references(gateway));
  const isQuiet = (it1: Conversation) => it1.after(700, 'no reference address answers', references([]));
  /** Rounds while a peer is silent: one with each tick. */
  const rounds = (it1: Conversation, count: number, round: (it: Conversation) => Conversation) => {
    for (let turn = 0; turn < count; turn += 1) round(it1.silence(800));
    return it1;
  };

  it('fallback with reference addresses: the standby takes over', async () => {
    const it1 = answers(standby({ referenceAddresses: gateway }));
    rounds(it1, 5, answers).after(10, 'nothing comes from the primary', cutOff);
    await expect(
      promotion(rounds(it1, 1, answers))
        .remember()
        .text(),
    ).toMatchFileSnapshot(golden('lost-primary-reference'));
  });

  it('fallback with reference addresses: a standby that was cut off does not take over when its cable is back', async () => {
    const it1 = rounds(answers(standby({ referenceAddresses: gateway })), 5, isQuiet)
      .after(10, 'nothing comes from the primary', cutOff)
      .silence(800);
    rounds(answers(it1), 3, answers).status();
    await expect(it1.remember().text()).toMatchFileSnapshot(golden('lost-primary-cut-off'));
    expect(it1.state.takeover).toBeNull();
    it1.after(10, 'server1 is heard again', heard(view('server1', 'primary', { sync: inSync })));
    expect(it1.state.confirmed).toBe(true);
  });

  it('a reference address that has never answered does not count: nobody acts on silence', async () => {
    const alone = rounds(standby({ referenceAddresses: gateway }), 8, isQuiet)
      .after(10, 'nothing comes from the primary', cutOff)
      .status();
    rounds(alone, 4, isQuiet);
    await expect(alone.remember().text()).toMatchFileSnapshot(golden('lost-primary-no-reference'));
    const rowGone = answer(report('primary', { senders: [] }));
    const it1 = primary({ referenceAddresses: gateway }).after(10, 'the row of the standby is gone', rowGone);
    rounds(it1, 12, isQuiet);
    expect(it1.text()).toContain('MCA01113');
    expect(it1.text()).not.toContain('MCA01055');
    expect(it1.state.change).toBeNull();
  });

  it('fallback with reference addresses: a primary that is cut off stops, and stays down until it is not', async () => {
    const it1 = answers(primary({ referenceAddresses: gateway })).after(
      10,
      'the row of the standby is gone',
      answer(report('primary', { senders: [] })),
    );
    rounds(it1, 5, isQuiet)
      .after(200, 'nothing of it is left', { kind: 'instance-stopped', proof: null })
      .status();
    rounds(it1, 20, isQuiet);
    expect(it1.text().split('MCA01055').length).toBe(2);
    expect(it1.state.own.phase).toBe('waiting');
    it1
      .after(300, 'server2 is heard, and is still a standby', heard(view('server2', 'standby', told(2))))
      .after(2000, 'postgres is ready', { kind: 'instance-started' })
      .status();
    await expect(it1.remember().text()).toMatchFileSnapshot(golden('primary-cut-off'));
  });

  it('a primary that starts without its state file and hears nobody asks the reference addresses first', async () => {
    const it1 = new Conversation('server1', 2, { referenceAddresses: gateway }).after(
      0,
      'the host has booted; its state file is lost',
      boot({ named: ['server2'] }),
    );
    rounds(it1, 10, isQuiet);
    expect(it1.state.own.phase).toBe('waiting');
    await expect(rounds(it1, 1, answers).remember().text()).toMatchFileSnapshot(
      golden('primary-starts-cut-off'),
    );
    expect(it1.state.own.phase).toBe('starting');
  });

  it('an address that does not answer is reported, and when it does again', () => {
    const two = ['192.0.2.1', '192.0.2.2'];
    const it1 = primary({ referenceAddresses: two });
    const round = (answered: readonly string[]) => {
      it1.after(10, 'server2 is heard', heard(view('server2', 'standby', told(2))));
      for (let at = 0; at < 10_400; at += 800)
        it1.silence(800).after(1, 'server2 is heard', heard(view('server2', 'standby', told(2))));
      it1.after(1, 'a round ends', references(answered));
    };
    for (let turn = 0; turn < 3; turn += 1) round(gateway);
    expect(it1.text()).toContain(
      '192.0.2.2 has not answered since the controller started: it does not count (MCA01111)',
    );
    expect(it1.state.mirroring).toMatchObject({
      status: 'switchable',
      reason: 'no answer to server1 from its reference address 192.0.2.2',
    });
    for (let turn = 0; turn < 3; turn += 1) round([]);
    expect(it1.text()).toContain('the reference address 192.0.2.1 does not answer any more (MCA01110)');
    round(two);
    expect(it1.text().split('MCA01112').length).toBe(3);
    expect(it1.state.mirroring.reason).toBe('');
    expect(it1.state.own.phase).toBe('running');
  });

  it('fallback: the primary goes on alone', async () => {
    const it1 = primary()
      .silence(4000)
      .after(10, 'the row of the standby is gone', answer(report('primary', { senders: [] })))
      .silence(2400)
      .after(20, 'the names are commented out', { kind: 'names-set', ids: [], needed: 0 })
      .after(20, 'the instance answers', answer(report('primary', out)))
      .status();
    await expect(it1.remember().text()).toMatchFileSnapshot(golden('lost-standby-fallback'));
  });

  it('message: nobody moves', async () => {
    const it1 = standby({ heartbeatErrorAction: 'message' })
      .silence(4000)
      .after(10, 'nothing comes from the primary', cutOff)
      .silence(8000)
      .status();
    await expect(it1.remember().text()).toMatchFileSnapshot(golden('lost-primary-message'));
  });

  it('command: it is asked, and its word counts', async () => {
    const verdict = (yes: boolean, why: string): Happening => ({
      kind: 'command-ended',
      command: 'arbitration',
      target: 'server1',
      yes,
      why,
    });
    const it1 = standby({ heartbeatErrorAction: 'command', arbitrationCommand: '/usr/local/bin/ask' })
      .silence(4000)
      .after(10, 'nothing comes from the primary', cutOff)
      .silence(1600)
      .after(300, 'the command ends with 1', verdict(false, 'exit status 1'))
      .silence(16_000)
      .after(300, 'the command ends with 0', verdict(true, 'exit status 0'));
    await expect(promotion(it1).remember().text()).toMatchFileSnapshot(golden('lost-primary-command'));
  });
});

describe('faults that a controller sees for itself', () => {
  const given = (it: Conversation) =>
    it
      .after(30, 'nothing of it is left', { kind: 'instance-stopped', proof: null })
      .after(
        300,
        'server2 is primary',
        heard(
          view('server2', 'primary', { report: report('primary', { ...out, timeline: 2 }), lastTimeline: 2 }),
        ),
      )
      .status();

  it('the instance of the primary is down', async () => {
    const it1 = primary().after(100, 'the postmaster is gone', {
      kind: 'instance-check',
      outcome: { kind: 'gone' },
    });
    await expect(given(it1).remember().text()).toMatchFileSnapshot(golden('primary-instance-down'));
  });

  it('the instance of a primary is down while nobody can take over', async () => {
    const gone: Happening = { kind: 'instance-check', outcome: { kind: 'gone' } };
    const leaving = (epoch: number) =>
      heard(
        view('server2', 'standby', { phase: 'stopped', report: null, leaving: 'instance', ...told(epoch) }),
      );
    const failed: Happening = { kind: 'start-failed', why: 'could not locate a valid checkpoint record' };
    const alone = primary()
      .after(100, 'server2 is being stopped', leaving(2))
      .after(20, 'server2 knows that it is out', leaving(3))
      .after(20, 'the names are commented out', { kind: 'names-set', ids: [], needed: 0 })
      .after(20, 'the instance answers', answer(report('primary', out)))
      .silence(800)
      .after(50, 'server2 is stopped', leaving(4))
      .after(100, 'the postmaster is gone', gone)
      .after(900, 'the postmaster ends before it is ready', failed);
    for (const seconds of [4, 16, 64]) {
      for (let at = 0; at < seconds; at += 4) alone.silence(4000).after(1, 'server2 is stopped', leaving(4));
      alone.after(900, 'the postmaster ends before it is ready', failed);
    }
    alone
      .silence(1600)
      .status()
      .silence(4800)
      .after(1, 'server2 is stopped', leaving(4))
      .after(200, 'mc_ctl start', { kind: 'control', id: 1, request: { kind: 'start' } });
    alone.after(900, 'the postmaster is ready', { kind: 'instance-started' });
    await expect(alone.text()).toMatchFileSnapshot(golden('primary-alone-down'));
  });

  it('the instance of a primary is down, and the standby is not heard', async () => {
    const it1 = primary()
      .silence(8000)
      .after(100, 'the postmaster is gone', { kind: 'instance-check', outcome: { kind: 'gone' } })
      .silence(8000)
      .after(100, 'server2 is heard; it has not taken over', heard(view('server2', 'standby', told(2))))
      .status();
    await expect(it1.text()).toMatchFileSnapshot(golden('primary-down-standby-silent'));
  });

  it('the standby declines: the old primary is started again', async () => {
    const declined = {
      id: Date.UTC(2026, 10, 20, 12, 0, 0) + 965,
      why: 'the instance of server2 does not run',
    };
    const it1 = primary()
      .after(100, 'the postmaster is gone', { kind: 'instance-check', outcome: { kind: 'gone' } })
      .after(30, 'nothing of it is left', { kind: 'instance-stopped', proof: null });
    const id = it1.state.giving?.handover.id ?? declined.id;
    it1
      .after(
        20,
        'server2 refuses',
        heard(view('server2', 'standby', { ...told(2), declined: { ...declined, id } })),
      )
      .after(900, 'the postmaster is ready', { kind: 'instance-started' })
      .after(10, 'the instance answers', answer(report('primary')))
      .status();
    await expect(it1.text()).toMatchFileSnapshot(golden('failover-declined'));
  });

  it('the controller of the primary hangs, its instance goes on', async () => {
    const streaming = answer(report('standby'));
    const it1 = standby();
    for (let look = 0; look < 6; look += 1)
      it1.silence(800).after(50, 'WAL still comes from server1', streaming);
    it1.after(
      100,
      'systemd has restarted it',
      heard(view('server1', 'primary', { incarnation: 'second', sync: inSync })),
    );
    await expect(it1.status().text()).toMatchFileSnapshot(golden('controller-hangs'));
  });

  it('a former primary returns while the standby that may have taken over is not heard', async () => {
    const restored = primary().state.persisted;
    const it1 = new Conversation('server1')
      .after(0, 'the host has booted; server2 was allowed to take over', boot({ restored }))
      .silence(8000)
      .status()
      .after(60_000, 'mc_ctl start: a person has decided', {
        kind: 'control',
        id: 1,
        request: { kind: 'start' },
      })
      .silence(8000);
    await expect(it1.text()).toMatchFileSnapshot(golden('former-primary-waits'));
  });

  it('the instance of the primary does not answer, with action failover', async () => {
    const late: Happening = { kind: 'instance-check', outcome: { kind: 'timeout' } };
    const it1 = primary({ dbInstanceTimeoutAction: 'failover' });
    for (let check = 1; check <= 3; check += 1) it1.after(1800, 'no answer in time', late);
    await expect(given(it1).remember().text()).toMatchFileSnapshot(golden('primary-no-answer'));
  });

  const unanswered = (it1: Conversation, checks: number, other = view('server2', 'standby', told(2))) => {
    const late: Happening = { kind: 'instance-check', outcome: { kind: 'timeout' } };
    for (let check = 1; check <= checks && it1.state.giving === null; check += 1)
      it1.silence(1600).after(100, 'server2 is heard', heard(other)).after(100, 'no answer in time', late);
    return it1;
  };

  it('the instance of the primary does not answer for longer than the delay', async () => {
    const it1 = unanswered(primary({ dbInstanceFailoverDelayMs: 8000 }), 4);
    // Under load a query gets through now and then: the time begins anew.
    it1.after(300, 'the instance answers', answer(report('primary')));
    unanswered(it1, 5);
    expect(it1.state.giving).toBeNull();
    await expect(given(unanswered(it1, 1)).remember().text()).toMatchFileSnapshot(
      golden('primary-no-answer-for-long'),
    );
  });

  it('without a word in the configuration the delay is a minute', () => {
    expect(unanswered(primary(), 33).state.giving).toBeNull();
    expect(unanswered(primary(), 36).state.giving?.handover.to).toBe('server2');
  });

  it('the instance of the primary does not answer, and nobody can take over: nothing is stopped', () => {
    const waits = view('server2', 'standby', { phase: 'waiting', report: null, ...told(2) });
    for (const dbInstanceTimeoutAction of ['failover', 'delayed_failover'] as const) {
      const it1 = unanswered(primary({ dbInstanceTimeoutAction }), 60, waits);
      expect(it1.state.own.phase).toBe('silent');
      expect(it1.text()).not.toContain('stop the instance');
      expect(unanswered(it1, 1).text()).toContain('stop the instance (immediate)');
    }
  });

  it('a disk of the primary fails', async () => {
    const bad: Happening = { kind: 'disk-check', part: 'data', ok: false, error: '/database/inst1: EIO' };
    const it1 = primary();
    for (let check = 1; check <= 3; check += 1) it1.after(800, 'the data disk fails a check', bad);
    await expect(given(it1).remember().text()).toMatchFileSnapshot(golden('primary-disk'));
  });

  it('the other side of a failover: the primary hands over', async () => {
    const handover = { id: 7, kind: 'failover', to: 'server2', checkpoint: null } as const;
    const it1 = standby().after(
      100,
      'server1 has stopped and hands over',
      heard(view('server1', 'primary', { phase: 'stopped', report: null, sync: inSync, handover })),
    );
    await expect(promotion(it1).remember().text()).toMatchFileSnapshot(golden('handed-over'));
  });

  const disconnected = (words: string, change: Parameters<typeof view>[2]) =>
    primary()
      .after(100, words, heard(view('server2', 'standby', { ...change, ...told(2) })))
      .after(
        20,
        'server2 confirms that it is out',
        heard(view('server2', 'standby', { ...change, ...told(3) })),
      )
      .after(20, 'the names are commented out', { kind: 'names-set', ids: [], needed: 0 })
      .after(20, 'the instance answers', answer(report('primary', out)))
      .status();

  it('the instance of the standby is down, and comes back', async () => {
    const back = sender('server2', 'streaming', 'async');
    const it1 = disconnected('server2 tells that its instance is down', { phase: 'down', report: null })
      .after(60_000, 'it streams again', heard(view('server2', 'standby', told(4))))
      .after(
        10,
        'the instance answers',
        answer(report('primary', { synchronousStandbyNames: '', senders: [back] })),
      )
      .after(50, 'the names are back', { kind: 'names-set', ids: ['server2'], needed: 1 })
      .after(50, 'the instance answers', answer(report('primary')))
      .after(50, 'the checkpoint is done', { kind: 'checkpointed', purpose: 'proof', why: null })
      .after(50, 'the instance answers', answer(report('primary')))
      .status();
    await expect(it1.remember().text()).toMatchFileSnapshot(golden('standby-instance-down'));
  });

  it('a disk of the standby fails', async () => {
    const it1 = disconnected('server2 tells that its WAL disk has failed', {
      failedDisks: ['transaction_log'],
    });
    await expect(it1.remember().text()).toMatchFileSnapshot(golden('standby-disk'));
  });

  it('the standby receives nothing, although its controller is heard', async () => {
    const quiet = view('server2', 'standby', { report: report('standby', { receiver: null }), ...told(2) });
    const knows = view('server2', 'standby', { report: report('standby', { receiver: null }), ...told(3) });
    const it1 = primary();
    for (let look = 0; look < 8; look += 1) {
      it1.silence(800).after(10, 'server2 receives nothing', heard(quiet));
      it1.after(10, 'its row is gone', answer(report('primary', { senders: [] })));
    }
    it1
      .after(20, 'server2 confirms that it is out', heard(knows))
      .after(20, 'the names are commented out', { kind: 'names-set', ids: [], needed: 0 })
      .status();
    await expect(it1.remember().text()).toMatchFileSnapshot(golden('standby-receives-nothing'));
  });

  it('the log transfer network is cut: the time to give up runs from the last sign, not from wal_sender_timeout', async () => {
    const stuck = { ...sender('server2'), lagBytes: 64 };
    const cut = report('standby', { receiver: null });
    const it1 = primary();
    for (let look = 0; look < 7; look += 1) {
      it1.silence(800).after(10, 'server2 is heard', heard(view('server2', 'standby', told(2))));
      it1.after(
        100,
        'its row stands still',
        answer(report('primary', { senders: [stuck], lsn: '0/30000A0' })),
      );
    }
    it1
      .silence(800)
      .after(10, 'server2 receives nothing', heard(view('server2', 'standby', { report: cut, ...told(2) })))
      .after(100, 'its row is gone', answer(report('primary', { senders: [], lsn: '0/30000A0' })))
      .after(
        20,
        'server2 confirms that it is out',
        heard(view('server2', 'standby', { report: cut, ...told(3) })),
      )
      .status();
    await expect(it1.text()).toMatchFileSnapshot(golden('log-transfer-cut'));
  });

  it('the standby has much WAL yet to replay', async () => {
    const behind = (megabytes: number) =>
      answer(
        report('primary', { senders: [{ ...sender('server2'), replayLagBytes: megabytes * 1024 ** 2 }] }),
      );
    const it1 = primary()
      .after(100, 'it has 1000 MB yet to replay', behind(1000))
      .after(800, 'it has 1500 MB yet to replay', behind(1500))
      .status()
      .after(800, 'it has 700 MB yet to replay', behind(700))
      .after(800, 'it has 400 MB yet to replay', behind(400))
      .status();
    await expect(it1.remember().text()).toMatchFileSnapshot(golden('standby-replays-late'));
  });

  it('a limit of 0 is none, and the standby sees what its primary says', () => {
    const behind = answer(
      report('primary', { senders: [{ ...sender('server2'), replayLagBytes: 2 ** 40 }] }),
    );
    expect(primary({ replayLagWarningBytes: 0 }).after(100, '', behind).state.lagging).toEqual([]);
    const it1 = standby().after(
      100,
      '',
      heard(view('server1', 'primary', { sync: inSync, lagging: ['server2'] })),
    );
    expect(it1.state.mirroring).toMatchObject({
      status: 'switchable',
      reason: expect.stringMatching(/^server2 /),
    });
  });

  it('with failover off there are messages only', async () => {
    const it1 = primary()
      .after(10, 'mc_ctl disable-failover', {
        kind: 'control',
        id: 1,
        request: { kind: 'set-failover', enabled: false },
      })
      .after(100, 'the postmaster is gone', { kind: 'instance-check', outcome: { kind: 'gone' } })
      .status();
    await expect(it1.remember().text()).toMatchFileSnapshot(golden('failover-off'));
  });
});

describe('a switch on request', () => {
  const asked = () =>
    primary()
      .after(100, 'mc_ctl switch', {
        kind: 'control',
        id: 9,
        request: { kind: 'switch', force: false, noFencing: false },
      })
      .after(200, 'the checkpoint is done', { kind: 'checkpointed', purpose: 'switch', why: null })
      .after(10, 'the instance answers', answer(report('primary')));
  const proof = { state: 'shut down', checkpoint: '0/3000100', idle: true };

  it('goes well', async () => {
    const it1 = asked()
      .after(150, 'the instance has stopped', { kind: 'instance-stopped', proof })
      .after(
        200,
        'server2 is primary',
        heard(
          view('server2', 'primary', { report: report('primary', { ...out, timeline: 2 }), lastTimeline: 2 }),
        ),
      )
      .after(30, 'it points there now', { kind: 'followed' })
      .after(200, 'the postmaster is ready', { kind: 'instance-started' })
      .status();
    await expect(it1.remember().text()).toMatchFileSnapshot(golden('switch'));
  });

  it('the stop was cut short: server1 starts again when server2 has said that it is no primary', async () => {
    const cut = { state: 'shutting down', checkpoint: '0/3000060', idle: true };
    const it1 = asked()
      .after(60_000, 'its limit has passed', { kind: 'instance-stopped', proof: cut, endedSenders: 1 })
      .after(50, 'server2 says what it said before', heard(view('server2', 'standby', { echoes: {} })));
    expect(it1.state.own.phase).toBe('waiting');
    const { incarnation, seq } = it1.state;
    const echoes = { server1: { incarnation, seq } };
    it1.after(400, 'server2 answers', heard(view('server2', 'standby', { seq: 1, echoes })));
    await expect(it1.text()).toMatchFileSnapshot(golden('switch-cut-short'));
    expect(it1.state.own.phase).toBe('starting');
  });

  it('the proof fails: writes go on where they were', async () => {
    const why = 'it received WAL up to 0/3000060, but the shutdown checkpoint is at 0/3000100';
    const it1 = asked().after(150, 'the instance has stopped', { kind: 'instance-stopped', proof });
    const id = it1.state.giving?.handover.id ?? 0;
    it1
      .after(50, 'server2 refuses', heard(view('server2', 'standby', { declined: { id, why } })))
      .after(300, 'the postmaster is ready', { kind: 'instance-started' });
    await expect(it1.remember().text()).toMatchFileSnapshot(golden('switch-proof-fails'));
  });
});
