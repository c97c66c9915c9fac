import { expect, it } from 'vitest';
import type { GatewayConnection } from '../../lib/gateway/lifecycle/gateway-connection.js';
import { Gate } from '../rig/clock/gate.js';
import { openLobby } from './lobby.js';

/** A client whose messages wait for a handler, so that its socket is paused. */
async function pausedClient() {
  const lobby = await openLobby({ maxWaitingMessages: 4 });
  const handler = new Gate();
  lobby.visits.onHold = () => handler.opened;
  const client = await lobby.app.connect('/lobby');
  for (let id = 1; id <= 50; id++) client.send({ type: 'hold', id, payload: { text: `${id}` } });
  const [connection] = [...lobby.registry] as [GatewayConnection];
  while (!connection.receiveQueue.isPaused) await new Promise(setImmediate);
  return { ...lobby, client, connection, handler };
}

it('a connection closed while its socket is paused ends at once, and its queued messages are not handled', async () => {
  const { client, connection, handler, visits, registry } = await pausedClient();
  const gone = visits.departure();
  const closedAt = performance.now();
  connection.close(4500, 'away');
  expect(await gone).toEqual({ code: 4500, reason: 'away' });
  expect(performance.now() - closedAt).toBeLessThan(2_000);
  expect([connection.isOpen, connection.receiveQueue.isPaused, registry.size]).toEqual([false, false, 0]);
  expect(await client.closed).toEqual({ code: 4500, reason: 'away' });
  handler.open();
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  expect(visits.messages).toEqual(['1']);
});

it('a paused socket is not paused again after its connection is closed', async () => {
  const { connection, visits, handler } = await pausedClient();
  const gone = visits.departure();
  connection.close(4500, 'away');
  connection.receiveQueue.expectReply();
  connection.receiveQueue.replySettled();
  expect(connection.receiveQueue.isPaused).toBe(false);
  await gone;
  handler.open();
});
