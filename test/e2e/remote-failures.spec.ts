import { MemoryBackplane, MemoryHub } from 'nestjs-realtime';
import { expect, it } from 'vitest';
import { openLobby } from '../gateway/lobby.js';

it("logs failures of other nodes' publications at a limited rate, with the number suppressed", async () => {
  const hub = new MemoryHub();
  const options = { authenticate: () => ({ userId: 'ann' }) };
  const larger = await openLobby({ ...options, backplane: new MemoryBackplane(hub) });
  const smaller = await openLobby({
    ...options,
    backplane: new MemoryBackplane(hub),
    maxQueueBytes: 20_000,
    highWaterMarkBytes: 20_000,
  });
  const text = 'x'.repeat(20_001);
  for (let i = 0; i < 200; i++) await larger.broadcaster.broadcast({ type: 'said', payload: { text } });
  const lines = smaller.log.of('error');
  expect(lines.length).toBeGreaterThan(0);
  expect(lines.length).toBeLessThan(20);
  expect(lines[0]).toMatch(/^publication of another node failed type=said error="MessageTooLargeError: /);
  expect(lines.join('')).not.toContain('xxx');
});
