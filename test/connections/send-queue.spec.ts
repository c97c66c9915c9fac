import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Frame } from '../../lib/connections/frame.js';
import { SendQueue } from '../../lib/connections/send-queue.js';
import { FlushScheduler } from '../../lib/connections/flush-scheduler.js';
import { RealtimeMetrics } from '../../lib/metrics/realtime-metrics.js';

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** A socket whose other side reads only when it is told to. */
class StalledSocket extends Duplex {
  readonly written: Buffer[] = [];
  #stalled = true;
  #held: (() => void) | undefined;

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written.push(chunk);
    if (this.#stalled) this.#held = done;
    else done();
  }

  /** The other side reads. */
  drain(): void {
    this.#stalled = false;
    this.#held?.();
    this.#held = undefined;
  }
}

function open(highWaterMarkBytes = 100_000, maxQueueBytes = 400_000) {
  const socket = new StalledSocket({ writableHighWaterMark: 16_384 });
  const metrics = new RealtimeMetrics();
  const seen = { dropped: 0, overflowed: 0 };
  const ws = {
    readyState: 1,
    extensions: '',
    bufferedAmount: 0,
    send: () => {},
    close: () => {},
    terminate: () => {},
    pause: () => {},
    resume: () => {},
  };
  const sendQueue = new SendQueue(ws, socket, {
    batch: new FlushScheduler(),
    metrics,
    observer: { dropped: () => void seen.dropped++, overflowed: () => void seen.overflowed++ },
    highWaterMarkBytes,
    maxQueueBytes,
  });
  /** The first character of each frame that the socket was given; the frames are longer than 125 bytes. */
  const names = () =>
    Buffer.concat(socket.written)
      .toString()
      .match(/[A-Za-z0-9]+(?=\.{9})/g) ?? [];
  return { sendQueue, socket, seen, metrics, names };
}

const frame = (name: string, bytes = 10_000) => new Frame(`${name}${'.'.repeat(bytes)}`);

describe('the way out of a connection that is behind', () => {
  it('keeps the newest volatile messages, and drops the oldest', async () => {
    const { sendQueue, socket, seen, names } = open();
    for (let i = 0; i < 12; i++) sendQueue.write(frame(`live${i}`), false);
    for (let i = 0; i < 30; i++) expect(sendQueue.write(frame(`v${i}`), true)).toBe('sent');
    // 100,000 bytes hold nine of them.
    expect(seen).toEqual({ dropped: 21, overflowed: 0 });
    socket.drain();
    await nextTurn();
    await nextTurn();
    const live = Array.from({ length: 12 }, (_, i) => `live${i}`);
    expect(names()).toEqual([...live, ...Array.from({ length: 9 }, (_, i) => `v${i + 21}`)]);
    expect(sendQueue.queuedBytes).toBe(0);
  });

  it('keeps the order of live messages and the volatile ones that are left', async () => {
    const { sendQueue, socket, names } = open();
    for (let i = 0; i < 11; i++) sendQueue.write(frame(`first${i}`), false);
    sendQueue.write(frame('v0'), true);
    sendQueue.write(frame('live0'), false);
    sendQueue.write(frame('v1'), true);
    sendQueue.write(frame('live1'), false);
    socket.drain();
    await nextTurn();
    await nextTurn();
    expect(names().slice(11)).toEqual(['v0', 'live0', 'v1', 'live1']);
  });

  it('drops volatile messages before it counts as too slow', () => {
    const { sendQueue, seen } = open();
    for (let i = 0; i < 11; i++) sendQueue.write(frame(`a${i}`), false);
    for (let i = 0; i < 9; i++) sendQueue.write(frame(`v${i}`), true);
    for (let i = 0; i < 28; i++) expect(sendQueue.write(frame(`b${i}`), false)).toBe('sent');
    expect(seen).toEqual({ dropped: 9, overflowed: 0 });
    expect(sendQueue.write(frame('last'), false)).toBe('overflow');
    expect(seen.overflowed).toBe(1);
  });

  it('never holds more than its limit, however much comes', () => {
    const { sendQueue } = open(400_000, 400_000);
    for (let i = 0; i < 39; i++) expect(sendQueue.write(frame(`a${i}`), i % 2 === 0)).toBe('sent');
    for (let i = 0; i < 10_000; i++) sendQueue.write(frame(`v${i}`, 200), true);
    expect(sendQueue.queuedBytes).toBeLessThanOrEqual(400_000 + 10_010);
  });

  it('drops a volatile message that is larger than all that may wait', () => {
    const { sendQueue, seen } = open();
    for (let i = 0; i < 11; i++) sendQueue.write(frame(`a${i}`), false);
    expect(sendQueue.write(frame('huge', 150_000), true)).toBe('dropped');
    expect(seen.dropped).toBe(1);
  });

  it('hands over what waits, in order, before a close frame', () => {
    const { sendQueue, socket, names } = open();
    for (let i = 0; i < 11; i++) sendQueue.write(frame(`a${i}`), false);
    sendQueue.write(frame('v'), true);
    sendQueue.write(frame('b'), false);
    sendQueue.finish();
    expect(sendQueue.queuedBytes).toBe(socket.writableLength);
    socket.drain();
    expect(names().slice(11)).toEqual(['v', 'b']);
  });

  it('counts as written what was written, not what waits', async () => {
    const { sendQueue, socket, metrics } = open();
    for (let i = 0; i < 11; i++) sendQueue.write(frame(`a${i}`), false);
    for (let i = 0; i < 30; i++) sendQueue.write(frame(`v${i}`), true);
    expect(metrics.messagesSent.total).toBe(11);
    socket.drain();
    await nextTurn();
    await nextTurn();
    expect(metrics.messagesSent.total).toBe(20);
  });

  it('is drained once what waits has been written, with one listener for all who ask', async () => {
    const { sendQueue, socket } = open();
    for (let i = 0; i < 11; i++) sendQueue.write(frame(`a${i}`), false);
    for (let i = 0; i < 5; i++) sendQueue.write(frame(`v${i}`), true);
    const drained = Promise.all(Array.from({ length: 32 }, () => sendQueue.drained()));
    await nextTurn();
    expect(socket.listenerCount('drain')).toBeLessThanOrEqual(2);
    socket.drain();
    await drained;
    await nextTurn();
    expect([sendQueue.queuedBytes, socket.listenerCount('drain')]).toEqual([0, 0]);
  });

  it('ends every wait when the socket closes', async () => {
    const { sendQueue, socket } = open();
    for (let i = 0; i < 11; i++) sendQueue.write(frame(`a${i}`), false);
    sendQueue.write(frame('v'), true);
    const drained = sendQueue.drained();
    await nextTurn();
    socket.destroy();
    await drained;
  });
});

describe('a turn', () => {
  it('is written to the socket at once', async () => {
    const { sendQueue, socket } = open();
    for (let i = 0; i < 5; i++) sendQueue.write(frame(`a${i}`, 200), false);
    expect(socket.written).toHaveLength(0);
    await nextTurn();
    expect(socket.written).toHaveLength(1);
  });
});
