import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { Lab } from '../harness/lab.ts';
import { Run } from '../trouble/trouble.ts';
import { Trip } from './trip.ts';

describeLab('adhoc', () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.open();
  });
  afterAll(() => lab?.close());
  for (let i = 0; i < 3; i++)
    labTest(`byHand ${i}`, async () => {
      const trip = await Trip.begin(lab, 'byHand', `n${i}`);
      const ended = await new Run(['migrate', '-i', trip.inventory, '--yes', '--verbose', '--diff']).ended;
      writeFileSync(
        `/tmp/forms-migrate-${i}.txt`,
        `${ended.stdout}\n-----\n${ended.stderr}\n${ended.status}`,
      );
      writeFileSync(
        `/tmp/forms-conf-${i}.txt`,
        (
          await trip.single.host.sh(
            'cat /database/inst1/postgresql.conf; cat /database/inst1/postgresql.auto.conf; journalctl -u mcoi_duo77 --no-pager',
          )
        ).stdout,
      );
      console.log(ended.status, ended.stderr.split('\n').slice(-8).join('\n'));
    });
});
