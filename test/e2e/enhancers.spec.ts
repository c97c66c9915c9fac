import {
  Catch,
  Injectable,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  ValidationPipe,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type INestApplication,
  type Provider,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE, BaseExceptionFilter } from '@nestjs/core';
import { of, type Observable } from 'rxjs';
import { Connection, OnMessage, RealtimeGateway, RealtimeModule } from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp } from 'nestjs-realtime/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  EchoGateway,
  Kettle,
  Teapot,
  Text,
  calls,
  echo,
  filter,
  guard,
  interceptor,
  pipe,
  speak,
} from './echo.js';

@RealtimeGateway({ path: '/ws', contract: echo })
@UseGuards(guard('class'))
@UseInterceptors(interceptor('class'))
@UsePipes(pipe('class'))
@UseFilters(filter('class', Teapot), filter('class', Kettle))
class BoundGateway {
  @OnMessage(echo, 'say')
  @UseGuards(guard('method'))
  @UseInterceptors(interceptor('method'))
  @UsePipes(pipe('method'))
  @UseFilters(filter('method', Teapot))
  say({ text }: Text, _connection: Connection): Text {
    return speak(text);
  }

  @OnMessage(echo, 'stream')
  async *stream({ text }: Text): AsyncGenerator<Text> {
    yield speak('1');
    yield speak(text);
  }
}

beforeEach(() => void (calls.length = 0));

let app: RealtimeTestApp;
afterEach(() => app.close());
const start = async (
  gateway: new () => object,
  configure?: (nest: INestApplication) => void,
  providers: Provider[] = [],
) => {
  app = await createRealtimeTestApp(
    { imports: [RealtimeModule.forRoot()], providers: [gateway, ...providers] },
    configure === undefined ? {} : { configure },
  );
  return app.connect('/ws');
};

describe('on class and method', () => {
  it('guards, interceptors and pipes run from the outside in', async () => {
    const client = await start(BoundGateway);
    expect(await client.request('say', { text: 'hi' })).toEqual({ text: 'class(method(hi class method))' });
    expect(calls).toEqual(['class ws true say hi', 'method ws true say hi']);
  });

  it.each(['class', 'method'])(
    'a guard that returns false rejects the message with FORBIDDEN: %s',
    async (name) => {
      const client = await start(BoundGateway);
      await expect(client.request('say', { text: `no ${name}` })).rejects.toMatchObject({
        code: 'FORBIDDEN',
      });
    },
  );

  it('the innermost filter that catches the error runs', async () => {
    const client = await start(BoundGateway);
    await expect(client.request('say', { text: 'teapot' })).rejects.toThrow('BREWING: filtered by method');
    await expect(client.request('say', { text: 'kettle' })).rejects.toThrow('BREWING: filtered by class');
    await expect(client.request('say', { text: 'http' })).rejects.toThrow('NOT_FOUND: gone');
    expect(calls.filter((call) => call.endsWith('ws'))).toEqual(['method ws', 'class ws']);
  });

  it('interceptors map each part of a stream, and filters its error', async () => {
    const client = await start(BoundGateway);
    client.send({ type: 'stream', id: 1, payload: { text: 'kettle' } });
    expect(await client.next()).toEqual({ type: '$next', id: 1, payload: { text: 'class(1)' } });
    expect(await client.next()).toEqual({
      type: '$error',
      id: 1,
      payload: { code: 'BREWING', message: 'filtered by class' },
    });
  });
});

describe('globally', () => {
  const bindings = {
    'by app.useGlobal…': (): Parameters<typeof start> => [
      EchoGateway,
      (nest) => {
        nest.useGlobalGuards(guard('global'));
        nest.useGlobalInterceptors(interceptor('global'));
        nest.useGlobalPipes(pipe('global'));
        nest.useGlobalFilters(filter('global', Teapot));
      },
    ],
    'by APP_… tokens': (): Parameters<typeof start> => [
      EchoGateway,
      undefined,
      [
        { provide: APP_GUARD, useValue: guard('global') },
        { provide: APP_INTERCEPTOR, useValue: interceptor('global') },
        { provide: APP_PIPE, useValue: pipe('global') },
        { provide: APP_FILTER, useValue: filter('global', Teapot) },
      ],
    ],
  };

  it.each(Object.entries(bindings))('%s they all run', async (_name, binding) => {
    const client = await start(...binding());
    expect(await client.request('say', { text: 'hi' })).toEqual({ text: 'global(hi global)' });
    await expect(client.request('say', { text: 'no global' })).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(client.request('say', { text: 'teapot' })).rejects.toThrow('BREWING: filtered by global');
  });

  it('a guard sees the message before the payload is validated, as global guards come first', async () => {
    const client = await start(EchoGateway, (nest) => nest.useGlobalGuards(guard('global')));
    await expect(client.request('say', { text: 1 })).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
    expect(calls).toEqual(['global ws true say 1']);
  });

  it("Nest's ValidationPipe does not change a valid payload", async () => {
    const client = await start(EchoGateway, (nest) =>
      nest.useGlobalPipes(new ValidationPipe({ whitelist: true })),
    );
    expect(await client.request('say', { text: 'hi' })).toEqual({ text: 'hi' });
  });
});

describe('a filter', () => {
  it('that returns leaves the error unchanged', async () => {
    @Catch()
    class LookingFilter implements ExceptionFilter {
      catch(error: Error): void {
        calls.push(error.constructor.name);
      }
    }
    const client = await start(EchoGateway, (nest) => nest.useGlobalFilters(new LookingFilter()));
    await expect(client.request('say', { text: 'ws' })).rejects.toThrow('BAD_REQUEST: as you wish');
    await expect(client.request('say', { text: 'teapot' })).rejects.toThrow('INTERNAL: internal error');
    expect(calls).toEqual(['WsException', 'Teapot']);
  });

  it('that throws, as an HTTP filter does, leaves the error unchanged', async () => {
    const client = await start(EchoGateway, (nest) =>
      nest.useGlobalFilters(new BaseExceptionFilter(nest.getHttpAdapter())),
    );
    await expect(client.request('say', { text: 'http' })).rejects.toThrow('NOT_FOUND: gone');
    await expect(client.request('say', { text: 'teapot' })).rejects.toThrow('INTERNAL: internal error');
    expect(await client.request('say', { text: 'hi' })).toEqual({ text: 'hi' });
  });
});

@Injectable()
class AsyncGuard implements CanActivate {
  canActivate(context: ExecutionContext): Observable<boolean> | Promise<boolean> {
    const { text } = context.switchToWs().getData<Text>();
    return text.length > 2 ? of(text !== 'nope') : Promise.resolve(text !== 'no');
  }
}

describe('a guard', () => {
  it.each(['no', 'nope'])('may return a Promise or an Observable: %s', async (text) => {
    const client = await start(EchoGateway, undefined, [{ provide: APP_GUARD, useClass: AsyncGuard }]);
    await expect(client.request('say', { text })).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(await client.request('say', { text: 'yes' })).toEqual({ text: 'yes' });
    expect(await client.request('say', { text: 'ye' })).toEqual({ text: 'ye' });
  });
});
