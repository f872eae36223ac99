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
    whole: false,
  });
  expect(parseRecord(text({ sync: { ...sync, cells: [{ at: 'arb', id: 'x' }] } }))?.bound).toBe(true);
});

it('tells a role on its way, in either direction', () => {
  expect(parseRecord(text({ sync, handover: null, takeover: null }))).not.toMatchObject({ takeover: true });
  expect(parseRecord(text({ sync, handover: { to: 'server2' } }))?.handover).toBe('server2');
  expect(parseRecord(text({ sync, handover: 1 }))?.handover).toBeDefined();
  expect(parseRecord(text({ sync, takeover: { from: 'server1' } }))?.takeover).toBe(true);
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
