import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { IsInt } from 'class-validator';
import { OnMessage, RealtimeGateway, RealtimeModule, defineContract } from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp } from 'nestjs-realtime/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';

class Step {
  @IsInt() n!: number;
}
const steps = defineContract({ client: { step: { payload: Step, reply: Step } } });

@RealtimeGateway({ path: '/ws', contract: steps })
class StepsGateway {
  async handleConnection(): Promise<void> {
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  @OnMessage(steps, 'step')
  step({ n }: Step): Step {
    return { n };
  }
}

let app: RealtimeTestApp;
let socket: Socket;
beforeEach(async () => {
  app = await createRealtimeTestApp({
    imports: [RealtimeModule.forRoot({ maxWaitingMessages: 4 })],
    providers: [StepsGateway],
  });
});
afterEach(async () => {
  socket.destroy();
  await app.close();
});

const upgrade = (path: string) =>
  [
    `GET ${path} HTTP/1.1`,
    'Host: localhost',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    '\r\n',
  ].join('\r\n');

/** A masked text frame of less than 126 bytes, as a client sends it. */
function clientFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const mask = randomBytes(4);
  const masked = payload.map((byte, index) => byte ^ (mask[index % 4] as number));
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length]), mask, masked]);
}

/** Everything the server sends until it contains a given text. */
function readUntil(text: string): Promise<string> {
  let read = '';
  return new Promise((resolve, reject) => {
    socket.on('data', (data) => {
      read += data.toString('latin1');
      if (read.includes(text)) resolve(read);
    });
    socket.on('close', () => reject(new Error(`closed after ${read}`)));
  });
}

it('frames in the same TCP segment as the upgrade are all handled in order, after $hello', async () => {
  const frames = Array.from({ length: 40 }, (_, n) =>
    clientFrame(`{"type":"step","id":${n},"payload":{"n":${n}}}`),
  );
  socket = connect(app.port, '127.0.0.1');
  socket.write(Buffer.concat([Buffer.from(upgrade('/ws')), ...frames]));
  const read = await readUntil('"id":39,');
  const answers = read.match(/"\$hello"|"id":\d+/g);
  expect(answers).toEqual(['"$hello"', ...frames.map((_, n) => `"id":${n}`)]);
});

it('a frame split between the upgrade segment and the next one is reassembled', async () => {
  const frame = clientFrame('{"type":"step","id":7,"payload":{"n":7}}');
  socket = connect(app.port, '127.0.0.1');
  socket.write(Buffer.concat([Buffer.from(upgrade('/ws')), frame.subarray(0, 9)]));
  await readUntil('$hello');
  socket.write(frame.subarray(9));
  expect(await readUntil('"id":7')).toContain('{"type":"$reply","id":7,"payload":{"n":7}}');
});

it('an upgrade without a key is refused with 400', async () => {
  socket = connect(app.port, '127.0.0.1');
  socket.write(upgrade('/ws').replace(/Sec-WebSocket-Key: .*\r\n/, ''));
  expect(await readUntil('\r\n')).toMatch(/^HTTP\/1\.1 400 /);
});

it('an upgrade to an unknown path is refused with 404 and a closed socket', async () => {
  socket = connect(app.port, '127.0.0.1');
  const ended = new Promise((resolve) => socket.on('end', resolve));
  socket.write(upgrade('/nope'));
  expect(await readUntil('no gateway on this path')).toMatch(
    /^HTTP\/1\.1 404 Not Found\r\nConnection: close\r\n/,
  );
  await ended;
});
