import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['__tests__/**/*.test.ts'],
    exclude: ['__tests__/cluster/**', '__tests__/testbed/**'],
    // Acceptance tests start processes and wait for a cluster; how long is said by the benchmark, not by a limit here.
    testTimeout: 300_000,
  },
});
