/** The promise in a state file, as pgduet reads it: what is not understood is nothing, and never less than there is. */
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { parseRecord } from '../../src/observe/record.ts';

const sync = {
  primary: 'server1',
  timeline: 1,
  epoch: 7,
  members: ['server2', 'server3'],
  eligible: ['server2'],
  voters: ['server2'],
  needed: 1,
};
const text = (state: unknown): string => JSON.stringify({ format: 1, version: '0', checksum: '', state });

it('tells who counts, and who may believe to', () => {
  expect(parseRecord(text({ sync, withdrawn: { server3: 9 } }))).toEqual({
    primary: 'server1',
    timeline: 1,
    term: 0,
    members: ['server2', 'server3'],
    voters: ['server2'],
    needed: 1,
    eligible: ['server2'],
    believers: ['server2', 'server3'],
    bound: false,
    seen: 0,
    whole: false,
  });
  expect(parseRecord(text({ sync: { ...sync, cells: [{ at: 'arb', id: 'x' }] } }))?.bound).toBe(true);
});

it('tells the timeline that its instance was seen on, and a term that it has won', () => {
  expect(parseRecord(text({ sync, timeline: 3 }))).toMatchObject({ seen: 3 });
  expect(parseRecord(text({ sync, vote: { term: 4, stage: 'won' } }))?.won).toBe(4);
  expect(parseRecord(text({ sync, vote: { term: 4, stage: 'back' } }))).not.toHaveProperty('won');
});

it('tells a role on its way, in either direction', () => {
  expect(parseRecord(text({ sync, handover: null, takeover: null }))).not.toHaveProperty('takeover');
  const wayOf = (more: object) => parseRecord(text({ sync, ...more }));
  expect(wayOf({ handover: { to: 'server2', kind: 'switch' } })?.handover).toEqual({
    to: 'server2',
    kind: 'switch',
  });
  expect(wayOf({ handover: 1 })?.handover).toEqual({ to: '', kind: '' });
  expect(wayOf({ takeover: { from: 'server1', kind: 'silence', stage: 'cut' } })?.takeover).toEqual({
    from: 'server1',
    kind: 'silence',
    stage: 'cut',
  });
  expect(wayOf({ takeover: true })?.takeover).toEqual({ from: '', kind: '', stage: '' });
});

it('knows one that its controller would believe', () => {
  const file = (state: object, more: object = {}): string => {
    const checksum = createHash('sha256').update(JSON.stringify(state)).digest('hex');
    return JSON.stringify({ format: 1, version: '0', checksum, state, ...more });
  };
  const whole = (given: string): boolean | undefined => parseRecord(given)?.whole;
  expect(whole(file({ sync, withdrawn: {} }))).toBe(true);
  expect(whole(file({ sync }).replace('"epoch":7', '"epoch":8'))).toBe(false);
  expect(whole(file({ sync }, { format: 2 }))).toBe(false);
  expect(whole(file({ sync: null, forgotten: true }))).toBe(false);
});

it('knows a controller that has promised nothing', () => {
  expect(parseRecord(text({ sync: null }))?.primary).toBeNull();
});

it.each([
  ['no file', ''],
  ['half of one', '{"state":{"sync":'],
  ['another form', '[1]'],
  ['no promise', text({})],
  ['names that are none', text({ sync: { ...sync, eligible: [1] } })],
  ['a promise of nobody', text({ sync: { ...sync, primary: 1 } })],
  ['believers of another form', text({ sync, withdrawn: 1 })],
])('takes %s for nothing', (_, given) => {
  expect(parseRecord(given)).toBeUndefined();
});
