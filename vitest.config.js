import { defineConfig } from 'vitest/config';
export default defineConfig({
  test: {
    include: ['__tests__/**/*.test.ts'],
    exclude: ['__tests__/cluster/**', '__tests__/testbed/**'],
    testTimeout: 30_000,
  },
});
