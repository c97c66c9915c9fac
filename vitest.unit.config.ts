import { mergeConfig } from 'vitest/config';
import config from './vitest.config.js';

// What runs in seconds, without Redis and without a browser: `npm run test:unit`, `npm run test:watch`.
const rooms = ['protocol', 'contract', 'connections', 'messages', 'broadcast', 'metrics', 'client'];

const unit = mergeConfig(config, {});
delete unit.test?.projects;

export default mergeConfig(unit, {
  test: {
    include: rooms.map((room) => `test/${room}/**/*.spec.ts`),
    exclude: [
      '**/node_modules/**',
      'test/contract/class-fuzz.spec.ts',
      'test/client/{react,bundle,renewal-over-server}.spec.ts',
      'test/client/runtimes/**',
    ],
  },
});
