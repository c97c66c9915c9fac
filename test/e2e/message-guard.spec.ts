import {
  Injectable,
  UseGuards,
  UseInterceptors,
  UsePipes,
  type ArgumentMetadata,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type NestInterceptor,
  type PipeTransform,
} from '@nestjs/common';
import { ConnectedSocket, MessageBody, WebSocketGateway } from '@nestjs/websockets';
import { IsString } from 'class-validator';
import type { Observable } from 'rxjs';
import {
  Connection,
  MessageGuard,
  OnMessage,
  RealtimeGateway,
  RealtimeModule,
  defineContract,
} from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp } from 'nestjs-realtime/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

class Order {
  @IsString() dish!: string;

  describe(): string {
    return `a plate of ${this.dish}`;
  }
}
class Text {
  @IsString() text!: string;
}

const kitchen = defineContract({
  client: {
    order: { payload: Order, reply: Text },
    cook: { payload: Order, reply: Text },
    taste: { payload: Order, reply: Text },
  },
});

const seen: string[] = [];
const saw = (who: string, payload: unknown) =>
  seen.push(`${who} ${payload instanceof Order ? payload.describe() : JSON.stringify(payload)}`);

@Injectable()
class WatchingGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    saw('guard', context.switchToWs().getData());
    return true;
  }
}
@Injectable()
class WatchingInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    saw('interceptor', context.switchToWs().getData());
    return next.handle();
  }
}
@Injectable()
class WatchingPipe implements PipeTransform {
  transform(value: unknown, { type }: ArgumentMetadata): unknown {
    if (type === 'body') saw('pipe', value);
    return value;
  }
}

@UseGuards(WatchingGuard)
@RealtimeGateway({ path: '/ws', contract: kitchen })
@UseInterceptors(WatchingInterceptor)
@UsePipes(WatchingPipe)
class KitchenGateway {
  @OnMessage(kitchen, 'order')
  order(payload: Order): Text {
    saw('handler', payload);
    return { text: Object.keys(payload).join() };
  }

  @OnMessage(kitchen, 'cook', { allow: ({ userId }) => userId === 'chef' })
  cook(payload: Order): Text {
    return { text: payload.describe() };
  }

  @OnMessage(kitchen, 'taste', { allow: async ({ userId }) => userId === 'chef' })
  taste(payload: Order): Text {
    return { text: payload.describe() };
  }
}

@WebSocketGateway({ path: '/plain' })
@UseGuards(MessageGuard)
class PlainKitchenGateway {
  @OnMessage(kitchen, 'order')
  order(@MessageBody() payload: Order, @ConnectedSocket() socket: unknown) {
    return {
      event: 'ordered',
      data: { text: payload.describe(), isRaw: !(socket instanceof Connection) },
    } as never;
  }
}

let app: RealtimeTestApp;
beforeEach(async () => {
  seen.length = 0;
  app = await createRealtimeTestApp({
    imports: [RealtimeModule.forRoot({ authenticate: ({ token }) => ({ userId: token }) })],
    providers: [KitchenGateway, PlainKitchenGateway],
  });
});
afterEach(() => app.close());

describe('the guard of a realtime gateway', () => {
  it('passes the typed instance to guards, interceptors, pipes and the handler, in this order', async () => {
    const client = await app.connect('/ws', { token: 'guest' });
    await client.request('order', { dish: 'soup' });
    expect(seen).toEqual(['guard', 'interceptor', 'pipe', 'handler'].map((who) => `${who} a plate of soup`));
  });

  it('strips properties that are not in the contract', async () => {
    const client = await app.connect('/ws', { token: 'guest' });
    expect(await client.request('order', { dish: 'soup', price: 0, describe: 'me' })).toEqual({
      text: 'dish',
    });
  });

  it('runs nothing for an invalid payload', async () => {
    const client = await app.connect('/ws', { token: 'guest' });
    await expect(client.request('order', { dish: 7 })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
      issues: [{ path: 'dish', message: expect.any(String) }],
    });
    expect(seen).toEqual([]);
  });

  it.each(['cook', 'taste'])(
    'checks whether a client may send the message before it validates the payload: %s',
    async (type) => {
      const [guest, chef] = await Promise.all([
        app.connect('/ws', { token: 'guest' }),
        app.connect('/ws', { token: 'chef' }),
      ]);
      await expect(guest.request(type, { dish: 7 })).rejects.toMatchObject({ code: 'FORBIDDEN' });
      await expect(guest.request(type, { dish: 'soup' })).rejects.toMatchObject({ code: 'FORBIDDEN' });
      await expect(chef.request(type, { dish: 7 })).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
      expect(await chef.request(type, { dish: 'soup' })).toEqual({ text: 'a plate of soup' });
    },
  );
});

describe('the guard on a plain gateway', () => {
  const exchange = (frame: object): Promise<string> => {
    const socket = new WebSocket(`ws://127.0.0.1:${app.port}/plain`);
    socket.on('open', () => socket.send(JSON.stringify(frame)));
    return new Promise((resolve) => {
      socket.on('message', (data) => {
        resolve(String(data));
        socket.close();
      });
    });
  };

  it('passes the typed instance to the handler', async () => {
    expect(await exchange({ event: 'order', data: { dish: 'soup' } })).toBe(
      '{"event":"ordered","data":{"text":"a plate of soup","isRaw":true}}',
    );
  });

  it('refuses an invalid payload in the frame format of Nest', async () => {
    const answer = JSON.parse(await exchange({ event: 'order', data: { dish: 7 } })) as Record<
      string,
      unknown
    >;
    expect(answer).toMatchObject({
      event: 'exception',
      data: { code: 'VALIDATION_FAILED', issues: [{ path: 'dish' }] },
    });
  });
});
