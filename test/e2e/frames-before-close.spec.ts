import { once } from 'node:events';
import { IsString } from 'class-validator';
import { type Connection, OnMessage, RealtimeGateway, RealtimeModule, defineContract } from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp } from 'nestjs-realtime/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

class Text {
  @IsString() text!: string;
}
const desk = defineContract({
  client: { ask: { payload: Text, reply: Text }, leave: { payload: Text } },
  server: { farewell: { payload: Text } },
});

@RealtimeGateway({ path: '/ws', contract: desk })
class DeskGateway {
  @OnMessage(desk, 'ask')
  ask({ text }: Text): Text {
    return { text };
  }

  @OnMessage(desk, 'leave')
  leave({ text }: Text, connection: Connection): void {
    for (let i = 0; i < 3; i++) connection.send({ type: 'farewell', payload: { text: `${text} ${i}` } });
    connection.close(4_000, 'left');
  }
}

let app: RealtimeTestApp;

beforeEach(async () => {
  app = await createRealtimeTestApp({ imports: [RealtimeModule.forRoot()], providers: [DeskGateway] });
});
afterEach(() => app.close());

/** Every frame a client receives until its socket has closed, and the code. */
async function receivedUntilClose(talk: (socket: Awaited<ReturnType<typeof app.connect>>['socket']) => void) {
  const { socket } = await app.connect('/ws');
  const messages: unknown[] = [];
  socket.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString())));
  talk(socket);
  const [code] = await once(socket, 'close');
  return { messages, code: code as number };
}

describe('frames sent before a close arrive before it', () => {
  it('when the client sends a request and closes in the same segment', async () => {
    const { messages, code } = await receivedUntilClose((socket) => {
      socket.send(JSON.stringify({ type: 'ask', id: 1, payload: { text: 'still there?' } }));
      socket.close(1_000);
    });
    expect(messages).toEqual([{ type: '$reply', id: 1, payload: { text: 'still there?' } }]);
    expect(code).toBe(1_000);
  });

  it('when the handler sends and closes', async () => {
    const { messages, code } = await receivedUntilClose((socket) => {
      socket.send(JSON.stringify({ type: 'leave', payload: { text: 'bye' } }));
    });
    expect(messages).toEqual([0, 1, 2].map((i) => ({ type: 'farewell', payload: { text: `bye ${i}` } })));
    expect(code).toBe(4_000);
  });

  it('when ws itself closes, for a frame that is too large', async () => {
    const { messages, code } = await receivedUntilClose((socket) => {
      socket.send(JSON.stringify({ type: 'ask', id: 2, payload: { text: 'small' } }));
      socket.send('x'.repeat(100_000));
    });
    expect(messages).toEqual([{ type: '$reply', id: 2, payload: { text: 'small' } }]);
    expect(code).toBe(1_009);
  });
});
