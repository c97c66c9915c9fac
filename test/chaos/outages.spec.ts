import { expect, it } from 'vitest';
import { runRig } from '../rig/process/rig-process.js';

const SHORT = ['--clients', '30', '--seconds-scale', '0.2', '--newcomers', '4'];
// Longer limits than the defaults, since other tests run in parallel.
const LONG_LIMITS = ['--newcomer-ms', '10000', '--recover-ms', '60000'];

it(
  'clients survive an outage of authentication, one of Redis and a rolling restart, and none needs a page reload',
  { timeout: 240_000 },
  async () => {
    const { code, output } = await runRig('outages', [...SHORT, ...LONG_LIMITS]);
    expect(output).not.toMatch(/^FAIL/m);
    expect(output.match(/^PASS {2}/gm)).toHaveLength(12);
    expect(code).toBe(0);
  },
);
