import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  // Examples import the package by its name.
  resolve: {
    alias: [
      { find: /^orbit-ts$/, replacement: here('src/index.ts') },
      { find: /^orbit-ts\/tf$/, replacement: here('dist/tf/index.js') },
    ],
  },
  test: {
    include: ['src/**/*.test.ts', 'tests/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    // `#tf` is a built file: Node loads it as it is, untransformed.
    server: { deps: { external: [/\/dist\/tf\//] } },
  },
});
