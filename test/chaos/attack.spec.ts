import { expect, it } from 'vitest';
import { runRig } from '../rig/process/rig-process.js';

// The limit of 100 ms is for an idle machine; other tests run in parallel here.
const SHORT = ['--seconds', '4', '--warm-up', '3', '--min-inputs', '10000', '--max-p99-ms', '2000'];

it(
  'a server under attack keeps serving, and returns to its earlier state',
  { timeout: 180_000 },
  async () => {
    const { code, output } = await runRig('attack', SHORT);
    expect(output).not.toMatch(/^FAIL/m);
    expect(output.match(/^PASS {2}/gm)).toHaveLength(7);
    expect(code).toBe(0);
  },
);
