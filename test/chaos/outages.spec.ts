import { expect, it } from 'vitest';
import { runRig } from '../rig/process/rig-process.js';

const SHORT = ['--clients', '30', '--seconds-scale', '0.2', '--newcomers', '4'];
// Here the other tests run beside it.
const PATIENT = ['--newcomer-ms', '10000', '--recover-ms', '60000'];

it(
  'clients outlive an outage of authentication, one of Redis and a rolling restart, and none needs a page reload',
  { timeout: 240_000 },
  async () => {
    const { code, said } = await runRig('outages', [...SHORT, ...PATIENT]);
    expect(said).not.toMatch(/^FAIL/m);
    expect(said.match(/^PASS {2}/gm)).toHaveLength(12);
    expect(code).toBe(0);
  },
);
