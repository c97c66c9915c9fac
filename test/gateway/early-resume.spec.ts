import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { openLobby } from './lobby.js';

it('a second $resume before authentication is refused with BAD_REQUEST, and the first is answered', async () => {
  const { app } = await openLobby({ authenticate: ({ token }) => (token ? { userId: 'ann' } : null) });
  const client = app.open('/lobby');
  const sessionId = randomUUID();
  client.send({ type: '$resume', id: 1, payload: { sessionId, positions: {} } });
  client.send({ type: '$resume', id: 2, payload: { sessionId: randomUUID(), positions: {} } });
  client.send({ type: '$auth', id: 3, payload: { token: 't' } });
  await expect(client.reply(2)).rejects.toThrow('BAD_REQUEST');
  expect(await client.reply(1)).toMatchObject({ sessionId });
});
