import { MessageTooLargeError } from 'nestjs-realtime';
import { describe, expect, it } from 'vitest';
import { openLobby } from '../gateway/lobby.js';

const options = {
  maxQueueBytes: 20_000,
  highWaterMarkBytes: 20_000,
  authenticate: () => ({ userId: 'ann' }),
};
const large = { type: 'said', payload: { text: 'x'.repeat(20_001) } } as const;
const small = { type: 'said', payload: { text: 'x'.repeat(10_000) } } as const;

describe('a message larger than maxQueueBytes', () => {
  it('rejects for its sender, and the recipient stays connected', async () => {
    const { app, broadcaster, visits, metrics } = await openLobby(options);
    const client = await app.connect('/lobby');
    const [connection] = visits.connected;
    const sends = [
      () => broadcaster.broadcast(large),
      () => broadcaster.sendToUser('ann', large),
      () => broadcaster.sendToRoom('floor', large),
      () => broadcaster.sendToConnection('elsewhere.1', large),
      async () => connection?.send(large),
    ];
    for (const send of sends) {
      const error: unknown = await send().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(MessageTooLargeError);
      expect(error).toMatchObject({ type: 'said', maxBytes: 20_000 });
      expect((error as MessageTooLargeError).bytes).toBeGreaterThan(20_001);
      expect((error as Error).message).toMatch(
        /^Expected the message "said" to take at most 20000 bytes \(the option maxQueueBytes\), got 200\d\d: send it in parts/,
      );
    }
    await broadcaster.broadcast(small);
    expect(await client.next()).toEqual(small);
    expect([metrics.slowConsumers.total, connection?.isOpen]).toEqual([0, true]);
  });

  it('is counted in bytes, not in characters', async () => {
    const { app, broadcaster } = await openLobby(options);
    await app.connect('/lobby');
    const text = '€'.repeat(7_000);
    await expect(broadcaster.broadcast({ type: 'said', payload: { text } })).rejects.toThrow(
      MessageTooLargeError,
    );
  });

  it('as a reply becomes INTERNAL for its client and an error in the log', async () => {
    const { app, visits, log } = await openLobby(options);
    visits.onHold = () => {
      throw new Error('not asked');
    };
    const client = await app.connect('/lobby');
    await expect(client.request('say', { text: 'x'.repeat(20_001) })).rejects.toMatchObject({
      code: 'INTERNAL',
    });
    expect(log.of('error').join()).toContain('Expected the message "$reply" to take at most 20000 bytes');
    expect(await client.request('say', { text: 'small' })).toEqual({ text: 'small' });
  });
});

describe('a client that is closed as too slow', () => {
  it('has 4413 in the counter, in handleDisconnect and in the log, without completing the closing handshake', async () => {
    const { app, broadcaster, visits, metrics, log } = await openLobby({
      maxQueueBytes: 200_000,
      highWaterMarkBytes: 100_000,
      closeTimeoutMs: 100,
    });
    const gone = visits.departure();
    const client = await app.connect('/lobby');
    client.socket.pause();
    const [connection] = visits.connected;
    for (let sent = 0; connection?.isOpen && sent < 2_000; sent++) {
      await broadcaster.broadcast({ type: 'said', payload: { text: 'x'.repeat(50_000) } });
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await gone).toEqual({ code: 4413, reason: 'too slow' });
    expect([metrics.connectionsClosed.of('4413'), metrics.slowConsumers.total]).toEqual([1, 1]);
    expect(log.of('warn').join()).toMatch(
      new RegExp(`client too slow code=4413 id=${connection?.id} ip=127.0.0.1 path=/lobby queuedBytes=\\d+`),
    );
    expect(log.text).toMatch(/disconnect id=.* code=4413 reason="too slow"/);
  });

  it('has one debug line for many volatile messages it missed', async () => {
    const { app, broadcaster, visits, metrics, log } = await openLobby();
    const client = await app.connect('/lobby');
    client.socket.pause();
    for (let sent = 0; metrics.messagesDropped.total < 5 && sent < 2_000; sent++) {
      await broadcaster.broadcast({ type: 'whispered', payload: { text: 'x'.repeat(60_000) } });
      await new Promise((resolve) => setImmediate(resolve));
    }
    const lines = log.of('debug').filter((line) => line.startsWith('volatile message dropped'));
    expect(lines[0]).toContain(`id=${visits.connected[0]?.id}`);
    expect(lines.length).toBeLessThan(5);
  });
});
