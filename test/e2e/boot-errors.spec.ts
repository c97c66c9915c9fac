import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { IsString } from 'class-validator';
import {
  OnMessage,
  RealtimeGateway,
  RealtimeModule,
  defineContract,
  type Connection,
  type RealtimeOptions,
} from 'nestjs-realtime';
import { createRealtimeTestApp } from 'nestjs-realtime/testing';
import { describe, expect, it } from 'vitest';
import { RestaurantGateway } from './restaurant.js';

class Text {
  @IsString() text!: string;
}
const chat = defineContract({
  client: { say: { payload: Text }, shout: { payload: Text } },
  server: { said: { payload: Text } },
});
const other = defineContract({
  client: { say: { payload: Text } },
  server: { said: { payload: Text, delivery: 'volatile' } },
});

const start = (...providers: (new (...parameters: never[]) => object)[]) =>
  boot({ imports: [RealtimeModule.forRoot()], providers });

/** Starts an app and says so; what keeps it from starting is thrown. */
async function boot(...parameters: Parameters<typeof createRealtimeTestApp>): Promise<string> {
  const app = await createRealtimeTestApp(...parameters);
  await app.close();
  return 'started';
}

describe('an app does not start with', () => {
  it('a message of the contract that has no handler', async () => {
    @RealtimeGateway({ path: '/ws', contract: chat })
    class HalfGateway {
      @OnMessage(chat, 'say')
      say(_payload: Text): void {}
    }
    await expect(start(HalfGateway)).rejects.toThrow(
      `No handler for the client message "shout" on the path "/ws": add an @OnMessage(…, 'shout') method to HalfGateway, or take it out of the contract.`,
    );
  });

  it('two handlers for one type on a path', async () => {
    @RealtimeGateway({ path: '/ws', contract: other })
    class FirstGateway {
      @OnMessage(other, 'say')
      say(_payload: Text): void {}
    }
    @RealtimeGateway({ path: 'ws/', contract: other })
    class SecondGateway {
      @OnMessage(other, 'say')
      repeat(_payload: Text): void {}
    }
    await expect(start(FirstGateway, SecondGateway)).rejects.toThrow(
      'SecondGateway.repeat is the second handler for "say" on the path "/ws": keep one, since a message gets one answer.',
    );
  });

  it('a handler of another contract than its gateway', async () => {
    @RealtimeGateway({ path: '/ws', contract: chat })
    class ForeignGateway {
      @OnMessage(other, 'say')
      say(_payload: Text): void {}
    }
    await expect(start(ForeignGateway)).rejects.toThrow(
      `ForeignGateway.say handles "say" of another contract than ForeignGateway's own: pass the gateway's contract to @OnMessage.`,
    );
  });

  it('a plain @SubscribeMessage on a realtime gateway', async () => {
    @RealtimeGateway({ path: '/ws', contract: defineContract({}) })
    class MixedGateway {
      @SubscribeMessage('say')
      say(): void {}
    }
    await expect(start(MixedGateway)).rejects.toThrow(
      'MixedGateway.say has @SubscribeMessage, which no contract knows: use @OnMessage(contract, type).',
    );
  });

  it('a plain gateway on the same path', async () => {
    @WebSocketGateway({ path: '/ws' })
    class PlainGateway {}
    await expect(start(RestaurantGateway, PlainGateway)).rejects.toThrow(
      'PlainGateway is a plain @WebSocketGateway on the path "/ws" of a @RealtimeGateway: give it a path of its own.',
    );
  });

  it('two contracts that disagree about the delivery of a message', async () => {
    @RealtimeGateway({ path: '/a', contract: defineContract({ server: chat.server }) })
    class AGateway {}
    @RealtimeGateway({ path: '/b', contract: defineContract({ server: other.server }) })
    class BGateway {}
    await expect(start(AGateway, BGateway)).rejects.toThrow(
      'Expected one delivery for the server message "said", got "live" in one contract and "volatile" in another: ' +
        'give them the same delivery or different names.',
    );
  });

  it('a WebSocket adapter of its own', async () => {
    const app = boot(
      { imports: [RealtimeModule.forRoot()], providers: [RestaurantGateway] },
      { configure: (nest) => nest.useWebSocketAdapter(new WsAdapter(nest)) },
    );
    await expect(app).rejects.toThrow(
      'RealtimeModule installs its own WebSocket adapter, but app.useWebSocketAdapter() replaced it by WsAdapter: ' +
        'remove that call; plain @WebSocketGateway classes keep working.',
    );
  });
});

describe('a class does not compile to a gateway with', () => {
  it('a handler for a type the contract lacks', () => {
    // A program without types may name anything.
    const type = 'whisper' as 'say';
    expect(() => OnMessage(chat, type)).toThrow(
      'Expected a client message of the contract, got "whisper": add it to `client` of defineContract() or fix the name.',
    );
  });

  it('the connection in front of the payload', async () => {
    const { Connection: ConnectionClass } = await import('nestjs-realtime');
    class Swapped {
      say(_connection: Connection, _payload: Text): void {}
    }
    Reflect.defineMetadata('design:paramtypes', [ConnectionClass, Text], Swapped.prototype, 'say');
    const descriptor = Object.getOwnPropertyDescriptor(Swapped.prototype, 'say');
    const decorate = OnMessage(chat, 'say') as MethodDecorator;
    expect(() => decorate(Swapped.prototype, 'say', descriptor as PropertyDescriptor)).toThrow(
      'Swapped.say takes the connection first: write (payload, connection), or mark the parameters with @Payload() and @CurrentConnection().',
    );
  });

  it('a path that is no string', () => {
    expect(() => RealtimeGateway({ path: 7 as unknown as string, contract: chat })).toThrow(
      'Expected the path of a @RealtimeGateway to be a string like "/ws", got number.',
    );
  });
});

