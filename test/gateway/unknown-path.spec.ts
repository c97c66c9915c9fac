import { expect, it } from 'vitest';
import { RealtimeMetrics } from 'nestjs-realtime';
import { openLobby } from './lobby.js';

it('an upgrade to an unknown path is counted as refused', async () => {
  const { app } = await openLobby();
  expect((await app.open('/nowhere').closed).code).toBe(1006);
  expect(app.get(RealtimeMetrics).upgradesRefused.of('path')).toBe(1);
});
