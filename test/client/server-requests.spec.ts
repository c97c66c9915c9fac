import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RequestError } from '../../lib/client/index.js';
import { promisesSettled } from '../rig/clock/manual-clock.js';
import { Testbed } from './testbed.js';

let bed: Testbed;
beforeEach(() => {
  bed = new Testbed();
});
afterEach(() => {
  bed.client.close();
  expect(bed.clock.pending, 'timers that were left').toBe(0);
});

describe('a request of the server', () => {
  it('has its reply on the connection it came on', async () => {
    const socket = await bed.connected();
    bed.client.onRequest('confirm', async (payload) => ({ seen: payload }));
    socket.deliver('$request', { type: 'confirm', payload: { n: 1 } }, 's7');
    await promisesSettled();
    expect(socket.sent).toEqual([{ type: '$reply', id: 's7', payload: { seen: { n: 1 } } }]);
  });

  it('is refused with a RequestError; other errors are not sent', async () => {
    const socket = await bed.connected();
    bed.client.onRequest('confirm', () => {
      throw new RequestError('BUSY', 'not now');
    });
    bed.client.onRequest('crash', () => {
      throw new Error('secret');
    });
    for (const type of ['confirm', 'crash', 'nothing'])
      socket.deliver('$request', { type, payload: {} }, type);
    await promisesSettled();
    expect(socket.sent.map(({ id, payload }) => [id, (payload as { code: string }).code])).toEqual([
      ['confirm', 'BUSY'],
      ['crash', 'INTERNAL'],
      ['nothing', 'UNKNOWN_TYPE'],
    ]);
    expect(JSON.stringify(socket.sent)).not.toContain('secret');
    await expect(bed.clock.advance(0)).rejects.toThrow('secret');
  });

  it('is refused with TOO_LARGE when the reply or the error is larger than the server takes', async () => {
    const socket = await bed.connected({ maxPayloadBytes: 120 });
    const text = 'x'.repeat(120);
    bed.client.onRequest('reply', () => ({ text }));
    bed.client.onRequest('refuse', () => {
      throw new RequestError('BUSY', text);
    });
    for (const type of ['reply', 'refuse']) socket.deliver('$request', { type, payload: {} }, type);
    await promisesSettled();
    expect(
      socket.sent.map(({ type, id, payload }) => [type, id, (payload as { code: string }).code]),
    ).toEqual([
      ['$error', 'refuse', 'TOO_LARGE'],
      ['$error', 'reply', 'TOO_LARGE'],
    ]);
  });

  it('is refused with INTERNAL when the details of the error are no JSON', async () => {
    const socket = await bed.connected();
    bed.client.onRequest('confirm', () => {
      throw new RequestError('BUSY', 'not now', { details: 1n });
    });
    socket.deliver('$request', { type: 'confirm', payload: {} }, 's1');
    await promisesSettled();
    expect(socket.sent).toMatchObject([{ type: '$error', id: 's1', payload: { code: 'INTERNAL' } }]);
    await expect(bed.clock.advance(0)).rejects.toThrow('cannot be sent as JSON');
  });

  it('without a payload is refused and is no error of the page', async () => {
    const socket = await bed.connected();
    socket.deliver('$request', null, 's1');
    await promisesSettled();
    expect(socket.sent).toMatchObject([{ id: 's1', payload: { code: 'UNKNOWN_TYPE' } }]);
    await bed.clock.advance(0);
  });

  it('has one handler per type', () => {
    const stop = bed.client.onRequest('confirm', () => ({}));
    expect(() => bed.client.onRequest('confirm', () => ({}))).toThrow('onRequest("confirm") is taken');
    stop();
    bed.client.onRequest('confirm', () => ({}));
  });
});
