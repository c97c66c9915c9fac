import { Injectable, Module, Scope } from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { IsString } from 'class-validator';
import { OnMessage, RealtimeGateway, RealtimeModule, defineContract, type Connection } from 'nestjs-realtime';
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

const empty = defineContract({});

const start = (...providers: (new (...parameters: never[]) => object)[]) =>
  boot({ imports: [RealtimeModule.forRoot()], providers });

const SERVED_BY_ANOTHER =
  "has @RealtimeGateway, but another WebSocket adapter than RealtimeModule's would serve it, without authentication and limits: " +
  'import RealtimeModule.forRoot() in the root module, and remove app.useWebSocketAdapter(); plain @WebSocketGateway classes keep working.';

/** Starts an app; rejects with the error that prevents the start. */
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
      'SecondGateway.repeat is the second handler for "say" on the path "/ws": keep one, since a message gets one reply.',
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

  it('a plain gateway on a path that a realtime pattern takes', async () => {
    @RealtimeGateway({ path: '/:room', contract: empty })
    class RoomGateway {}
    @WebSocketGateway({ path: '/chat' })
    class PlainGateway {}
    await expect(start(RoomGateway, PlainGateway)).rejects.toThrow(
      'PlainGateway is a plain @WebSocketGateway on the path "/chat", which "/:room" of a @RealtimeGateway matches: give it a path of its own.',
    );
  });

  describe('a path that no request would reach:', () => {
    const gateway = (path: string) => {
      @RealtimeGateway({ path, contract: empty })
      class PathGateway {}
      return PathGateway;
    };

    it.each([
      ['/venues/:id', '/venues/:name', 'give both the same path, or different ones'],
      ['/a{/:b}', '/a{/:c}', 'give both the same path, or different ones'],
      ['/*rest', '/venues/:id', 'list it first in the providers, or give it another path'],
      ['/*rest', '/files/*path', 'list it first in the providers, or give it another path'],
      ['/:kind/:id', '/venues/v:id', 'list it first in the providers, or give it another path'],
      ['/a-b', '/a\\-b', 'give both the same path, or different ones'],
    ])('%s before %s', async (first, second, fix) => {
      await expect(start(gateway(first), gateway(second))).rejects.toThrow(
        `No request would reach the path "${second}" of PathGateway, since "${first}" of PathGateway comes first and matches all of it: ${fix}.`,
      );
    });

    it.each([
      ['/venues/:id', '/*rest'],
      ['/:kind/:id', '/files/*path'],
      ['/venues/:id', '/venues/new'],
      ['/a', '/a{/:b}'],
      ['/venues/:id', '/tables/:id'],
    ])('not %s before %s', async (first, second) => {
      expect(await start(gateway(first), gateway(second))).toBe('started');
    });
  });

  it('a gateway that two modules provide', async () => {
    @RealtimeGateway({ path: '/ws', contract: empty })
    class TwiceGateway {}
    @Module({ providers: [TwiceGateway] })
    class OtherModule {}
    await expect(
      boot({ imports: [RealtimeModule.forRoot(), OtherModule], providers: [TwiceGateway] }),
    ).rejects.toThrow(
      'TwiceGateway has @RealtimeGateway and is provided twice, so that its hooks would run twice for each connection: keep it in the `providers` of one module.',
    );
  });

  it('a transient gateway', async () => {
    @Injectable({ scope: Scope.TRANSIENT })
    @RealtimeGateway({ path: '/ws', contract: empty })
    class TransientGateway {}
    await expect(start(TransientGateway)).rejects.toThrow(
      'TransientGateway has @RealtimeGateway and Scope.TRANSIENT, but no provider asks for it, so that Nest does not construct it: leave the scope out, or use Scope.REQUEST for one instance per connection.',
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

  it('a custom WebSocket adapter, even without a realtime gateway', async () => {
    const app = boot(
      { imports: [RealtimeModule.forRoot()] },
      { configure: (nest) => nest.useWebSocketAdapter(new WsAdapter(nest)) },
    );
    await expect(app).rejects.toThrow(
      'RealtimeModule installs its own WebSocket adapter, but app.useWebSocketAdapter() replaced it by WsAdapter: ' +
        'remove that call; plain @WebSocketGateway classes keep working.',
    );
  });

  it('a custom WebSocket adapter', async () => {
    const app = boot(
      { imports: [RealtimeModule.forRoot()], providers: [RestaurantGateway] },
      { configure: (nest) => nest.useWebSocketAdapter(new WsAdapter(nest)) },
    );
    await expect(app).rejects.toThrow(SERVED_BY_ANOTHER);
  });
});

describe('a class does not compile to a gateway with', () => {
  it('a handler for a type that is not in the contract', () => {
    // An untyped program may pass any type.
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

  it('a path that is not a string', () => {
    expect(() => RealtimeGateway({ path: 7 as unknown as string, contract: chat })).toThrow(
      'Expected the path of a @RealtimeGateway to be a string like "/ws", got number.',
    );
  });
});
