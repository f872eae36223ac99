/** `pgduet migrate`, broken off by every accident. What is proven: interrupted.ts. */
import { describeInterrupted } from './interrupted.ts';

describeInterrupted({
  verb: 'migrate',
  form: 'ownUnit',
  seed: 20_261_121,
  titleOf: ({ kind, continues }) => `${kind}; ${continues ? 'migrate again' : 'teardown'}`,
  before: async () => undefined,
});
