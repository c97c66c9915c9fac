import {
  Catch,
  HttpException,
  Injectable,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  ValidationPipe,
  createParamDecorator,
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type INestApplication,
  type NestInterceptor,
  type PipeTransform,
  type Provider,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE, BaseExceptionFilter } from '@nestjs/core';
import { WsException } from '@nestjs/websockets';
import { IsString } from 'class-validator';
import { Observable, firstValueFrom, lastValueFrom, map, of } from 'rxjs';
import { Connection, OnMessage, Payload, RealtimeException, RealtimeGateway, RealtimeModule, defineContract } from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp } from 'nestjs-realtime/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

class Text {
  @IsString() text!: string;
}
const echo = defineContract({
  client: {
    say: { payload: Text, reply: Text },
    stream: { payload: Text, reply: Text },
  },
});

const calls: string[] = [];
beforeEach(() => void (calls.length = 0));

const guard = (name: string): CanActivate => ({
  canActivate(context: ExecutionContext) {
    const ws = context.switchToWs();
    const isConnection = ws.getClient() instanceof Connection;
    calls.push(`${name} ${context.getType()} ${isConnection} ${ws.getPattern()} ${ws.getData<Text>().text}`);
    return ws.getData<Text>().text !== `no ${name}`;
  },
});
const interceptor = (name: string): NestInterceptor => ({
  intercept: (_context: ExecutionContext, next: CallHandler) =>
    next.handle().pipe(map(({ text }: Text) => ({ text: `${name}(${text})` }))),
});
const pipe = (name: string): PipeTransform => ({
  transform: (value: unknown) => (value instanceof Text ? Object.assign(new Text(), { text: `${value.text} ${name}` }) : value),
});

class Teapot extends Error {}
class Kettle extends Error {}
const filter = (name: string, what: new () => Error): ExceptionFilter => {
  @Catch(what)
  class NamedFilter implements ExceptionFilter {
    catch(_error: Error, host: ArgumentsHost): void {
      calls.push(`${name} ${host.getType()}`);
      throw new RealtimeException('BREWING', `filtered by ${name}`);
    }
  }
  return new NamedFilter();
};

const Shout = createParamDecorator((suffix: string, context: ExecutionContext) => {
  return context.switchToWs().getData<Text>().text.toUpperCase() + suffix;
});

function speak(text: string): Text {
  if (text.startsWith('teapot')) throw new Teapot('s3cret');
  if (text.startsWith('kettle')) throw new Kettle('s3cret');
  if (text.startsWith('http')) throw new HttpException('gone', 404);
  if (text.startsWith('ws')) throw new WsException('as you wish');
  return { text };
}

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

@RealtimeGateway({ path: '/ws', contract: echo })
class BareGateway {
  @OnMessage(echo, 'say')
  say({ text }: Text): Text {
    return speak(text);
  }

  @OnMessage(echo, 'stream')
  stream(@Payload() _payload: Text, @Shout('!') shouted: string): Observable<Text> {
    return of({ text: shouted }, { text: 'end' });
  }
}

