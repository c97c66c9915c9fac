import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RequestError } from '../../lib/client/index.js';
import { promisesSettled } from '../rig/clock/manual-clock.js';
import type { SocketDouble } from './socket-double.js';
import { Testbed } from './testbed.js';

let bed: Testbed;
beforeEach(() => {
  bed = new Testbed();
});
afterEach(() => {
  bed.client.close();
  expect(bed.clock.pending, 'timers that were left').toBe(0);
});

async function backAfter(socket: SocketDouble, hello: object): Promise<SocketDouble> {
  socket.end();
  await bed.clock.advance(5_000);
  const next = await bed.sockets.newest();
  next.open();
  next.deliver('$error', { code: 'UNKNOWN_TYPE', message: '' }, '$resume');
  next.hello(hello);
  return next;
}

const idOf = (socket: SocketDouble, type = 'ask') => socket.ofType(type)[0]?.id as string;

describe('a request', () => {
  it('resolves with the reply that has its id', async () => {
    const socket = await bed.connected();
    const [first, second] = [bed.client.request('ask', { n: 1 }), bed.client.request('ask', { n: 2 })];
    const [one, two] = socket.ofType('ask');
    socket.deliver('$reply', { sum: 2 }, two?.id);
    socket.deliver('$reply', { sum: 1 }, one?.id);
    expect(await Promise.all([first, second])).toEqual([{ sum: 1 }, { sum: 2 }]);
  });

  it('rejects with the code and the issues of $error', async () => {
    const socket = await bed.connected();
    const pending = bed.client.request('ask', {});
    const issues = [{ path: 'n', message: 'n must be a number' }];
    socket.deliver('$error', { code: 'VALIDATION_FAILED', message: 'no', issues }, idOf(socket));
    const error = await pending.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RequestError);
    expect(error).toMatchObject({ code: 'VALIDATION_FAILED', message: 'no', issues });
  });

  it('gives up after timeoutMs, time away included', async () => {
    const pending = bed.client.request('ask', {}, { timeoutMs: 3_000 });
    await Promise.all([expect(pending).rejects.toMatchObject({ code: 'TIMEOUT' }), bed.clock.advance(3_000)]);
    expect((await bed.connected()).sent).toEqual([]);
  });

  it('has the default timeout when timeoutMs is undefined', async () => {
    await bed.connected({ heartbeat: null });
    const options = { timeoutMs: undefined } as object;
    const pending = bed.client.request('ask', {}, options);
    await Promise.all([
      expect(pending).rejects.toMatchObject({ message: 'No reply to "ask" within 10000 ms.' }),
      bed.clock.advance(10_000),
    ]);
  });

  it('ends with the signal and its reason, and its late reply is ignored', async () => {
    const socket = await bed.connected();
    const abort = new AbortController();
    const pending = bed.client.request('ask', {}, { signal: abort.signal });
    abort.abort(new Error('left the page'));
    await expect(pending).rejects.toThrow('left the page');
    socket.deliver('$reply', {}, idOf(socket));
    await expect(bed.client.request('ask', {}, { signal: abort.signal })).rejects.toThrow('left the page');
    expect(socket.ofType('ask')).toHaveLength(1);
  });

  it('has an id that no other client of the session has', async () => {
    const socket = await bed.connected();
    const other = new Testbed({ random: () => 0.25 });
    const otherSocket = await other.connected();
    for (const { client } of [bed, other]) void client.request('ask', {}).catch(() => undefined);
    expect(idOf(socket)).not.toBe(idOf(otherSocket));
    expect(idOf(socket)).toMatch(/^[a-z0-9]+-1$/);
    other.client.close();
  });

  it('takes the first part of a stream as its reply and stops the rest', async () => {
    const socket = await bed.connected();
    const pending = bed.client.request('ask', {});
    socket.deliver('$next', { part: 1 }, idOf(socket));
    expect(await pending).toEqual({ part: 1 });
    expect(socket.ofType('$cancel')).toEqual([{ type: '$cancel', id: idOf(socket) }]);
  });

  it('fails with CLOSED when the client closes', async () => {
    await bed.connected();
    const pending = bed.client.request('ask', {});
    bed.client.close();
    await expect(pending).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(bed.client.request('ask', {})).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('that is too large fails without being sent', async () => {
    const socket = await bed.connected({ maxPayloadBytes: 50 });
    await expect(bed.client.request('ask', { text: 'x'.repeat(50) })).rejects.toMatchObject({
      code: 'TOO_LARGE',
    });
    expect(socket.sent).toEqual([]);
  });

  it('that is no JSON rejects and leaves nothing behind', async () => {
    await expect(bed.client.request('ask', { n: 1n })).rejects.toBeInstanceOf(TypeError);
  });
});

describe('requests without a connection', () => {
  const whileAway = { queue: { max: 2, ttlMs: 1_000 } };

  it('wait at most max, streams included; one more fails with OVERFLOW', async () => {
    bed = new Testbed({ whileAway });
    const [first, second] = [1, 2].map((n) => bed.client.request('ask', { n }, { timeoutMs: false }));
    await expect(bed.client.request('ask', {}, { timeoutMs: false })).rejects.toMatchObject({
      code: 'OVERFLOW',
    });
    await expect(bed.client.stream('list', {}).next()).rejects.toMatchObject({ code: 'OVERFLOW' });
    await bed.clock.advance(5_000);
    const socket = await bed.connected();
    expect(socket.sent.map(({ payload }) => payload)).toEqual([{ n: 1 }, { n: 2 }]);
    socket.deliver('$reply', { ok: true }, idOf(socket));
    expect(await first).toEqual({ ok: true });
    bed.client.stream('list', {});
    expect(socket.ofType('list')).toHaveLength(1);
    bed.client.close();
    await expect(second).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it("are 100 at most with whileAway: 'drop'", async () => {
    bed = new Testbed({ whileAway: 'drop' });
    const failed: unknown[] = [];
    for (let n = 0; n < 101; n++) {
      bed.client.request('ask', { n }, { timeoutMs: false }).catch((error: unknown) => failed.push(error));
    }
    await promisesSettled();
    expect(failed).toMatchObject([{ code: 'OVERFLOW' }]);
    expect((await bed.connected()).sent).toHaveLength(100);
  });

  it('and messages have a limit each', async () => {
    bed = new Testbed({ whileAway });
    const outcomes = [1, 2, 3].map((n) => bed.client.send('say', { n }));
    for (const n of [4, 5]) void bed.client.request('ask', { n }).catch(() => undefined);
    expect(await outcomes[2]).toBe('overflow');
    expect((await bed.connected()).sent).toHaveLength(4);
  });

  it('that were lost with a connection are sent again, however many there are', async () => {
    bed = new Testbed({ whileAway });
    const socket = await bed.connected({ sessionId: 'mine' });
    const sent = [1, 2, 3].map((n) => bed.client.request('ask', { n }, { timeoutMs: false }));
    socket.end();
    await bed.clock.advance(5_000);
    const next = await bed.sockets.newest();
    next.accept({ sessionId: 'mine' });
    for (const { id, payload } of next.ofType('ask')) next.deliver('$reply', payload, id);
    expect(await Promise.all(sent)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  });
});

describe('a request whose connection is lost', () => {
  it('is sent again with the same id, before what has waited, when the session is resumed', async () => {
    const socket = await bed.connected({ sessionId: 'mine' });
    const [first, second] = [bed.client.request('ask', { n: 1 }), bed.client.request('ask', { n: 2 })];
    socket.end();
    const third = bed.client.request('ask', { n: 3 });
    await bed.clock.advance(5_000);
    const next = await bed.sockets.newest();
    next.accept({ sessionId: 'mine' });
    expect(next.ofType('ask').map(({ payload }) => payload)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
    expect(next.ofType('ask').slice(0, 2)).toEqual(socket.ofType('ask'));
    for (const { id, payload } of next.ofType('ask')) next.deliver('$reply', payload, id);
    expect(await Promise.all([first, second, third])).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  });

  it('fails when the session is not resumed, since it may have been handled', async () => {
    const socket = await bed.connected({ sessionId: 'mine' });
    const pending = bed.client.request('ask', {});
    const [, next] = await Promise.all([
      expect(pending).rejects.toMatchObject({ code: 'DISCONNECTED' }),
      backAfter(socket, { sessionId: 'fresh' }),
    ]);
    expect(next.ofType('ask')).toEqual([]);
  });

  it("is sent again in any case with retry: 'always'", async () => {
    const socket = await bed.connected({ sessionId: 'mine' });
    const pending = bed.client.request('ask', {}, { retry: 'always' });
    const next = await backAfter(socket, { sessionId: 'fresh' });
    expect(next.ofType('ask')).toEqual(socket.ofType('ask'));
    next.deliver('$reply', { ok: true }, idOf(next));
    expect(await pending).toEqual({ ok: true });
  });

  it("fails at once with retry: 'never'", async () => {
    const socket = await bed.connected();
    const pending = bed.client.request('ask', {}, { retry: 'never' });
    socket.end();
    await expect(pending).rejects.toMatchObject({ code: 'DISCONNECTED' });
  });

  it('is sent in any case when it had not been written yet', async () => {
    const pending = bed.client.request('ask', {}, { retry: 'never' });
    (await bed.sockets.newest()).end();
    await bed.clock.advance(1_000);
    const socket = await bed.sockets.newest();
    socket.accept();
    socket.deliver('$reply', {}, idOf(socket));
    expect(await pending).toEqual({});
  });
});

describe('a streamed reply', () => {
  it('is read in order until $complete', async () => {
    const socket = await bed.connected();
    const parts = bed.client.stream('list', {});
    const id = idOf(socket, 'list');
    for (const n of [1, 2, 3]) socket.deliver('$next', { n }, id);
    socket.deliver('$complete', undefined, id);
    const read: unknown[] = [];
    for await (const part of parts) read.push(part);
    expect(read).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  });

  it('is cancelled by a break', async () => {
    const socket = await bed.connected();
    const parts = bed.client.stream('list', {});
    socket.deliver('$next', { n: 1 }, idOf(socket, 'list'));
    for await (const part of parts) {
      expect(part).toEqual({ n: 1 });
      break;
    }
    expect(socket.ofType('$cancel')).toEqual([{ type: '$cancel', id: idOf(socket, 'list') }]);
  });

  it('ends with what the server throws, after what came before', async () => {
    const socket = await bed.connected();
    const parts = bed.client.stream('list', {});
    socket.deliver('$next', { n: 1 }, idOf(socket, 'list'));
    socket.deliver('$error', { code: 'FORBIDDEN', message: 'no' }, idOf(socket, 'list'));
    expect(await parts.next()).toEqual({ done: false, value: { n: 1 } });
    await expect(parts.next()).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(await parts.next()).toEqual({ done: true, value: undefined });
  });

  it('ends with DISCONNECTED, the reason of a signal, or OVERFLOW', async () => {
    bed = new Testbed({ maxBuffered: 2 });
    const socket = await bed.connected();
    const flooded = bed.client.stream('list', {});
    for (const n of [1, 2, 3]) socket.deliver('$next', { n }, idOf(socket, 'list'));
    await flooded.next();
    await flooded.next();
    await expect(flooded.next()).rejects.toMatchObject({ code: 'OVERFLOW' });
    expect(socket.ofType('$cancel')).toHaveLength(1);
    const abort = new AbortController();
    const aborted = bed.client.stream('list', {}, { signal: abort.signal });
    abort.abort('enough');
    await expect(aborted.next()).rejects.toBe('enough');
    const lost = bed.client.stream('list', {});
    socket.end();
    await expect(lost.next()).rejects.toMatchObject({ code: 'DISCONNECTED' });
  });

  it('of one plain reply has one part', async () => {
    const socket = await bed.connected();
    const parts = bed.client.stream('list', {});
    socket.deliver('$reply', { n: 1 }, idOf(socket, 'list'));
    expect(await parts.next()).toEqual({ done: false, value: { n: 1 } });
    expect(await parts.next()).toEqual({ done: true, value: undefined });
  });
});
