/** Names and receivers that are no standbys of the cluster: nobody may take over while PostgreSQL takes them for one. */
import { describe, expect, it } from 'vitest';
import type { State } from '../../src/controller/core/state.ts';
import type { InstanceReport, Sender } from '../../src/controller/core/view.ts';
import { parseNames } from '../../src/postgres/standby-names.ts';
import {
  answer,
  boot,
  Conversation,
  heard,
  inSyncOfThree,
  recorded,
  report,
  sender,
  view,
} from './support/conversation.ts';

const golden = (name: string) => `./golden/${name}.txt`;

/** server1 is primary; the standby says what it has received. */
const standby = (change: Partial<InstanceReport> = {}) =>
  heard(view('server2', 'standby', { report: report('standby', change) }));

const inSync = () =>
  new Conversation('server1')
    .after(0, 'the controller starts and finds its instance running', boot({ running: true }))
    .after(10, 'the instance answers', answer(report('primary')))
    .after(5, 'server2 is a streaming standby', standby())
    .after(20, 'the checkpoint is done', { kind: 'checkpointed', purpose: 'proof', why: null })
    .after(20, 'the instance answers', answer(report('primary')))
    .silence(800);

const eligible = ({ sync }: State): readonly string[] => sync?.eligible ?? [];

/** In force, with the rows that the instance shows. */
const names = (text: string, ...senders: Sender[]) =>
  answer(report('primary', { synchronousStandbyNames: text, senders: [sender('server2'), ...senders] }));

/** From the next look on everything is as it should be: the standby is proven anew. */
const proven = (it: Conversation) =>
  it
    .after(800, 'everything is put right', answer(report('primary')))
    .after(20, 'the checkpoint is done', { kind: 'checkpointed', purpose: 'proof', why: null })
    .after(20, 'the instance answers', answer(report('primary')));

describe('a name in force that is no server of the cluster', () => {
  it('ends that server2 may take over, until it is gone', async () => {
    const it1 = inSync().after(800, 'a person has named barman', names('FIRST 1 (server2, barman)')).status();
    expect(eligible(it1.state)).toEqual([]);
    it1.after(800, 'the instance answers', names('FIRST 1 (server2, barman)'));
    expect(eligible(proven(it1).state)).toEqual(['server2']);
    await expect(it1.text()).toMatchFileSnapshot(golden('foreign-name'));
  });

  it.each(['ANY 1 (server2, "a,b)")', 'server2, server1', '*', 'FIRST 2 (server2, barman)'])('%s', (text) => {
    expect(eligible(inSync().after(800, 'the instance answers', names(text)).state)).toEqual([]);
  });

  it('is no server that is written in another way', () => {
    for (const text of ['SERVER2', '"Server2"', '1 (server2)', 'any 1 (server2,server2)'])
      expect(eligible(inSync().after(800, 'the instance answers', names(text)).state)).toEqual(['server2']);
  });

  it('leaves so many of ours as have a commit in any case', () => {
    const needed = (text: string) =>
      new Conversation('server1', 3)
        .after(0, 'the controller starts', boot({ running: true }))
        .after(10, 'the instance answers', answer(report('primary', { synchronousStandbyNames: text }))).state
        .sync?.needed;
    expect(needed('ANY 2 (server2, server3, barman)')).toBe(1);
    expect(needed('ANY 1 (server2, server3, barman)')).toBe(0);
    expect(needed('ANY 2 (server2, server3)')).toBe(2);
  });
});

describe('a receiver that uses the name of a standby', () => {
  it('beside it: nobody may take over', async () => {
    const clone = { ...sender('SERVER2'), address: '192.0.2.200' };
    const it1 = inSync().after(800, 'a clone has connected', names('server2', clone)).status();
    expect(eligible(it1.state)).toEqual([]);
    // Neither of the two tells where server2 is reached.
    expect(it1.state.addresses).toEqual({ server2: '192.0.2.110' });
    // It is not taken out: it says itself that it receives WAL.
    it1.silence(8000).after(10, 'server2 still streams', standby());
    it1.after(10, 'the instance answers', names('server2', clone));
    expect(it1.state.sync?.voters).toEqual(['server2']);
    expect(eligible(proven(it1).state)).toEqual(['server2']);
    await expect(it1.text()).toMatchFileSnapshot(golden('clone-beside'));
  });

  it('one that is only starting, or makes a backup, is none', () => {
    const it1 = inSync().after(800, 'it connects', names('server2', sender('server2', 'startup', 'async')));
    expect(eligible(it1.state)).toEqual(['server2']);
  });

  it('in its place: nobody may take over, and the standby is taken out', async () => {
    const it1 = inSync()
      .after(400, 'server2 receives nothing', standby({ receiver: null }))
      .after(
        400,
        'and yet its name has confirmed more',
        answer(report('primary', { lsn: '0/4000000', senders: [sender('server2')] })),
      )
      .status();
    expect(eligible(it1.state)).toEqual([]);
    const told = (it2: Conversation) =>
      heard(
        view('server2', 'standby', { report: report('standby', { receiver: null }), sync: it2.state.sync }),
      );
    for (let second = 0; second < 6; second += 1) it1.after(800, 'server2 is heard', told(it1)).silence(800);
    expect(it1.state.change).toMatchObject({ to: [], stage: 'setting' });
    await expect(it1.text()).toMatchFileSnapshot(golden('clone-in-place'));
  });

  it('a standby that falls silent with the stream of a crash has confirmed no more than it holds', () => {
    const it1 = inSync()
      .after(400, 'server2 receives nothing', standby({ receiver: null }))
      .after(10, 'the row still stands', answer(report('primary')));
    expect(eligible(it1.state)).toEqual(['server2']);
  });

  it('a proof needs the word of the standby itself', () => {
    const mark = answer(report('primary', { lsn: '0/4000000' }));
    const it1 = new Conversation('server1')
      .after(0, 'the controller starts', boot({ running: true }))
      .after(10, 'the instance answers', answer(report('primary')))
      .after(5, 'server2 is a streaming standby', standby())
      .after(20, 'the checkpoint is done', { kind: 'checkpointed', purpose: 'proof', why: null })
      .after(20, 'the instance answers; the row has everything', mark)
      .after(20, 'server2 is behind by its own word', standby());
    expect(eligible(it1.state)).toEqual([]);
    it1.after(800, 'server2 has it', standby({ lsn: '0/4000000' }));
    expect(eligible(it1.state)).toEqual(['server2']);
  });
});

