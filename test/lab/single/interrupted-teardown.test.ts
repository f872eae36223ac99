/** `pgduet teardown` of a migrated server, broken off by every accident. What is proven: interrupted.ts. */

import { describeInterrupted } from './interrupted.ts';
import { toTheEnd } from './interruption.ts';

describeInterrupted({
  verb: 'teardown',
  form: 'packaged',
  seed: 20_261_122,
  titleOf: ({ kind, continues, switched }) =>
    `${kind}${switched ? ', after a switch' : ''}; ${continues ? 'teardown again' : 'migrate'}`,
  before: async (trip, { switched }) => {
    await toTheEnd(trip, 'migrate');
    if (switched) await toTheEnd(trip, 'switch', '--to', trip.second.id);
  },
});
