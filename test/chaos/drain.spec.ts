import { expect, it } from 'vitest';
import { runRig } from '../rig/process/rig-process.js';

it(
  'SIGTERM moves 300 clients to another node one after another, and loses none',
  { timeout: 120_000 },
  async () => {
    const { code, said } = await runRig('drain', ['--connections', '300', '--late-ms', '5000']);
    expect(said).not.toMatch(/^FAIL/m);
    expect(said.match(/^PASS {2}/gm)).toHaveLength(8);
    expect(code).toBe(0);
  },
);
