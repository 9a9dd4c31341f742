import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'tests/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    // `#tf` is a built file: Node loads it as it is, untransformed.
    server: { deps: { external: [/\/dist\/tf\//] } },
  },
});
