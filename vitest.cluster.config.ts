import { defineConfig } from 'vitest/config';

/** Tests against the testbed, the real control plane: `npm run test:cluster`. What they need is in testbed/README.md. */
export default defineConfig({
  test: {
    include: ['__tests__/testbed/**/*.test.ts', '__tests__/cluster/**/*.test.ts'],
    // Every file starts a control plane of its own, about 1 GiB, and mostly waits for Flagger's ticks.
    maxWorkers: 2,
    // Flagger ticks every 10 s, so a rollout takes a minute and more; tests of a file run side by side.
    testTimeout: 420_000,
    // With more of them at once Flagger's events fall minutes behind: it writes them one by one.
    maxConcurrency: 32,
    // The first start builds everything.
    hookTimeout: 3_600_000,
  },
});