/** server1 is primary of two, both in sync; `lsn` is where WAL ends, and what each standby holds by its own word. */
const rowsOf3 = (lsn: string, ...senders: Sender[]) =>
  answer(report('primary', { lsn, senders, synchronousStandbyNames: 'server2, server3' }));
const holds = (id: string, lsn: string) => heard(view(id, 'standby', { report: report('standby', { lsn }) }));
const [second, third] = [sender('server2'), { ...sender('server3'), address: '192.0.2.120' }];
const clone = { ...third, address: '192.0.2.200' };
const done = { kind: 'checkpointed', purpose: 'proof', why: null } as const;

const trio = (restored: State['persisted'] = null) =>
  new Conversation('server1', 3)
    .after(0, 'the controller starts and finds its instance running', boot({ running: true, restored }))
    .after(10, 'the instance answers', rowsOf3('0/3000060', second, third));

const trioInSync = () =>
  trio()
    .after(5, 'server2 holds all', holds('server2', '0/3000060'))
    .after(5, 'server3 holds all', holds('server3', '0/3000060'))
    .after(20, 'the checkpoint is done', done)
    .after(20, 'the instance answers', rowsOf3('0/3000060', second, third))
    .after(700, 'the instance answers', rowsOf3('0/3000060', second, third))
    .after(20, 'the next checkpoint is done', done)
    .after(20, 'the instance answers', rowsOf3('0/3000060', second, third));

/** Everybody is heard as before, and the WAL goes on; server3 says no more than it said last. */
const goesOn = (it: Conversation, ...rows: Sender[]) =>
  it
    .after(20, 'the checkpoint is done', done)
    .after(700, 'the instance answers', rowsOf3('0/5000000', second, ...rows))
    .after(10, 'server2 holds all', holds('server2', '0/5000000'));

const provenAnew = (it: Conversation, ...rows: Sender[]) =>
  it
    .after(20, 'server3 holds what was written since', holds('server3', '0/5000000'))
    .after(700, 'the instance answers', rowsOf3('0/5000000', second, ...rows))
    .after(20, 'the checkpoint is done', done)
    .after(20, 'the instance answers', rowsOf3('0/5000000', second, ...rows));

