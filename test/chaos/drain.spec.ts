import { expect, it } from 'vitest';
import { runRig } from './rig-process.js';

it(
  '300 clients are sent away by SIGTERM one after another, and none is lost',
  { timeout: 120_000 },
  async () => {
    const { code, said } = await runRig('drain', ['--connections', '300', '--late-ms', '5000']);
    expect(said).not.toMatch(/^FAIL/m);
    expect(said.match(/^PASS {2}/gm)).toHaveLength(8);
    expect(code).toBe(0);
  },
);
