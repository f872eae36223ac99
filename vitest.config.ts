/**
 * The projects of the test runner: `unit`, `alone` and `sim`, the controllers in a simulated world, need nothing but Node; `lab` needs root
 * on Debian and real hosts. scripts/test.mjs says when each of them runs. The files of the lab run side by side: each has a lab of
 * its own, and the two that use this machine as a host have directories of their own, no unit of systemd, and ports that nothing
 * else here uses.
 *
 * A worker of `unit` and of `lab` goes on with the next file, and with the modules that it has: to begin anew costs a third of a second of
 * a processor, and more for what a file imports. So what a module remembers must make no difference for another file. A file that plays
 * a module (`vi.mock`) would meet the real one there, or leave its own behind: it is named `*.alone.test.ts`, and begins anew.
 */
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/sequencer.ts';

// Each start of Node reads all certificates of the file that this names: two thirds of a start where it is set, and
// the tests make thousands. No test speaks to anything beyond this machine.
delete process.env.NODE_EXTRA_CA_CERTS;

const alone = 'test/**/*.alone.test.ts';
// For what hangs, and never a judgement: on a shared machine a test has taken five times as long as on a quiet one.
const patient = { testTimeout: 600_000, hookTimeout: 300_000 };

export default defineConfig({
  test: {
    // More than cores: most unit tests that take long wait for a server or a timer. A fourth one makes real controllers late on a slow machine,
    // and they act on that.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/lab/**', 'test/sim/**', alone],
          isolate: false,
          ...patient,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'alone',
          include: [alone],
          ...patient,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'sim',
          include: ['test/sim/**/*.test.ts'],
          // It takes what others leave of the machine, and its scenarios know no other clock than their own.
          testTimeout: 1_800_000,
          hookTimeout: 300_000,
          // One file has workers of its own for each core.
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'lab',
          include: ['test/lab/**/*.test.ts'],
          isolate: false,
          testTimeout: 600_000,
          hookTimeout: 900_000,
          setupFiles: ['test/lab/harness/left-open.ts'],
          globalSetup: ['test/lab/harness/global-setup.ts'],
          // A fourth one takes as long: two cores are busy then, and what waits for a second waits for three.
          maxWorkers: 3,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
