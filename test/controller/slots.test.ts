/** Slots for standbys and the list of those that consumers wait for: who gets one, who is waited for, and what is dropped. */
import { describe, expect, it } from 'vitest';
import type { FailoverSlot, InstanceReport, SlotReport } from '../../src/controller/core/view.ts';
import { answer, boot, Conversation, heard, inSync, report, view } from './support/conversation.ts';

const own = (name: string, active: boolean, keeps = active) => ({
  name: `pgduet_for_${name}`,
  active,
  keeps,
});
const slots = (more: Partial<SlotReport> = {}): SlotReport => ({
  wanted: true,
  waitedFor: '',
  standbys: [own('server2', true)],
  failover: [],
  ...more,
});
const primarySees = (more: Partial<SlotReport> = {}, rest: Partial<InstanceReport> = {}) =>
  answer(report('primary', { slots: slots(more), ...rest }));

const begun = (more: Partial<SlotReport> = {}): Conversation =>
  new Conversation('server1')
    .after(0, '', boot({ running: true }))
    .after(10, '', primarySees(more))
    .after(5, '', heard(view('server2', 'standby')));

const done = { kind: 'slots-set', why: null } as const;
const lines = (it1: Conversation): readonly string[] =>
  it1
    .text()
    .split('\n')
    .flatMap((line) => /slots: (.*)$/.exec(line)?.[1] ?? []);
const proves = (it1: Conversation): boolean => it1.text().includes('CHECKPOINT');

describe('the primary', () => {
  it('does nothing where no standby is to follow slots, and before PostgreSQL 17', () => {
    expect(lines(begun({ wanted: false, standbys: [] }))).toEqual([]);
    const old = new Conversation('server1')
      .after(0, '', boot({ running: true }))
      .after(10, '', answer(report('primary', { slots: null })))
      .after(10, '', answer(report('primary')));
    expect(lines(old)).toEqual([]);
  });

  it('makes a slot for each standby, and lets consumers wait once it is used', () => {
    const it1 = begun({ standbys: [] });
    expect(lines(it1)).toEqual(['make server2']);
    it1.after(10, '', done).after(1100, '', primarySees({ standbys: [own('server2', false)] }));
    expect(lines(it1)).toEqual(['make server2']);
    it1.after(100, '', primarySees());
    expect(lines(it1)).toEqual(['make server2', 'consumers wait for server2']);
    expect(it1.text()).toContain('MCA01140');
  });

  it('proves a standby once consumers wait for it, so that they are not ahead of it when it takes over', () => {
    const it1 = begun();
    expect(proves(it1)).toBe(false);
    it1.after(10, '', done).after(10, '', primarySees({ waitedFor: 'pgduet_for_server2' }));
    expect(proves(it1)).toBe(true);
  });

  it('proves one that streams without its slot, for which nobody waits', () => {
    expect(proves(begun({ standbys: [own('server2', false)] }))).toBe(true);
  });

  it('goes on where the list cannot be changed: it is said once, and tried again', () => {
    const why = 'postgresql.auto.conf overrides synchronized_standby_slots of postgresql.conf';
    const it1 = begun().after(10, '', { kind: 'slots-set', why });
    it1.after(10, '', primarySees());
    expect(proves(it1)).toBe(true);
    it1.after(5000, '', primarySees()).after(10, '', { kind: 'slots-set', why });
    expect(lines(it1)).toHaveLength(2);
    expect(it1.text().match(/MCA01142/g)).toHaveLength(1);
  });

  const named = { waitedFor: 'pgduet_for_server2' };
  const inForce = begun(named).after(20, '', { kind: 'checkpointed', purpose: 'proof', why: null });

  it('keeps one on the list whose connection broke, as commits wait for it', () => {
    const it1 = inForce.after(1100, '', primarySees({ ...named, standbys: [own('server2', false, true)] }));
    expect(lines(it1)).toEqual([]);
  });

  it('keeps nothing for one that is out: its slot is made anew, and its name goes', () => {
    const it1 = begun({ ...named, standbys: [own('server2', false, true)] }).after(
      10,
      '',
      primarySees(
        { waitedFor: 'pgduet_for_server2', standbys: [own('server2', false, true)] },
        { synchronousStandbyNames: '', senders: [] },
      ),
    );
    expect(lines(it1)).toEqual(['consumers wait for nobody; renew server2']);
  });

  it('drops what is left when the setting goes, and the slot of nobody', () => {
    const it1 = begun({ wanted: false, ...named, standbys: [own('server2', false)] });
    expect(lines(it1)).toEqual(['consumers wait for nobody; drop pgduet_for_server2']);
    expect(lines(begun({ ...named, standbys: [own('server2', true), own('server1', false, true)] }))).toEqual(
      ['drop pgduet_for_server1'],
    );
  });
});

describe('a standby', () => {
  const left: FailoverSlot = { name: 's', active: false, synced: false, confirmed: '0/3000000' };
  const standby = (mine: Partial<SlotReport>, theirs: readonly FailoverSlot[] | null): Conversation =>
    new Conversation('server2')
      .after(0, '', boot({ running: true, standby: true }))
      .after(
        5,
        '',
        heard(
          view('server1', 'primary', {
            sync: inSync,
            report: report('primary', theirs === null ? {} : { slots: slots({ failover: theirs }) }),
          }),
        ),
      )
      .after(10, '', answer(report('standby', { slots: slots({ standbys: [], ...mine }) })));

  it('keeps no WAL for others', () => {
    expect(lines(standby({ standbys: [own('server1', false, true)] }, []))).toEqual([
      'drop pgduet_for_server1',
    ]);
  });

  it('drops a slot from its time as primary that the primary has as far', () => {
    const it1 = standby({ failover: [left] }, [{ ...left, synced: true }]);
    expect(lines(it1)).toEqual(['drop s']);
    expect(it1.text()).toContain('MCA01141');
  });

  it('leaves it where it is the only one, is further, is used, follows another, or where nothing is known', () => {
    const further = { ...left, confirmed: '0/2FFFFFF' };
    expect(lines(standby({ failover: [left] }, []))).toEqual([]);
    expect(lines(standby({ failover: [left] }, [{ ...left, name: 't' }]))).toEqual([]);
    expect(lines(standby({ failover: [left] }, [further]))).toEqual([]);
    expect(lines(standby({ failover: [left] }, null))).toEqual([]);
    expect(lines(standby({ failover: [{ ...left, active: true }] }, [left]))).toEqual([]);
    expect(lines(standby({ failover: [{ ...left, synced: true }] }, [left]))).toEqual([]);
  });
});
