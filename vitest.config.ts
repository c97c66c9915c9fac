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
    setupFiles: ['reflect-metadata'],
    // Two cores: more workers than that only make sockets wait for each other.
    maxWorkers: 2,
    testTimeout: 20_000,
    projects: [
      { extends: true, test: { name: 'ioredis 6', include: ['test/**/*.spec.ts'] } },
      {
        extends: true,
        // The oldest ioredis that the peer range allows, where the newest is used otherwise.
        resolve: { alias: [{ find: /^ioredis$/, replacement: 'ioredis-5' }] },
        test: {
          name: 'ioredis 5',
          include: [
            'test/backplane/redis-*.spec.ts',
            'test/**/{emitter,redis-admission,redis-tickets}.spec.ts',
          ],
        },
      },
    ],
  },
});
