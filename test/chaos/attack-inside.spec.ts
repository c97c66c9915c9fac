import { expect, it } from 'vitest';
import { runRig } from '../rig/process/rig-process.js';

// The limit of 500 ms is for an idle machine; other tests run in parallel here.
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
  'hostile publications and misbehaving handlers end no node, and healthy clients are served meanwhile',
  { timeout: 240_000 },
  async () => {
    const { code, output } = await runRig('attack', SHORT);
    expect(output).not.toMatch(/^FAIL/m);
    expect(output.match(/^PASS {2}/gm)).toHaveLength(8);
    expect(code).toBe(0);
  },
);
