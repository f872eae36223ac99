/** The runbook of a management directory that is lost: that of the primary, whose controller runs on. */
import { expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { lose } from '../lost/losing.ts';
import { headingsOf } from '../support/runbook.ts';
import { describePage, writes } from './page.ts';

const page = 'lost-management-directory.md';

describePage(page, 'message', (scene) => [
  {
    heading: 'Look',
    before: () => lose(scene().server1, 'runs'),
    exits: { 'pgduet status -i inventory.yml': 1, 'pgduet check -i inventory.yml': 2 },
  },
  { heading: 'Is it only not mounted?' },
  { heading: 'Make it anew', after: () => writes(scene()) },
]);

describeLab(`each section of ${page}`, () => {
  labTest('is run', async () => {
    expect(headingsOf(page)).toEqual(['Look', 'Is it only not mounted?', 'Make it anew']);
  });
});
