import type { Duplex } from 'node:stream';
import { RealtimeModule } from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp, type TestClient } from 'nestjs-realtime/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HOSTILE_FRAMES, SECRET, rawFrame, type HostileFrame } from './hostile-frames.js';
import { ProcessFaults } from '../rig/process/process-faults.js';
import { RestaurantGateway } from './restaurant.js';

let app: RealtimeTestApp;
let faults: ProcessFaults;

beforeAll(async () => {
  faults = new ProcessFaults();
  app = await createRealtimeTestApp({ imports: [RealtimeModule.forRoot()], providers: [RestaurantGateway] });
});
afterAll(async () => {
  await app.close();
  faults.stop();
  expect(faults.seen).toEqual([]);
});

function send({ socket }: TestClient, { text, binary, raw }: HostileFrame): void {
  if (raw !== undefined) (socket as unknown as { _socket: Duplex })._socket.write(raw);
  else socket.send(binary ?? text ?? '');
}

const works = { type: '$reply', id: 'after', payload: { id: 'r-t1', tableId: 't1', partySize: 2 } };
const workAfter = (client: TestClient) =>
  client.send({ type: 'table:reserve', id: 'after', payload: { tableId: 't1', partySize: 2 } });

it('the table has at least 35 rows', () => {
  expect(HOSTILE_FRAMES.length).toBeGreaterThanOrEqual(35);
});

describe('a client that sends', () => {
  it.each(HOSTILE_FRAMES)('$name', async (frame) => {
    const client = await app.connect('/ws');
    const received: string[] = [];
    client.socket.on('message', (data) => received.push(String(data)));
    send(client, frame);
    if (frame.close !== undefined) {
      expect((await client.closed).code).toBe(frame.close);
      expect(client.frames).toEqual([]);
    } else {
      workAfter(client);
      if (frame.code !== undefined) {
        const refused = await client.next();
        expect(refused).toMatchObject({
          type: '$error',
          payload: { code: frame.code, message: expect.any(String) },
        });
        expect(refused.id).toBe(frame.id);
        expect(Object.keys(refused.payload as object)).toEqual(
          frame.code === 'VALIDATION_FAILED' ? ['code', 'message', 'issues'] : ['code', 'message'],
        );
      }
      expect(await client.next()).toEqual(works);
    }
    const text = received.join('\n');
    expect(text).not.toContain(SECRET);
    expect(text).not.toMatch(/\bat .*:\d+|node_modules|\.[jt]s\b/);
  });
});

describe('a client that sends an unusual valid message', () => {
  it.each(['0', '-1', '1.5', '1e21', '"é"', `"${'x'.repeat(128)}"`])(
    'with the id %s gets its reply',
    async (id) => {
      const client = await app.connect('/ws');
      client.sendText(`{"type":"table:reserve","id":${id},"payload":{"tableId":"t1","partySize":2}}`);
      expect(await client.next()).toMatchObject({ type: '$reply', id: JSON.parse(id) as number });
    },
  );

  it('with the id null gets no reply', async () => {
    const client = await app.connect('/ws');
    client.sendText('{"type":"table:reserve","id":null,"payload":{"tableId":"t1","partySize":2}}');
    workAfter(client);
    expect(await client.next()).toEqual(works);
  });

  it('with unknown fields, at the root and in the payload, gets its reply', async () => {
    const client = await app.connect('/ws');
    const payload = { tableId: 't1', partySize: 2, isAdmin: true, hasOwnProperty: 1 };
    client.sendText(
      JSON.stringify({ type: 'table:reserve', id: 'after', payload, channel: SECRET, position: 4 }),
    );
    expect(await client.next()).toEqual(works);
  });

  it('in fragments, cut inside a character, gets its reply', async () => {
    const client = await app.connect('/ws');
    const bytes = Buffer.from('{"type":"table:reserve","id":"é","payload":{"tableId":"t1","partySize":2}}');
    const cut = bytes.indexOf(0xc3) + 1;
    const raw = Buffer.concat([
      rawFrame(0x01, bytes.subarray(0, cut)),
      rawFrame(0x00, Buffer.alloc(0)),
      rawFrame(0x80, bytes.subarray(cut)),
    ]);
    send(client, { name: 'fragments', raw });
    expect(await client.next()).toMatchObject({ type: '$reply', id: 'é' });
  });

  it('as ping is answered with pong, with its id if it has one', async () => {
    const client = await app.connect('/ws');
    client.sendText('{"type":"ping"}');
    client.sendText('{"type":"ping","id":4}');
    expect([await client.next(), await client.next()]).toEqual([{ type: 'pong' }, { type: 'pong', id: 4 }]);
  });
});

describe('bad frames in a row', () => {
  it('close with 4520 at the twentieth', async () => {
    const client = await app.connect('/ws');
    for (let n = 0; n < 20; n++) client.sendText(n % 2 === 0 ? SECRET : '{"type":"nothing:known"}');
    workAfter(client);
    expect(await client.closed).toEqual({ code: 4520, reason: 'too many invalid messages' });
    expect(client.frames).toHaveLength(20);
    expect(client.frames.every(({ type }) => type === '$error')).toBe(true);
  });

  it('start from zero after a valid message', async () => {
    const client = await app.connect('/ws');
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < 19; n++) client.sendText('{');
      expect(await client.request('table:reserve', { tableId: 't1', partySize: 2 })).toMatchObject({
        id: 'r-t1',
      });
    }
  });

  it('do not include refused payloads, which never close the connection', async () => {
    const client = await app.connect('/ws');
    for (let n = 0; n < 50; n++) client.send({ type: 'table:reserve', id: n, payload: {} });
    workAfter(client);
    expect(await client.reply('after')).toEqual(works.payload);
  });
});