let app: RealtimeTestApp;
afterEach(() => app.close());
const start = async (gateway: new () => object, configure?: (nest: INestApplication) => void, providers: Provider[] = []) => {
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

  it.each(['class', 'method'])('a guard that says no ends it with FORBIDDEN: %s', async (name) => {
    const client = await start(BoundGateway);
    await expect(client.request('say', { text: `no ${name}` })).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  it('the innermost filter that catches the error is the one that is asked', async () => {
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
      BareGateway,
      (nest) => {
        nest.useGlobalGuards(guard('global'));
        nest.useGlobalInterceptors(interceptor('global'));
        nest.useGlobalPipes(pipe('global'));
        nest.useGlobalFilters(filter('global', Teapot));
      },
    ],
    'by APP_… tokens': (): Parameters<typeof start> => [
      BareGateway,
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
    const client = await start(BareGateway, (nest) => nest.useGlobalGuards(guard('global')));
    await expect(client.request('say', { text: 1 })).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
    expect(calls).toEqual(['global ws true say 1']);
  });

  it("Nest's ValidationPipe changes nothing for a payload that fits", async () => {
    const client = await start(BareGateway, (nest) => nest.useGlobalPipes(new ValidationPipe({ whitelist: true })));
    expect(await client.request('say', { text: 'hi' })).toEqual({ text: 'hi' });
  });
});

describe('a filter', () => {
  it('that returns leaves the error what it was', async () => {
    @Catch()
    class LookingFilter implements ExceptionFilter {
      catch(error: Error): void {
        calls.push(error.constructor.name);
      }
    }
    const client = await start(BareGateway, (nest) => nest.useGlobalFilters(new LookingFilter()));
    await expect(client.request('say', { text: 'ws' })).rejects.toThrow('BAD_REQUEST: as you wish');
    await expect(client.request('say', { text: 'teapot' })).rejects.toThrow('INTERNAL: internal error');
    expect(calls).toEqual(['WsException', 'Teapot']);
  });

  it('that breaks, as one made for HTTP does, leaves the error what it was', async () => {
    const client = await start(BareGateway, (nest) => nest.useGlobalFilters(new BaseExceptionFilter(nest.getHttpAdapter())));
    await expect(client.request('say', { text: 'http' })).rejects.toThrow('NOT_FOUND: gone');
    await expect(client.request('say', { text: 'teapot' })).rejects.toThrow('INTERNAL: internal error');
    expect(await client.request('say', { text: 'hi' })).toEqual({ text: 'hi' });
  });
});

describe('an interceptor', () => {
  const bind = (intercept: NestInterceptor['intercept']) =>
    start(BareGateway, (nest) => nest.useGlobalInterceptors({ intercept }));

  it('that answers itself keeps the handler from running', async () => {
    const client = await bind(() => of({ text: 'cached' }));
    expect(await client.request('say', { text: 'teapot' })).toEqual({ text: 'cached' });
  });

  it('that awaits the whole stream makes one part of it', async () => {
    const client = await bind(async (_context, next) => of(await lastValueFrom(next.handle())));
    client.send({ type: 'stream', id: 1, payload: { text: 'hi' } });
    expect(await client.next()).toEqual({ type: '$next', id: 1, payload: { text: 'end' } });
    expect(await client.next()).toEqual({ type: '$complete', id: 1 });
    expect(await client.request('say', { text: 'after' })).toEqual({ text: 'after' });
  });

  it('that awaits the first part of a stream ends it there', async () => {
    const client = await bind(async (_context, next) => of(await firstValueFrom(next.handle())));
    client.send({ type: 'stream', id: 1, payload: { text: 'hi' } });
    expect(await client.next()).toEqual({ type: '$next', id: 1, payload: { text: 'HI!' } });
    expect(await client.next()).toEqual({ type: '$complete', id: 1 });
    expect(await client.request('say', { text: 'after' })).toEqual({ text: 'after' });
  });

  it('that throws answers with its error', async () => {
    const client = await bind(() => {
      throw new RealtimeException('NOT_NOW', 'later');
    });
    await expect(client.request('say', { text: 'hi' })).rejects.toThrow('NOT_NOW: later');
  });

  it('lets the parts of a stream through as they come', async () => {
    const client = await bind((_context, next) => next.handle());
    client.send({ type: 'stream', id: 1, payload: { text: 'hi' } });
    expect(await client.next()).toEqual({ type: '$next', id: 1, payload: { text: 'HI!' } });
    expect(await client.next()).toEqual({ type: '$next', id: 1, payload: { text: 'end' } });
    expect(await client.next()).toEqual({ type: '$complete', id: 1 });
  });
});

@Injectable()
class AsyncGuard implements CanActivate {
  constructor() {}
  canActivate(context: ExecutionContext): Observable<boolean> | Promise<boolean> {
    const { text } = context.switchToWs().getData<Text>();
    return text.length > 2 ? of(text !== 'nope') : Promise.resolve(text !== 'no');
  }
}

describe('a guard', () => {
  it.each(['no', 'nope'])('may answer by a Promise or an Observable: %s', async (text) => {
    const client = await start(BareGateway, undefined, [{ provide: APP_GUARD, useClass: AsyncGuard }]);
    await expect(client.request('say', { text })).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(await client.request('say', { text: 'yes' })).toEqual({ text: 'yes' });
    expect(await client.request('say', { text: 'ye' })).toEqual({ text: 'ye' });
  });
});
