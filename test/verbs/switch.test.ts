/** How long a switch waits for the replay of its standby, as a person writes it. */
import { expect, it } from 'vitest';
import { maxWaitSeconds } from '../../src/verbs/switch.ts';

it.each([
  [undefined, undefined],
  ['0', 0],
  ['45', 45],
  ['90s', 90],
  ['5min', 300],
  ['2000ms', 2],
  ['24h', 86_400],
])('--max-wait %s is %s', (given, seconds) => {
  expect(maxWaitSeconds(given)).toBe(seconds);
});

it.each(['', 'soon', '-1', '1500ms', '86401', '2d'])('--max-wait %s is no time to wait', (given) => {
  expect(() => maxWaitSeconds(given)).toThrow(/--max-wait takes a time of whole seconds/);
});
