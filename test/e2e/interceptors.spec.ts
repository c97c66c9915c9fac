import type { NestInterceptor } from '@nestjs/common';
import { firstValueFrom, lastValueFrom, of } from 'rxjs';
import { RealtimeException, RealtimeModule } from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp } from 'nestjs-realtime/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { EchoGateway } from './echo.js';

let app: RealtimeTestApp;
afterEach(() => app.close());
const start = async (intercept: NestInterceptor['intercept']) => {
  app = await createRealtimeTestApp(
    { imports: [RealtimeModule.forRoot()], providers: [EchoGateway] },
    { configure: (nest) => nest.useGlobalInterceptors({ intercept }) },
  );
  return app.connect('/ws');
};

describe('an interceptor', () => {
  it('that returns a value itself prevents the handler from running', async () => {
    const client = await start(() => of({ text: 'cached' }));
    expect(await client.request('say', { text: 'teapot' })).toEqual({ text: 'cached' });
  });

  it('that awaits the whole stream turns it into one part', async () => {
    const client = await start(async (_context, next) => of(await lastValueFrom(next.handle())));
    client.send({ type: 'stream', id: 1, payload: { text: 'hi' } });
    expect(await client.next()).toEqual({ type: '$next', id: 1, payload: { text: 'end' } });
    expect(await client.next()).toEqual({ type: '$complete', id: 1 });
    expect(await client.request('say', { text: 'after' })).toEqual({ text: 'after' });
  });

  it('that awaits the first part of a stream ends it there', async () => {
    const client = await start(async (_context, next) => of(await firstValueFrom(next.handle())));
    client.send({ type: 'stream', id: 1, payload: { text: 'hi' } });
    expect(await client.next()).toEqual({ type: '$next', id: 1, payload: { text: 'HI!' } });
    expect(await client.next()).toEqual({ type: '$complete', id: 1 });
    expect(await client.request('say', { text: 'after' })).toEqual({ text: 'after' });
  });

  it('that throws sends its error', async () => {
    const client = await start(() => {
      throw new RealtimeException('NOT_NOW', 'later');
    });
    await expect(client.request('say', { text: 'hi' })).rejects.toThrow('NOT_NOW: later');
  });

  it('passes on the parts of a stream as they come', async () => {
    const client = await start((_context, next) => next.handle());
    client.send({ type: 'stream', id: 1, payload: { text: 'hi' } });
    expect(await client.next()).toEqual({ type: '$next', id: 1, payload: { text: 'HI!' } });
    expect(await client.next()).toEqual({ type: '$next', id: 1, payload: { text: 'end' } });
    expect(await client.next()).toEqual({ type: '$complete', id: 1 });
  });
});