describe('a receiver that may be another one’s', () => {
  it('is the one that is left of several: until the standby itself holds what was written since', async () => {
    const it1 = trioInSync();
    expect(eligible(it1.state)).toEqual(['server2', 'server3']);
    it1
      .after(700, 'a clone has connected', rowsOf3('0/4000000', second, third, clone))
      .after(700, 'one of the two has gone', rowsOf3('0/4000000', second, third))
      .status();
    goesOn(it1, third);
    expect(it1.state.strangers).toEqual([{ kind: 'suspect', name: 'server3' }]);
    expect(eligible(it1.state)).toEqual([]);
    expect(eligible(provenAnew(it1, third).state)).toEqual(['server3', 'server2']);
    await expect(it1.text()).toMatchFileSnapshot(golden('one-of-several'));
  });

  it('comes from another address than before', () => {
    const it1 = trioInSync().after(700, 'server3 moves', rowsOf3('0/4000000', second, clone));
    expect(eligible(goesOn(it1, clone).state)).toEqual([]);
    // Not yet where others would follow server3.
    expect(it1.state.addresses.server3).toBe('192.0.2.120');
    expect(eligible(provenAnew(it1, clone).state)).toEqual(['server3', 'server2']);
    expect(it1.state.addresses.server3).toBe('192.0.2.200');
  });

  it('has confirmed more than a standby that received nothing when it fell silent', () => {
    const nothing = view('server3', 'standby', { report: report('standby', { receiver: null }) });
    const it1 = trioInSync()
      .after(400, 'server3 receives nothing', heard(nothing))
      .after(400, 'the instance answers', rowsOf3('0/4000000', second, third));
    expect(it1.state.strangers).toEqual([{ kind: 'row', name: 'server3' }]);
    it1.silence(9000).after(10, 'server2 is heard', holds('server2', '0/4000000'));
    expect(it1.state.peers.server3?.reach).toBe('lost');
    expect(eligible(goesOn(it1, third).state)).toEqual([]);
    expect(it1.state.suspects).toEqual(['server3']);
    // Its own word that it receives again is not enough.
    it1.after(10, 'server3 is heard', holds('server3', '0/4000000'));
    expect(eligible(goesOn(it1, third).state)).toEqual([]);
    expect(eligible(provenAnew(it1, third).state)).toEqual(['server3', 'server2']);
  });

  it('a proof that had begun before is none', () => {
    const it1 = trio()
      .after(5, 'server3 holds all', holds('server3', '0/3000060'))
      .after(20, 'the checkpoint is done', done)
      .after(20, 'a clone is there instead', rowsOf3('0/3000060', second, clone));
    expect(eligible(it1.state)).toEqual([]);
    expect(it1.state.proving).toMatchObject({ id: 'server3', stage: 'checkpoint' });
  });

  it('stays so when the controller starts anew, wherever it comes from then', () => {
    const before = trioInSync()
      .after(700, 'a clone has connected', rowsOf3('0/4000000', second, third, clone))
      .after(700, 'one of the two has gone', rowsOf3('0/4000000', second, third));
    const it1 = trio(before.state.persisted).after(5, 'server2 holds all', holds('server2', '0/3000060'));
    expect(eligible(goesOn(it1, third).state)).toEqual([]);
    expect(
      eligible(provenAnew(it1.after(5, 'server3 is heard', holds('server3', '0/3000060')), third).state),
    ).toEqual(['server3']);
    const it2 = trio(trioInSync().state.persisted);
    expect(eligible(it2.state)).toEqual(['server2', 'server3']);
    it2.after(700, 'a clone is there instead', rowsOf3('0/4000000', second, clone));
    expect(eligible(it2.state)).toEqual([]);
  });

  it('a standby that connects again from where it was is none', () => {
    const it1 = trioInSync()
      .after(700, 'server3 is away', rowsOf3('0/4000000', second))
      .after(700, 'it is back, and not heard yet', rowsOf3('0/4000000', second, third));
    expect(eligible(it1.state)).toEqual(['server2', 'server3']);
    expect(it1.state.proving).toBeNull();
  });

  it('one whose name is not in force holds nobody up', () => {
    const only = (...rows: Sender[]) =>
      answer(report('primary', { senders: [second, ...rows], synchronousStandbyNames: 'server2' }));
    const it1 = new Conversation('server1', 3)
      .after(0, 'the controller starts', boot({ running: true, named: ['server2'] }))
      .after(10, 'the instance answers', only(third))
      .after(5, 'server2 holds all', holds('server2', '0/3000060'))
      .after(20, 'the checkpoint is done', done)
      .after(20, 'the instance answers; another one has the name of server3', only(clone));
    expect(eligible(it1.state)).toEqual(['server2']);
  });

  it('joins the names when nobody believes any more that it may take over', () => {
    const only = (...rows: Sender[]) =>
      answer(report('primary', { senders: [second, ...rows], synchronousStandbyNames: 'server2' }));
    const out = { ...inSyncOfThree, eligible: ['server2'], voters: ['server2'] };
    const known = { server2: second.address, server3: third.address };
    const restored = recorded({ sync: out, origins: known });
    const it1 = new Conversation('server1', 3)
      .after(0, 'the controller starts', boot({ running: true, restored }))
      .after(10, 'the instance answers; another one has the name of server3', only(clone))
      .after(5, 'server2 holds all', heard(view('server2', 'standby', { sync: out })));
    expect(eligible(it1.state)).toEqual(['server2']);
    it1.after(20, 'server3 is heard, and received WAL when it looked last', holds('server3', '0/3000060'));
    expect(eligible(it1.state)).toEqual([]);
    expect(it1.state.change).toMatchObject({ stage: 'reporting', to: ['server2', 'server3'] });
    const { sync } = it1.state;
    it1.after(20, 'server2 knows', heard(view('server2', 'standby', { sync })));
    expect(it1.state.change).toMatchObject({ stage: 'setting', to: ['server2', 'server3'] });
  });
});

describe('synchronous_standby_names is read as the server reads it', () => {
  it.each([
    ['a, b', 1, ['a', 'b']],
    ['"a,b", "c(d)", "e""f"', 1, ['a,b', 'c(d)', 'e"f']],
    ['FIRST 2(a,b,c)', 2, ['a', 'b', 'c']],
    ['any  3 ( "x" , * )', 3, ['x', '*']],
    ['2 (a, 7)', 2, ['a', '7']],
    ['"first", "any"', 1, ['first', 'any']],
    ['*', 1, ['*']],
    [' ', 0, []],
  ])('%s', (text, needed, ids) => expect(parseNames(text)).toEqual({ needed, ids }));
});