describe('forRoot', () => {
  const refused: [string, unknown, string][] = [
    ['maxPayloadBytes', 0, 'to be a positive integer, got 0.'],
    ['maxPayloadBytes', '64kb', 'to be a positive integer, got 64kb.'],
    ['maxJsonDepth', -1, 'to be a positive integer, got -1.'],
    ['maxJsonKeys', 1.5, 'to be a positive integer, got 1.5.'],
    ['maxProtocolErrors', Number.NaN, 'to be a positive integer, got NaN.'],
    ['concurrency', 0, 'to be a positive integer, got 0.'],
    ['maxWaitingMessages', null, 'to be a positive integer, got null.'],
    ['highWaterMarkBytes', Infinity, 'to be a positive integer, got Infinity.'],
    ['maxQueueBytes', {}, 'to be a positive integer, got [object Object].'],
    ['closeTimeoutMs', 2 ** 31, 'to be a positive integer, got 2147483648.'],
    ['maxFragments', false, 'to be a positive integer, got false.'],
    ['handshakeTimeoutMs', '5s', 'to be a positive integer, got 5s.'],
    ['authTimeoutMs', true, 'to be a positive integer or false, got true.'],
    ['maxConnections', 0, 'to be a positive integer or false, got 0.'],
    ['maxConnectionsPerIp', -1, 'to be a positive integer or false, got -1.'],
    ['maxConnectionsPerUser', 2.5, 'to be a positive integer or false, got 2.5.'],
    ['maxUnauthenticated', null, 'to be a positive integer or false, got null.'],
    ['heartbeat', true, 'to be an object or false, got true.'],
    ['heartbeat.intervalMs', 0, 'to be a positive integer, got 0.'],
    ['rateLimit.messagesPerSecond', '10', 'to be a positive integer, got 10.'],
    ['drain.timeoutMs', false, 'to be a positive integer, got false.'],
    ['idempotency', [], 'to be an object or false, got .'],
    ['handshakes.maxPerSecond', true, 'to be a positive integer or false, got true.'],
    ['compression', true, 'to be an object or false, got true.'],
    ['rejectWith', 'tcp', "to be 'http' or 'close', got tcp."],
    [
      'origins',
      'https://a.test',
      "to be 'same-host', a list like ['https://app.example.com'], a function or false",
    ],
    ['ticketStore', {}, 'to be an object with put, take; put, take missing.'],
    ['logConnections', 'false', 'to be true or false, got string.'],
    ['allowMissingOrigin', 0, 'to be true or false, got number.'],
    ['trustProxy', {}, 'to be'],
    ['authenticate', 'jwt', 'to be a function (handshake) => identity.'],
    ['tokenCookie', 7, "to be a cookie's name or false, got"],
    ['backplane', 'redis://localhost', 'to be an object with start, subscribe, unsubscribe, publish, stop;'],
  ];

  it.each(refused)('refuses %s: %j', async (name, value, rest) => {
    const [group, setting] = name.split('.') as [string, string?];
    const options = { [group]: setting === undefined ? value : { [setting]: value } } as RealtimeOptions;
    const app = boot({ imports: [RealtimeModule.forRoot(options)] });
    await expect(app).rejects.toThrow(`RealtimeModule expected the option ${name} ${rest}`);
  });

  it('refuses an unknown option and lists the known ones', async () => {
    const options = { heartbeats: 1 } as RealtimeOptions;
    await expect(boot({ imports: [RealtimeModule.forRoot(options)] })).rejects.toThrow(
      /^RealtimeModule has no option "heartbeats": the options are authenticate, .*maxPayloadBytes.*drain\.$/,
    );
  });

  it('refuses an unknown setting of a group', async () => {
    const options = { heartbeat: { every: 1 } } as RealtimeOptions;
    await expect(boot({ imports: [RealtimeModule.forRoot(options)] })).rejects.toThrow(
      'RealtimeModule has no option "heartbeat.every": heartbeat takes intervalMs, timeoutMs.',
    );
  });

  it('refuses a high-water mark above the queue', async () => {
    const options = { highWaterMarkBytes: 11, maxQueueBytes: 10 };
    await expect(boot({ imports: [RealtimeModule.forRoot(options)] })).rejects.toThrow(
      'RealtimeModule expected highWaterMarkBytes (11) to be at most maxQueueBytes (10): lower the first or raise the second.',
    );
  });

  it.each([null, 'fast'])('refuses %j in place of options', async (options) => {
    const module = RealtimeModule.forRootAsync({ useFactory: () => options as RealtimeOptions });
    await expect(boot({ imports: [module] })).rejects.toThrow(
      /^RealtimeModule expected an options object, got (null|string)\.$/,
    );
  });
});
