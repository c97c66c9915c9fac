import { Injectable } from '@nestjs/common';
import { IsInt, IsString } from 'class-validator';
import { Broadcaster, Connection, OnMessage, RealtimeGateway, RealtimeModule, defineContract } from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp } from 'nestjs-realtime/testing';
import { afterEach, expect, it } from 'vitest';

class Add { @IsInt() a!: number; @IsInt() b!: number }
class Sum { @IsInt() sum!: number }
class Note { @IsString() text!: string }
const calc = defineContract({ client: { add: { payload: Add, reply: Sum } }, server: { note: { payload: Note } } });

@RealtimeGateway({ path: '/ws', contract: calc })
class CalcGateway {
  constructor(private readonly broadcaster: Broadcaster<typeof calc>) {}
  handleConnection(connection: Connection) { return connection.join('all'); }
  @OnMessage(calc, 'add')
  add({ a, b }: Add, connection: Connection): Sum { void this.broadcaster.sendToRoom('all', { type: 'note', payload: { text: connection.id } }); return { sum: a + b }; }
}

let app: RealtimeTestApp;
afterEach(() => app.close());

it('answers', async () => {
  app = await createRealtimeTestApp({ imports: [RealtimeModule.forRoot()], providers: [CalcGateway] }, { logger: ['error', 'warn'] });
  const client = await app.connect('/ws');
  expect(await client.request('add', { a: 1, b: 2 })).toEqual({ sum: 3 });
  console.log(await client.nextOfType('note'));
  await expect(client.request('add', { a: 'x', b: 2 })).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
  const none = app.open('/nope');
  console.log(await none.closed);
});
