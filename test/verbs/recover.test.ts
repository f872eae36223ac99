/** What `pgduet recover` says of former primaries: how each becomes a standby again. */
import { expect, it } from 'vitest';
import { staying } from '../../src/verbs/recover.ts';

const gave = { name: 'server1', fork: '0/5000148', joins: true, promise: 'some' } as const;
const kept = { name: 'server3', promise: 'some' };
const text = (starts: readonly string[], ...formers: Parameters<typeof staying>[0]) =>
  staying(formers, (name) => starts.includes(name)).join('\n');

it('one that gave its role away, and is started, becomes one', () => {
  expect(text(['server1'], gave)).toContain('server1 had given the role away, and becomes a standby.');
  expect(text(['server1'], gave)).not.toContain('pgduet');
});

it('one that gave it away, and stays down, needs a start; any other one a rebuild', () => {
  const told = text([], gave, kept);
  expect(told).toContain('pgduet start server1');
  expect(told).not.toContain('pgduet rebuild server1');
  expect(told).toContain('pgduet rebuild server3');
});

it('of nobody nothing is said', () => {
  expect(text([])).toBe('');
});
