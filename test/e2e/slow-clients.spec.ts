import { IsString } from 'class-validator';
import {
  Broadcaster,
  ConnectionRegistry,
  RealtimeGateway,
  RealtimeMetrics,
  RealtimeModule,
  defineContract,
} from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp, type TestClient } from 'nestjs-realtime/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

class Text {
  @IsString() text!: string;
}
const feed = defineContract({
  server: { news: { payload: Text }, tick: { payload: Text, delivery: 'volatile' } },
});

@RealtimeGateway({ path: '/ws', contract: feed })
class FeedGateway {}

const big = 'x'.repeat(60_000);
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

let app: RealtimeTestApp;
let broadcaster: Broadcaster<typeof feed>;
let fast: TestClient;
let slow: TestClient;
let slowId: string;

beforeEach(async () => {
  app = await createRealtimeTestApp({ imports: [RealtimeModule.forRoot()], providers: [FeedGateway] });
  broadcaster = app.get<Broadcaster<typeof feed>>(Broadcaster);
  fast = await app.connect('/ws');
  slow = app.open('/ws');
  slowId = (await slow.hello()).connectionId;
  slow.socket.pause();
});
afterEach(async () => {
  slow.socket.resume();
  await app.close();
});

const dropped = () => app.get(RealtimeMetrics).messagesDropped.total;

/** Sends to all until one client has missed a message or is closed; the kernel buffers a few megabytes first. */
async function flood(type: 'news' | 'tick') {
  for (let sent = 1; sent <= 2_000; sent++) {
    const receipt = await broadcaster.broadcast({ type, payload: { text: big } });
    if (receipt.dropped > 0 || dropped() > 0) return { ...receipt, sent };
    await nextTurn();
    await fast.nextOfType(type);
  }
  throw new Error('nothing was ever dropped');
}

describe('a client that does not read', () => {
  it('misses the oldest volatile messages, gets the newest, and stays connected', async () => {
    const { sent } = await flood('tick');
    expect(sent).toBeGreaterThan(3);
    expect(app.get(ConnectionRegistry).get(slowId)?.isOpen).toBe(true);
    expect(await broadcaster.broadcast({ type: 'news', payload: { text: 'small' } })).toMatchObject({
      delivered: 2,
      dropped: 0,
    });
    await broadcaster.broadcast({ type: 'tick', payload: { text: 'newest' } });
    slow.socket.resume();
    for (let received = 0; received < sent - dropped(); received++)
      expect((await slow.next()).type).toBe('tick');
    expect(await slow.next()).toEqual({ type: 'news', payload: { text: 'small' } });
    expect(await slow.next()).toEqual({ type: 'tick', payload: { text: 'newest' } });
  });

  it('gets volatile messages again once it has caught up', async () => {
    await flood('tick');
    slow.socket.resume();
    await broadcaster.broadcast({ type: 'news', payload: { text: 'mark' } });
    await slow.nextOfType('news');
    slow.frames.length = 0;
    await broadcaster.broadcast({ type: 'tick', payload: { text: 'again' } });
    expect(await slow.next()).toEqual({ type: 'tick', payload: { text: 'again' } });
  });

  it('is closed with 4413 when its send queue is full, while others get everything promptly', async () => {
    const { delivered, dropped, sent } = await flood('news');
    expect({ delivered, dropped }).toEqual({ delivered: 1, dropped: 1 });
    await fast.nextOfType('news');
    expect(app.get(ConnectionRegistry).get(slowId)?.queuedBytes ?? 0).toBeLessThan(
      1_048_576 + 2 * big.length,
    );
    expect(
      await broadcaster.sendToConnection(slowId, { type: 'news', payload: { text: 'late' } }),
    ).toMatchObject({
      delivered: 0,
      dropped: 1,
    });
    slow.socket.resume();
    expect(await slow.closed).toEqual({ code: 4413, reason: 'too slow' });
    expect(slow.frames.length).toBe(sent);
    expect(fast.socket.readyState).toBe(WebSocket.OPEN);
  });
});

describe('a burst', () => {
  it('within the size of the send queue does not close a client that reads', async () => {
    for (let n = 0; n < 500; n++)
      void broadcaster.sendToRoom('none', { type: 'news', payload: { text: `${n}` } });
    for (let n = 0; n < 2_000; n++) void broadcaster.broadcast({ type: 'news', payload: { text: `${n}` } });
    for (let n = 0; n < 2_000; n++) expect((await fast.next()).payload).toEqual({ text: `${n}` });
    expect(fast.socket.readyState).toBe(WebSocket.OPEN);
  });
});
