/** The runbook of a dead standby: commits go on by themselves, or once a person takes it out, and it comes back. */
import { expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { until } from '../harness/run.ts';
import { mcCtlStatus, sql, untilMirroring } from '../support/instance.ts';
import { headingsOf } from '../support/runbook.ts';
import { describePage, unreached, writes } from './page.ts';

describePage('dead-standby.md', 'plain', (scene) => [
  {
    heading: 'Look',
    before: async () => {
      await scene().server2.host.powerOff();
      await writes(scene());
    },
    exits: unreached,
  },
  {
    heading: 'The host is back',
    before: () => scene().server2.host.powerOn(),
    after: () => writes(scene()),
  },
  {
    heading: 'It cannot follow any more',
    before: async () => {
      const { server1, server2 } = scene();
      await server2.host.powerOff();
      await writes(scene());
      await sql(server1, "alter system set wal_keep_size = '0'");
      await sql(server1, 'select pg_reload_conf()');
      for (let segment = 0; segment < 4; segment += 1) {
        await sql(server1, 'select pg_switch_wal()');
        await sql(server1, 'checkpoint');
      }
      await sql(server1, 'alter system reset wal_keep_size');
      await sql(server1, 'select pg_reload_conf()');
      await server2.host.powerOn();
    },
    after: () => writes(scene()),
  },
]);

describePage('dead-standby.md', 'message', (scene) => [
  {
    heading: 'Commits wait',
    before: async () => {
      const { pair, server1, server2 } = scene();
      await server2.host.cut();
      await untilMirroring(server1, 'not-switchable');
      expect(await pair.takesWrites(server1)).toBe(true);
    },
    after: () => writes(scene()),
  },
  {
    heading: 'It was only cut off',
    before: async () => {
      await scene().server2.host.heal();
      // server1 hears it, and sees that it runs.
      await until(
        () => 'server2 is not heard',
        30_000,
        async () =>
          (await mcCtlStatus(scene().server1)).includes('was taken out by a person') ? true : undefined,
      );
    },
    after: () => writes(scene()),
  },
]);

describeLab('each section of dead-standby.md', () => {
  labTest('is run', async () => {
    const run = [
      'Look',
      'The host is back',
      'It cannot follow any more',
      'Commits wait',
      'It was only cut off',
    ];
    expect(headingsOf('dead-standby.md')).toEqual(run);
  });
});
