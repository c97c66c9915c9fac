import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SocketDouble } from './socket-double.js';
import { Testbed } from './testbed.js';

let bed: Testbed;
let socket: SocketDouble;
beforeEach(async () => {
  bed = new Testbed({ maxBuffered: 3 });
  socket = await bed.connected();
});
afterEach(() => bed.client.close());

describe('on', () => {
  it('calls back for its type until it is ended', () => {
    const received: unknown[] = [];
    const stop = bed.client.on('news', (news) => received.push(news));
    socket.deliver('news', { n: 1 });
    socket.deliver('other', { n: 2 });
    stop();
    stop();
    socket.deliver('news', { n: 3 });
    expect(received).toEqual([{ n: 1 }]);
  });

  it('may be given the same function twice', () => {
    const received: unknown[] = [];
    const tell = (news: unknown) => received.push(news);
    const stop = bed.client.on('news', tell);
    bed.client.on('news', tell);
    stop();
    socket.deliver('news', { n: 1 });
    expect(received).toEqual([{ n: 1 }]);
  });

  it('keeps the others from nothing when one throws, and the error is not swallowed', async () => {
    const received: unknown[] = [];
    bed.client.on('news', () => {
      throw new Error('broken listener');
    });
    bed.client.on('news', (news) => received.push(news));
    socket.deliver('news', { n: 1 });
    expect(received).toEqual([{ n: 1 }]);
    await expect(bed.clock.advance(0)).rejects.toThrow('broken listener');
  });

  it('outlives connections', async () => {
    const received: unknown[] = [];
    bed.client.on('news', (news) => received.push(news));
    socket.end();
    await bed.clock.advance(5_000);
    const next = await bed.sockets.newest();
    next.accept();
    next.deliver('news', { n: 2 });
    expect(received).toEqual([{ n: 2 }]);
  });

  it('receives no protocol messages, and invalid frames are ignored', () => {
    const types: string[] = [];
    bed.client.onAny(({ type }) => types.push(type));
    for (const type of ['$resync', 'pong', '$hello', 'news', '__proto__']) socket.deliver(type, {});
    socket.deliverText('not json');
    socket.deliverText('null');
    socket.deliverText('[1]');
    expect(types).toEqual(['news', '__proto__']);
  });
});

describe('once', () => {
  it('is the next message of its type', async () => {
    const next = bed.client.once('news');
    socket.deliver('news', { n: 1 });
    socket.deliver('news', { n: 2 });
    expect(await next).toEqual({ n: 1 });
  });

  it('ends with its signal or with the client', async () => {
    const abort = new AbortController();
    const aborted = bed.client.once('news', { signal: abort.signal });
    abort.abort('enough');
    await expect(aborted).rejects.toBe('enough');
    await expect(bed.client.once('news', { signal: abort.signal })).rejects.toBe('enough');
    const closed = bed.client.once('news');
    bed.client.close();
    await expect(closed).rejects.toMatchObject({ name: 'ClosedError' });
    await expect(bed.client.once('news')).rejects.toMatchObject({ name: 'ClosedError' });
  });
});

describe('messages', () => {
  it('are those from the call on, read when the reader is ready', async () => {
    const messages = bed.client.messages('news');
    socket.deliver('news', { n: 1 });
    socket.deliver('news', { n: 2 });
    const read: unknown[] = [];
    for await (const message of messages) {
      read.push(message);
      if (read.length === 2) break;
    }
    expect(read).toEqual([{ n: 1 }, { n: 2 }]);
    expect(await messages.next()).toEqual({ done: true, value: undefined });
  });

  it('end with the client', async () => {
    const messages = bed.client.messages('news');
    const next = messages.next();
    bed.client.close();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(await bed.client.messages('news').next()).toEqual({ done: true, value: undefined });
  });

  it('fail with OVERFLOW for a reader that is too slow', async () => {
    const messages = bed.client.messages('news');
    for (const n of [1, 2, 3, 4]) socket.deliver('news', { n });
    for (const n of [1, 2, 3]) expect(await messages.next()).toEqual({ done: false, value: { n } });
    await expect(messages.next()).rejects.toMatchObject({ code: 'OVERFLOW' });
  });
});

it('onError receives errors that belong to no request', () => {
  const codes: string[] = [];
  bed.client.onError(({ code }) => codes.push(code));
  socket.deliver('$error', { code: 'RATE_LIMITED', message: 'slow down' });
  socket.deliver('$error', { code: 'FORBIDDEN', message: 'no' }, 'unknown-id');
  expect(codes).toEqual(['RATE_LIMITED']);
});
