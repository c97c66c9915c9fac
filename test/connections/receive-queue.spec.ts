import { describe, expect, it } from 'vitest';
import { ReceiveQueue } from '../../lib/connections/receive-queue.js';
import type { ClientFrame } from '../../lib/protocol/envelope.js';

const message = (id: number): ClientFrame => ({ type: 'say', payload: null, id });
const turn = () => new Promise(setImmediate);

function open({ concurrency = 1, maxWaitingMessages = 4 } = {}) {
  const socket = {
    paused: false,
    pause: () => (socket.paused = true),
    resume: () => (socket.paused = false),
  };
  const queue = new ReceiveQueue(socket, { concurrency, maxWaitingMessages });
  const started: unknown[] = [];
  const endings: (() => void)[] = [];
  /** A handler that ends when the test ends it. */
  const handle = ({ id }: ClientFrame) => {
    started.push(id);
    return new Promise<void>((resolve) => endings.push(resolve));
  };
  return { queue, socket, started, endings, handle };
}

describe('a ReceiveQueue', () => {
  it('handles nothing before it is opened, then what has waited in order', async () => {
    const { queue, started } = open();
    for (const id of [1, 2, 3]) expect(queue.push(message(id))).toBe(true);
    expect(started).toEqual([]);
    queue.open(({ id }) => void started.push(id));
    expect(started).toEqual([1, 2, 3]);
    queue.push(message(4));
    expect(started).toEqual([1, 2, 3, 4]);
  });

  it('handles the next message when an asynchronous handler has ended', async () => {
    const { queue, started, endings, handle } = open();
    queue.open(handle);
    for (const id of [1, 2]) queue.push(message(id));
    expect(started).toEqual([1]);
    endings[0]?.();
    await turn();
    expect(started).toEqual([1, 2]);
  });

  it('handles as many messages at a time as concurrency allows', async () => {
    const { queue, started, endings, handle } = open({ concurrency: 2 });
    queue.open(handle);
    for (const id of [1, 2, 3, 4]) queue.push(message(id));
    expect(started).toEqual([1, 2]);
    endings[1]?.();
    await turn();
    expect(started).toEqual([1, 2, 3]);
  });

  it('pauses the socket when too many wait, and resumes it when half of them are handled', async () => {
    const { queue, socket, endings, handle } = open();
    queue.open(handle);
    for (let id = 1; id <= 5; id++) queue.push(message(id));
    expect([queue.isPaused, socket.paused]).toEqual([true, true]);
    for (let ended = 0; ended < 3; ended++) {
      endings[ended]?.();
      await turn();
    }
    expect([queue.isPaused, socket.paused]).toEqual([false, false]);
  });

  it('refuses messages above its hard limit', () => {
    const { queue } = open({ maxWaitingMessages: 2 });
    const taken = Array.from({ length: 200 }, (_, id) => queue.push(message(id)));
    expect(taken.filter(Boolean)).toHaveLength(128);
    expect(taken[128]).toBe(false);
  });

  it('reads the socket while the client owes a reply, and pauses it again afterwards', () => {
    const { queue, socket } = open();
    for (let id = 1; id <= 4; id++) queue.push(message(id));
    expect(socket.paused).toBe(true);
    queue.expectReply();
    expect(socket.paused).toBe(false);
    queue.push(message(5));
    expect(socket.paused).toBe(false);
    queue.replySettled();
    expect(socket.paused).toBe(true);
  });

  it('finds waiting and running messages by id', async () => {
    const { queue, endings, handle } = open();
    const [running, waiting] = [message(1), message(2)];
    queue.open(handle);
    queue.push(running);
    queue.push(waiting);
    expect([queue.pending(1), queue.pending(2), queue.pending(3)]).toEqual([running, waiting, undefined]);
    endings[0]?.();
    await turn();
    expect(queue.pending(1)).toBeUndefined();
  });

  it('settles when every message that came before has been handled, and takes no more', async () => {
    const { queue, endings, handle } = open();
    queue.open(handle);
    for (const id of [1, 2]) queue.push(message(id));
    let isSettled = false;
    void queue.settled().then(() => (isSettled = true));
    expect(queue.isSealed).toBe(true);
    endings[0]?.();
    await turn();
    expect(isSettled).toBe(false);
    endings[1]?.();
    await turn();
    expect(isSettled).toBe(true);
  });

  it('drops what waits when its connection closes', async () => {
    const { queue, started, endings, handle } = open();
    queue.open(handle);
    for (const id of [1, 2, 3]) queue.push(message(id));
    queue.close();
    endings[0]?.();
    await turn();
    queue.push(message(4));
    expect(started).toEqual([1]);
  });
});
