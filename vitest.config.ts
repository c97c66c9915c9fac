import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const lib = (path: string) => fileURLToPath(new URL(`./lib/${path}`, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^nestjs-realtime$/, replacement: lib('index.ts') },
      { find: /^nestjs-realtime\/client$/, replacement: lib('client/index.ts') },
      { find: /^nestjs-realtime\/react$/, replacement: lib('client/react.ts') },
      { find: /^nestjs-realtime\/testing$/, replacement: lib('testing/index.ts') },
    ],
  },
  test: {
    include: ['test/**/*.spec.ts'],
    setupFiles: ['reflect-metadata'],
    // Two cores: more workers than that only make sockets wait for each other.
    maxWorkers: 2,
    testTimeout: 20_000,
  },
});
