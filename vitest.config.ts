/**
 * The projects of the test runner, one after the other: `unit` needs nothing but Node; `lab` needs root on Debian and real
 * hosts; the files of `machine` use this machine itself as a host, so each of them runs alone.
 */
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/sequencer.ts';

const thisMachine = ['test/lab/demo.test.ts', 'test/lab/single/this-machine.test.ts'];
const realHosts = {
  testTimeout: 180_000,
  hookTimeout: 300_000,
  globalSetup: ['test/lab/harness/global-setup.ts'],
};

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
          ...realHosts,
          name: 'lab',
          include: ['test/lab/**/*.test.ts'],
          exclude: thisMachine,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...realHosts,
          name: 'machine',
          include: thisMachine,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
