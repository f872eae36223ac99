/**
 * The projects of the test runner, one after the other: `unit` needs nothing but Node; `lab` needs root on Debian and real
 * hosts. Its files run side by side: each has a lab of its own, and the two that use this machine as a host have directories of
 * their own, no unit of systemd, and ports that nothing else here uses.
 */
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/sequencer.ts';

export default defineConfig({
  test: {
    // More than cores: most unit tests that take long wait for a server or a timer.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/lab/**'],
          // For what hangs. On a busy machine a test of a hundred shells takes half a minute.
          testTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'lab',
          include: ['test/lab/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 300_000,
          globalSetup: ['test/lab/harness/global-setup.ts'],
          // A fourth one takes as long: two cores are busy then, and what waits for a second waits for three.
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
