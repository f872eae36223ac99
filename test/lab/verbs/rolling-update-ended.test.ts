/** `pgduet rolling-update` of a pair that a person ends, or goes on with without one of its servers. */
import { expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { expectExit } from '../support/pgduet.ts';
import { rollingPair, type Sheet } from './rolling-pair.ts';

describeLab('a rolling update of a pair that is ended', () => {
  const { pair, update, maintained } = rollingPair();

  labTest(
    'an end brings back what is out, and switches nothing; a server that is left out stays out by a person',
    async () => {
      expectExit(await update('--pause', '--alone', '--yes'), 2);
      const aborted = await update('--abort', '--yes');
      expectExit(aborted, 0);
      expect(aborted.json<Sheet>()).toMatchObject({ state: 'aborted', primary: 'server1' });
      expect(await maintained()).toEqual([]);
      expectExit(await update('--pause', '--alone', '--yes'), 2);
      const left = await update('--continue', '--skip', 'server2', '--yes');
      // Nobody is there to take over from server1.
      expectExit(left, 2);
      expect(left.json<Sheet>().left_out).toEqual(['server2', 'server1']);
      expect(await maintained()).toEqual([expect.stringMatching(/^server2 .*@/)]);
      expectExit(await pair().run('maintenance', 'end', 'server2', '--yes'), 0);
      await pair().untilSwitchable();
      expectExit(await update('--pause', '--alone', '--yes'), 2);
      const both = await update('--abort', '--skip', 'server2', '--yes');
      expectExit(both, 0);
      expect(both.json<Sheet>().state).toBe('aborted');
      expect(await maintained()).toEqual([expect.stringMatching(/^server2 .*@/)]);
      expectExit(await pair().run('maintenance', 'end', 'server2', '--yes'), 0);
      await pair().untilSwitchable();
    },
  );
});
