import { expect, it } from 'vitest';
import { runRig } from '../rig/process/rig-process.js';

// The bar of 500 ms is for a machine that does nothing else; here the other tests run beside it.
const SHORT = [
  '--inside',
  '--seconds',
  '5',
  '--warm-up',
  '3',
  '--min-inputs',
  '2000',
  '--max-p99-ms',
  '3000',
];

it(
  'hostile publications and misbehaving handlers end no node, and healthy clients are served beside them',
  { timeout: 240_000 },
  async () => {
    const { code, said } = await runRig('attack', SHORT);
    expect(said).not.toMatch(/^FAIL/m);
    expect(said.match(/^PASS {2}/gm)).toHaveLength(8);
    expect(code).toBe(0);
  },
);
