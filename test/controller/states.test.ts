/**
 * docs/states.md is what the golden conversations go through. They are held once more here, because a page about all of
 * them can only be written by a file that has seen them all.
 */
import './core.test.ts';
import './faults.test.ts';
import './status.test.ts';
import { expect, it } from 'vitest';
import { statesDocument } from './support/stages.ts';

it('docs/states.md is up to date', async () => {
  await expect(statesDocument()).toMatchFileSnapshot('../../docs/states.md');
});
