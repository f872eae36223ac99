/** Which addresses of client rules are reached over a network. */
import { expect, it } from 'vitest';
import { crossesNetwork } from '../../src/inventory/client-rules.ts';

it.each([
  ['10.0.0.0/8', true],
  ['127.0.0.1/32', false],
  ['127.0.0.0/8', false],
  ['127.0.0.0/7', true],
  ['::1/128', false],
  ['::1/127', true],
  ['::1/0', true],
  ['samehost', false],
  ['all', true],
])('%s is reached over a network: %s', (address, crosses) => {
  expect(crossesNetwork(address)).toBe(crosses);
});
