import { expect, it } from 'vitest';
import { runRig } from '../../rig/process/rig-process.js';

it(
  'four nodes deliver each message exactly to the entitled connections, in order',
  { timeout: 180_000 },
  async () => {
    const size = ['--users', '150', '--rooms', '15', '--rate', '50', '--seconds', '5'];
    const { code, output } = await runRig('redis/oracle', size);
    expect(output).not.toMatch(/^FAIL/m);
    expect(output.match(/^PASS {2}/gm)).toHaveLength(8);
    expect(code).toBe(0);
  },
);

it('three nodes keep serving while Redis dies and runs out of memory', { timeout: 240_000 }, async () => {
  const faults = ['--clients', '8', '--only', 'SIGKILL', '--only', 'OOM'];
  const { code, output } = await runRig('redis/faults', faults);
  expect(output).not.toMatch(/^FAIL/m);
  expect(output.match(/^PASS {2}/gm)).toHaveLength(2);
  expect(code).toBe(0);
});
