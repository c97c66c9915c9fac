import { once } from 'node:events';
import type { RealtimeOptions } from 'nestjs-realtime';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { clientFrame, Opcode, upgradeText } from '../rig/sockets/client-bytes.js';
import { openLobby } from './lobby.js';
import { readUntil, tcpConnection } from '../rig/sockets/upgrade-request.js';

const sayOf = (length: number) => {
  const empty = JSON.stringify({ type: 'say', id: 1, payload: { text: '' } }).length;
  return JSON.stringify({ type: 'say', id: 1, payload: { text: 'a'.repeat(length - empty) } });
};

const nested = (depth: number) => `{"type":"say","id":1,"payload":${'['.repeat(depth)}${']'.repeat(depth)}}`;
const wide = (keys: number) =>
  JSON.stringify({
    type: 'say',
    id: 1,
    payload: Object.fromEntries(Array.from({ length: keys }, (_, i) => [`k${i}`, 0])),
  });

/** Sends raw frames after `$hello`; resolves with the close code, checked to be the one the app gets. */
async function endAfter(frames: readonly Buffer[], options: RealtimeOptions = {}) {
  const { app, visits } = await openLobby(options);
  const gone = visits.departure();
  const socket = tcpConnection(app.port);
  const hello = readUntil(socket, '$hello');
  socket.write(upgradeText());
  await hello;
  const closing = new Promise<number>((resolve) => {
    socket.on('data', (bytes: Buffer) => {
      if (bytes[0] === 0x88) resolve(bytes.readUInt16BE(2));
    });
  });
  socket.write(Buffer.concat(frames));
  const code = await closing;
  socket.end();
  expect((await gone).code).toBe(code);
  return code;
}

describe('maxPayloadBytes', () => {
  it.each([
    ['the default', {}, 65_536],
    ['100', { maxPayloadBytes: 100 }, 100],
  ])('of %s lets that many bytes in and closes with 1009 at one more', async (_name, options, max) => {
    const { app, visits, metrics } = await openLobby(options);
    const client = app.open('/lobby');
    const gone = visits.departure();
    expect((await client.hello()).maxPayloadBytes).toBe(max);
    client.sendText(sayOf(max));
    await client.reply(1);
    client.sendText(sayOf(max + 1));
    expect((await client.closed).code).toBe(1009);
    await gone;
    expect(metrics.connectionsClosed.of('1009')).toBe(1);
  });

  it('counts all fragments of a message together', async () => {
    const piece = 'a'.repeat(60);
    const frames = [
      clientFrame(piece, { fin: false }),
      clientFrame(piece, { opcode: Opcode.CONTINUATION, fin: true }),
    ];
    expect(await endAfter(frames, { maxPayloadBytes: 100 })).toBe(1009);
  });

  it('is checked by the length a frame announces, before its bytes arrive', async () => {
    const announced = Buffer.from([0x81, 0x80 | 127, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4]);
    expect(await endAfter([announced])).toBe(1009);
  });
});

describe('maxFragments', () => {
  const fragments = (count: number) =>
    Array.from({ length: count }, (_, i) =>
      clientFrame('', { opcode: i === 0 ? Opcode.TEXT : Opcode.CONTINUATION, fin: false }),
    );

  it.each([
    [{ maxFragments: 4 }, 5],
    [{}, 65],
  ])('of %j closes with 1008 at %i', async (options, count) => {
    expect(await endAfter(fragments(count), options)).toBe(1008);
  });

  it('accepts that many', async () => {
    const { app } = await openLobby({ maxFragments: 4 });
    const socket = new WebSocket(`ws://127.0.0.1:${app.port}/lobby`);
    await once(socket, 'message');
    const text = JSON.stringify({ type: 'say', id: 1, payload: { text: 'abcd' } });
    const quarter = Math.ceil(text.length / 4);
    for (let i = 0; i < 4; i++) socket.send(text.slice(i * quarter, (i + 1) * quarter), { fin: i === 3 });
    const [answer] = (await once(socket, 'message')) as [Buffer];
    expect(JSON.parse(answer.toString())).toEqual({ type: '$reply', id: 1, payload: { text: 'abcd' } });
  });
});

describe('the JSON of a frame', () => {
  it.each([
    ['nested 32 deep', nested(31), 'VALIDATION_FAILED'],
    ['nested 33 deep', nested(32), 'PARSE_ERROR'],
    ['nested 30,000 deep', nested(30_000), 'PARSE_ERROR'],
    ['of 4,096 keys', wide(4_093), 'VALIDATION_FAILED'],
    ['of 4,097 keys', wide(4_094), 'PARSE_ERROR'],
  ])('%s is answered with its id: %s', async (_what, text, code) => {
    const { app, metrics } = await openLobby();
    const client = await app.connect('/lobby');
    client.sendText(text);
    const answered =
      code === 'PARSE_ERROR' ? /^PARSE_ERROR: the JSON (is nested deeper|has more keys|has more)/ : /^V/;
    await expect(client.reply(1)).rejects.toThrow(answered);
    expect(metrics.messagesRefused.of(code)).toBe(1);
    expect(await client.request('say', { text: 'a' })).toEqual({ text: 'a' });
  });

  it('is limited by maxJsonDepth and maxJsonKeys', async () => {
    const { app } = await openLobby({ maxJsonDepth: 2, maxJsonKeys: 4 });
    const client = await app.connect('/lobby');
    expect(await client.request('say', { text: 'a' })).toEqual({ text: 'a' });
    client.sendText('{"type":"say","id":1,"payload":{"text":{}}}');
    await expect(client.reply(1)).rejects.toThrow('deeper than 2');
    client.sendText('{"type":"say","id":2,"payload":{"text":"a","b":1}}');
    await expect(client.reply(2)).rejects.toThrow('more than 4 keys');
  });
});

it('maxProtocolErrors invalid frames in a row close with 4520; a valid message resets the count', async () => {
  const { app } = await openLobby({ maxProtocolErrors: 3 });
  const client = await app.connect('/lobby');
  for (let round = 0; round < 3; round++) {
    client.sendText('{');
    client.sendText('[]');
    await client.request('say', { text: 'a' });
  }
  for (let i = 0; i < 3; i++) client.sendText('{');
  expect((await client.closed).code).toBe(4520);
});

it.each([
  ['a frame with a reserved bit', Buffer.from([0xc1, 0x80, 0, 0, 0, 0]), 1002],
  ['an unmasked frame', Buffer.from([0x81, 0x01, 0x61]), 1002],
  ['an unknown opcode', clientFrame('', { opcode: 3 }), 1002],
  ['a continuation of nothing', clientFrame('a', { opcode: Opcode.CONTINUATION }), 1002],
  ['a ping of 126 bytes', clientFrame('p'.repeat(126), { opcode: Opcode.PING }), 1002],
  ['text that is no UTF-8', clientFrame(Buffer.from([0xff, 0xfe])), 1007],
])('%s ends its connection with %o', async (_what, frame, code) => {
  expect(await endAfter([frame])).toBe(code);
});
