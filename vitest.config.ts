import { defineConfig } from 'vitest/config';

/** Two projects: `unit` needs nothing but Node; `lab` needs root on Debian and real hosts. */
export default defineConfig({
  test: {
    projects: [
      {
        test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: ['test/lab/**'], testTimeout: 20_000 },
      },
      {
        test: {
          name: 'lab',
          include: ['test/lab/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 300_000,
          fileParallelism: false,
          globalSetup: ['test/lab/harness/global-setup.ts'],
        },
      },
    ],
  },
});
