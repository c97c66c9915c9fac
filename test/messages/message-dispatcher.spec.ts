import { IsString } from 'class-validator';
import {
  OnMessage,
  RealtimeException,
  RealtimeGateway,
  RealtimeModule,
  defineContract,
} from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp, type TestClient } from 'nestjs-realtime/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ProcessFaults } from '../rig/process/process-faults.js';
import { Gate } from '../rig/clock/gate.js';

class Text {
  @IsString() text!: string;
}
const contract = defineContract({
  client: {
    echo: { payload: Text, reply: Text },
    held: { payload: Text, reply: Text },
    large: { payload: Text, reply: Text },
    refused: { payload: Text, reply: Text },
    parts: { payload: Text, reply: Text },
  },
});

const LARGE = 'x'.repeat(2_000_000);
let gate: Gate;
let sourcesBegun = 0;

@RealtimeGateway({ path: '/ws', contract })
class AnsweringGateway {
  @OnMessage(contract, 'echo')
  echo(payload: Text): Text {
    return payload;
  }

  @OnMessage(contract, 'held')
  async held(payload: Text): Promise<Text> {
    await gate.opened;
    return payload;
  }

  @OnMessage(contract, 'large')
  async large(): Promise<Text> {
    await gate.opened;
    return { text: LARGE };
  }

  @OnMessage(contract, 'refused')
  refused(): Text {
    throw new RealtimeException('TOO_MUCH', 'no', { details: { text: LARGE } });
  }

  // Its guards take their time: a $cancel may come before the source.
  @OnMessage(contract, 'parts', { allow: () => gate.opened.then(() => true) })
  async *parts(payload: Text): AsyncGenerator<Text> {
    sourcesBegun++;
    for (;;) yield payload;
  }
}

const payload = { text: 'hi' };
let app: RealtimeTestApp;
let client: TestClient;
let faults: ProcessFaults;
beforeEach(async () => {
  gate = new Gate();
  sourcesBegun = 0;
  faults = new ProcessFaults();
  app = await createRealtimeTestApp({
    imports: [RealtimeModule.forRoot({ maxQueueBytes: 1_048_576, concurrency: 4 })],
    providers: [AnsweringGateway],
  });
  client = await app.connect('/ws');
});
afterEach(async () => {
  await app.close();
  faults.stop();
  expect(faults.seen).toEqual([]);
});

const keyed = (type: string, id: number) =>
  client.sendText(JSON.stringify({ type, payload, id, key: 'once' }));

describe('a reply that is too large to send', () => {
  it('gets INTERNAL, and so does every repeat of its message', async () => {
    keyed('large', 1);
    keyed('large', 2);
    gate.open();
    for (const id of [1, 2]) await expect(client.reply(id)).rejects.toMatchObject({ code: 'INTERNAL' });
    keyed('large', 3);
    await expect(client.reply(3)).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(await client.request('echo', payload)).toEqual(payload);
  });
});

describe('a refusal that is too large to send', () => {
  it.each([undefined, 'once'])('reaches the client without its details (key: %s)', async (key) => {
    client.sendText(JSON.stringify({ type: 'refused', payload, id: 1, key }));
    const refusal = { code: 'TOO_MUCH', message: 'TOO_MUCH: no', details: undefined };
    await expect(client.reply(1)).rejects.toMatchObject(refusal);
    expect(await client.request('echo', payload)).toEqual(payload);
  });
});

describe('$cancel', () => {
  it('that comes before the handler has returned its source ends the reply with one $complete', async () => {
    client.send({ type: 'parts', payload, id: 1 });
    client.send({ type: '$cancel', id: 1 });
    client.send({ type: 'ping', id: 9 });
    await client.nextOfType('pong');
    gate.open();
    expect(await client.next()).toEqual({ type: '$complete', id: 1 });
    expect(await client.request('echo', payload)).toEqual(payload);
    expect(sourcesBegun).toBe(0);
  });

  it('changes nothing for a message whose reply is one value, or for a later one with its id', async () => {
    client.send({ type: 'held', payload, id: 1 });
    client.send({ type: '$cancel', id: 1 });
    gate.open();
    expect(await client.reply(1)).toEqual(payload);
    client.send({ type: 'parts', payload, id: 1 });
    expect(await client.nextOfType('$next')).toEqual({ type: '$next', id: 1, payload });
  });
});

describe('a handler', () => {
  it('gets replies in the order in which handlers end, one per message', async () => {
    client.send({ type: 'held', payload: { text: 'first' }, id: 1 });
    client.send({ type: 'echo', payload, id: 2 });
    expect(await client.next()).toMatchObject({ type: '$reply', id: 2 });
    gate.open();
    expect(await client.next()).toEqual({ type: '$reply', id: 1, payload: { text: 'first' } });
  });

  it('is not asked for a payload that does not fit, and its message is refused without an id too', async () => {
    client.send({ type: 'echo', payload: { text: 1 } });
    expect(await client.next()).toMatchObject({ type: '$error', payload: { code: 'VALIDATION_FAILED' } });
  });
});
