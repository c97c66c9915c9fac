import { once } from 'node:events';
import { expect, it } from 'vitest';
import { Gate } from '../rig/clock/gate.js';
import { openLobby } from './lobby.js';

/** One slice after the time that clients are advised, which is at once. */
const drain = { reconnectsPerSecond: 1_000_000, timeoutMs: 5_000 };

// So many that a client may go on sending until its slice has come.
const maxWaitingMessages = 10_000;

it('handlers in flight finish and their replies arrive before the close', async () => {
  const { app, visits } = await openLobby({ drain });
  const gate = new Gate();
  const received = new Gate();
  visits.onHold = () => {
    received.open();
    return gate.opened;
  };
  const client = await app.connect('/lobby');
  client.send({ type: 'hold', id: 1, payload: { text: 'a' } });
  await received.opened;
  const closing = app.app.close();
  await client.nextOfType('$goaway');
  gate.open();
  expect(await client.reply(1)).toEqual({ text: 'a' });
  expect((await client.closed).code).toBe(1012);
  await closing;
});

it('messages queued behind them are handled too, in order', async () => {
  const { app, visits } = await openLobby({ drain });
  const gate = new Gate();
  visits.onHold = () => gate.opened;
  const client = await app.connect('/lobby');
  client.send({ type: 'hold', id: 0, payload: { text: '0' } });
  for (let id = 1; id <= 50; id++) client.send({ type: 'say', id, payload: { text: `${id}` } });
  client.send({ type: 'ping' });
  await client.nextOfType('pong');
  const closing = app.app.close();
  await client.nextOfType('$goaway');
  gate.open();
  for (let id = 0; id <= 50; id++) expect(await client.reply(id)).toEqual({ text: `${id}` });
  expect(visits.messages).toEqual(Array.from({ length: 51 }, (_, i) => `${i}`));
  expect((await client.closed).code).toBe(1012);
  await closing;
});

it('messages that waited for handleConnection are answered before the close, which comes at once after them', async () => {
  const { app, visits } = await openLobby({ drain, maxWaitingMessages, rateLimit: false });
  const gate = new Gate();
  const received = new Gate();
  visits.onConnect = () => {
    received.open();
    return gate.opened;
  };
  const client = app.open('/lobby');
  client.send({ type: 'say', id: 1, payload: { text: 'early' } });
  client.send({ type: 'ping' });
  await client.nextOfType('pong');
  await received.opened;
  const closing = app.app.close();
  await client.nextOfType('$goaway');
  // Until its slice has come: what it sends is refused from then on.
  for (let id = 2; !client.frames.some(({ type }) => type === '$error'); id++) {
    client.send({ type: 'say', id, payload: { text: 'late' } });
    client.send({ type: 'ping' });
    await client.nextOfType('pong');
  }
  gate.open();
  expect(await client.reply(1)).toEqual({ text: 'early' });
  expect((await client.closed).code).toBe(1012);
  await closing;
});

it('messages that arrive while the last handlers finish get UNAVAILABLE and are not handled', async () => {
  const { app, visits, metrics } = await openLobby({ drain, maxWaitingMessages, rateLimit: false });
  const gate = new Gate();
  visits.onHold = () => gate.opened;
  const client = await app.connect('/lobby');
  client.send({ type: 'hold', id: 0, payload: { text: 'held' } });
  client.send({ type: 'ping' });
  await client.nextOfType('pong');
  const closing = app.app.close();
  await client.nextOfType('$goaway');
  // Its slice comes within a few turns; messages before that are accepted and wait behind `hold`.
  let refused: string | undefined;
  for (let id = 1; refused === undefined; id++) {
    client.send({ type: 'say', id, payload: { text: 'late' } });
    client.send({ type: 'ping', id });
    await client.nextOfType('pong');
    const answer = client.frames.find(({ type }) => type === '$error');
    refused = (answer?.payload as { code: string } | undefined)?.code;
    if (refused !== undefined) expect(answer?.id).toBe(id);
  }
  expect(refused).toBe('UNAVAILABLE');
  expect(metrics.messagesRefused.of('UNAVAILABLE')).toBe(1);
  gate.open();
  expect(await client.reply(0)).toEqual({ text: 'held' });
  expect((await client.closed).code).toBe(1012);
  await closing;
  expect(visits.messages[0]).toBe('held');
});

it('a handler that never ends is abandoned at the deadline', async () => {
  const { app, visits } = await openLobby({ drain: { timeoutMs: 200 } });
  visits.onHold = () => new Promise(() => {});
  const client = await app.connect('/lobby');
  client.send({ type: 'hold', id: 1, payload: { text: 'a' } });
  client.send({ type: 'ping' });
  await client.nextOfType('pong');
  await app.app.close();
  expect((await client.closed).code).toBe(1006);
});

it('a client that has not authenticated yet is drained as well', async () => {
  const { app } = await openLobby({ authenticate: () => null, drain });
  const client = app.open('/lobby');
  await once(client.socket, 'open');
  await app.app.close();
  expect((await client.nextOfType('$goaway')).type).toBe('$goaway');
  expect((await client.closed).code).toBe(1012);
});
