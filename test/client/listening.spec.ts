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
    const heard: unknown[] = [];
    const stop = bed.client.on('news', (news) => heard.push(news));
    socket.say('news', { n: 1 });
    socket.say('other', { n: 2 });
    stop();
    stop();
    socket.say('news', { n: 3 });
    expect(heard).toEqual([{ n: 1 }]);
  });

  it('may be given the same function twice', () => {
    const heard: unknown[] = [];
    const tell = (news: unknown) => heard.push(news);
    const stop = bed.client.on('news', tell);
    bed.client.on('news', tell);
    stop();
    socket.say('news', { n: 1 });
    expect(heard).toEqual([{ n: 1 }]);
  });

  it('keeps the others from nothing when one throws, and the error is not swallowed', async () => {
    const heard: unknown[] = [];
    bed.client.on('news', () => {
      throw new Error('broken listener');
    });
    bed.client.on('news', (news) => heard.push(news));
    socket.say('news', { n: 1 });
    expect(heard).toEqual([{ n: 1 }]);
    await expect(bed.clock.advance(0)).rejects.toThrow('broken listener');
  });

  it('outlives connections', async () => {
    const heard: unknown[] = [];
    bed.client.on('news', (news) => heard.push(news));
    socket.end();
    await bed.clock.advance(5_000);
    const next = await bed.sockets.newest();
    next.accept();
    next.say('news', { n: 2 });
    expect(heard).toEqual([{ n: 2 }]);
  });

  it('hears nothing of the protocol, and survives frames that are none', () => {
    const types: string[] = [];
    bed.client.onAny(({ type }) => types.push(type));
    for (const type of ['$resync', 'pong', '$hello', 'news', '__proto__']) socket.say(type, {});
    socket.sayText('not json');
    socket.sayText('null');
    socket.sayText('[1]');
    expect(types).toEqual(['news', '__proto__']);
  });
});

describe('once', () => {
  it('is the next message of its type', async () => {
    const next = bed.client.once('news');
    socket.say('news', { n: 1 });
    socket.say('news', { n: 2 });
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
    socket.say('news', { n: 1 });
    socket.say('news', { n: 2 });
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
    for (const n of [1, 2, 3, 4]) socket.say('news', { n });
    for (const n of [1, 2, 3]) expect(await messages.next()).toEqual({ done: false, value: { n } });
    await expect(messages.next()).rejects.toMatchObject({ code: 'OVERFLOW' });
  });
});

it('onError hears of errors that answer no request', () => {
  const codes: string[] = [];
  bed.client.onError(({ code }) => codes.push(code));
  socket.say('$error', { code: 'RATE_LIMITED', message: 'slow down' });
  socket.say('$error', { code: 'FORBIDDEN', message: 'no' }, 'unknown-id');
  expect(codes).toEqual(['RATE_LIMITED']);
});
