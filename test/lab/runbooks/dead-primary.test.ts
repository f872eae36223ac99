/** The runbook of a dead primary: the standby takes over by itself, or a person makes it primary. */
import { expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { untilMirroring } from '../support/instance.ts';
import { headingsOf } from '../support/runbook.ts';
import { describePage, unreached, writes } from './page.ts';

describePage('dead-primary.md', 'plain', (scene) => [
  {
    heading: 'Look',
    before: async () => {
      await scene().server1.host.powerOff();
      await writes(scene());
      await untilMirroring(scene().server2, 'switched');
    },
    exits: unreached,
    after: () => writes(scene()),
  },
  {
    heading: 'The host is back',
    before: async () => {
      await scene().server1.host.powerOn();
      await untilMirroring(scene().server1, 'switched');
    },
    exits: { 'pgduet rebuild server1 --check -i inventory.yml': 2 },
    after: () => writes(scene()),
  },
  { heading: 'The former roles', after: () => writes(scene()) },
]);

describePage('dead-primary.md', 'message', (scene) => [
  {
    heading: 'Nobody has taken over',
    before: async () => {
      await scene().server1.host.powerOff();
      await untilMirroring(scene().server2, 'unknown');
    },
    exits: unreached,
    after: () => writes(scene()),
  },
  {
    heading: 'The host is back',
    before: async () => {
      await scene().server1.host.powerOn();
      await untilMirroring(scene().server1, 'switched');
    },
    exits: { 'pgduet rebuild server1 --check -i inventory.yml': 2 },
    after: () => writes(scene()),
  },
]);

describeLab('each section of dead-primary.md', () => {
  labTest('is run', async () => {
    const run = ['Look', 'The host is back', 'The former roles', 'Nobody has taken over'];
    expect(headingsOf('dead-primary.md')).toEqual(run);
  });
});
