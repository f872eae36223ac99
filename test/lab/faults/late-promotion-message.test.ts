/** As late-promotion.test.ts, where a silence is left to a person: a file of its own, because both wait for more than a minute. */
import { describeLab, labTest } from '../harness/describe.ts';
import { built } from '../support/pgduet.ts';
import { lateForMoreThanAMinute } from './support/late.ts';
import { openPair } from './support/variants.ts';

describeLab('replay that stands still, on_heartbeat_loss: message', () => {
  labTest('a promotion hangs for longer than a minute, and ends with one primary', async () => {
    built();
    const pair = await openPair('message');
    try {
      await lateForMoreThanAMinute(pair);
    } finally {
      await pair.close();
    }
  });
});
