import { expect, it } from 'vitest';
import { runRig } from '../rig/process/rig-process.js';

it(
  'SIGTERM moves 300 clients to another node one after another, and loses none',
  { timeout: 120_000 },
  async () => {
    const { code, output } = await runRig('drain', ['--connections', '300', '--late-ms', '5000']);
    expect(output).not.toMatch(/^FAIL/m);
    expect(output.match(/^PASS {2}/gm)).toHaveLength(8);
    expect(code).toBe(0);
  },
);
