import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Unsent } from '../../lib/client/index.js';
import { Testbed } from './testbed.js';

let bed: Testbed;
let unsent: Unsent[];
beforeEach(() => {
  bed = new Testbed();
  unsent = [];
  bed.client.onUnsent((message) => unsent.push(message));
});
afterEach(() => {
  bed.client.close();
  expect(bed.clock.pending, 'timers that were left').toBe(0);
});

const numbers = (frames: readonly { payload?: unknown }[]) =>
  frames.map(({ payload }) => (payload as { n: number }).n);

describe('send', () => {
  it('writes at once on a live connection', async () => {
    const socket = await bed.connected();
    expect(await bed.client.send('say', { n: 1 })).toBe('sent');
    expect(socket.sent).toEqual([{ type: 'say', payload: { n: 1 } }]);
  });

  it('away, waits for the connection and keeps the order of messages and requests', async () => {
    const outcomes = [bed.client.send('say', { n: 1 }), bed.client.send('say', { n: 2 })];
    void bed.client.request('ask', { n: 3 }).catch(() => undefined);
    const last = bed.client.send('say', { n: 4 });
    const socket = await bed.connected();
    expect(numbers(socket.sent)).toEqual([1, 2, 3, 4]);
    expect(await Promise.all([...outcomes, last])).toEqual(['sent', 'sent', 'sent']);
  });

  it('from a listener of "connected" goes behind what has waited, which the listener comes before', async () => {
    void bed.client.send('say', { n: 1 });
    bed.client.onStateChange(({ status }) => {
      if (status === 'connected') void bed.client.send('say', { n: 2 }, { whileAway: 'drop' });
    });
    expect(numbers((await bed.connected()).sent)).toEqual([1, 2]);
    expect(unsent).toEqual([]);
  });

  it("'drop' is sent now or reported as dropped", async () => {
    expect(await bed.client.send('cursor', { n: 1 }, { whileAway: 'drop' })).toBe('dropped');
    expect(unsent).toEqual([{ type: 'cursor', payload: { n: 1 }, reason: 'dropped' }]);
    expect((await bed.connected()).sent).toEqual([]);
  });

  it('gives up after ttlMs', async () => {
    const outcome = bed.client.send('say', { n: 1 }, { whileAway: { queue: { max: 5, ttlMs: 1_000 } } });
    await bed.clock.advance(1_000);
    expect(await outcome).toBe('expired');
    expect((await bed.connected()).sent).toEqual([]);
    expect(unsent.map(({ reason }) => reason)).toEqual(['expired']);
  });

  it('refuses what is more than max, not what waits already', async () => {
    const whileAway = { queue: { max: 2, ttlMs: 60_000 } };
    const outcomes = [1, 2, 3].map((n) => bed.client.send('say', { n }, { whileAway }));
    expect(await outcomes[2]).toBe('overflow');
    expect(numbers((await bed.connected()).sent)).toEqual([1, 2]);
    expect(await bed.client.send('say', { n: 4 }, { whileAway })).toBe('sent');
  });

  it('on a socket that has begun to close waits for the next one', async () => {
    const socket = await bed.connected();
    socket.readyState = 2;
    const outcome = bed.client.send('say', { n: 1 });
    socket.end(1012);
    await bed.clock.advance(5_000);
    const next = await bed.sockets.newest();
    next.accept({ sessionId: 's1' });
    expect(await outcome).toBe('sent');
    expect(numbers(next.ofType('say'))).toEqual([1]);
  });

  it('refuses what is larger than the server takes, counted in bytes', async () => {
    const socket = await bed.connected({ maxPayloadBytes: 100 });
    expect(await bed.client.send('say', { text: 'é'.repeat(32) })).toBe('sent');
    expect(await bed.client.send('say', { text: 'é'.repeat(33) })).toBe('too_large');
    expect(socket.sent).toHaveLength(1);
  });

  it('is given up when the client closes, and after', async () => {
    const waiting = bed.client.send('say', { n: 1 });
    bed.client.close();
    expect(await waiting).toBe('closed');
    expect(await bed.client.send('say', { n: 2 })).toBe('closed');
    expect(unsent.map(({ reason }) => reason)).toEqual(['closed', 'closed']);
  });

  it('is not sent by a client that connects again after it was given up', async () => {
    const waiting = bed.client.send('say', { n: 1 });
    bed.client.close();
    expect(await waiting).toBe('closed');
    expect((await bed.connected()).sent).toEqual([]);
    expect(unsent.map(({ reason }) => reason)).toEqual(['closed']);
  });

  it('rejects only what is no JSON', async () => {
    await expect(bed.client.send('say', { n: 1n })).rejects.toBeInstanceOf(TypeError);
  });

  it('sends what it was given, whatever becomes of the object later', async () => {
    const payload = { n: 1 };
    void bed.client.send('say', payload);
    payload.n = 2;
    expect(numbers((await bed.connected()).sent)).toEqual([1]);
  });
});
