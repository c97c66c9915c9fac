import { IsInt, IsString } from 'class-validator';
import {
  Connection,
  CurrentConnection,
  CurrentUser,
  OnMessage,
  Payload,
  RealtimeException,
  RealtimeGateway,
  RealtimeModule,
  defineContract,
} from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp, type TestClient } from 'nestjs-realtime/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

class Add {
  @IsInt() a!: number;
  @IsInt() b!: number;
}
class Sum {
  @IsInt() sum!: number;
}
class Text {
  @IsString() text!: string;
}

const calculator = defineContract({
  client: {
    add: { payload: Add, reply: Sum },
    add_later: { payload: Add, reply: Sum },
    add_swapped: { payload: Add, reply: Sum },
    add_one: { payload: Add, reply: Sum },
    who: { payload: null, reply: Text },
    who_connected: { payload: null, reply: Text },
    note: { payload: Text },
  },
});

@RealtimeGateway({ path: '/ws', contract: calculator })
class CalculatorGateway {
  readonly notes: string[] = [];

  @OnMessage(calculator, 'add')
  add({ a, b }: Add, connection: Connection): Sum {
    if (!(connection instanceof Connection)) throw new Error('no connection');
    return { sum: a + b };
  }

  @OnMessage(calculator, 'add_later')
  async addLater({ a, b }: Add): Promise<Sum> {
    await new Promise((resolve) => setImmediate(resolve));
    return { sum: a + b };
  }

  @OnMessage(calculator, 'add_swapped')
  addSwapped(@CurrentConnection() connection: Connection, @Payload() { a, b }: Add): Sum {
    if (!(connection instanceof Connection)) throw new Error('no connection');
    return { sum: a + b };
  }

  @OnMessage(calculator, 'add_one')
  addOne(@Payload('b') b: number, @Payload() _all: Add, @Payload('a') a: number): Sum {
    return { sum: a * 10 + b };
  }

  @OnMessage(calculator, 'who')
  who(
    @CurrentUser() user: { name: string },
    @CurrentUser('name') name: string,
    @Payload() _nothing: null,
  ): Text {
    return { text: `${user.name} ${name}` };
  }

  @OnMessage(calculator, 'who_connected')
  whoConnected(_nothing: null, connection: Connection): Text {
    return { text: connection.id };
  }

  @OnMessage(calculator, 'note')
  note({ text }: Text): void {
    if (text === 'rude') throw new RealtimeException('RUDE', 'be kind');
    this.notes.push(text);
  }
}

let app: RealtimeTestApp;
let client: TestClient;

beforeEach(async () => {
  app = await createRealtimeTestApp({
    imports: [
      RealtimeModule.forRoot({ authenticate: ({ token }) => ({ userId: '7', user: { name: token } }) }),
    ],
    providers: [CalculatorGateway],
  });
  client = await app.connect('/ws', { token: 'ann' });
});
afterEach(() => app.close());

describe('a handler without parameter decorators', () => {
  it('gets (payload, connection) and replies with its return value', async () => {
    expect(await client.request('add', { a: 1, b: 2 })).toEqual({ sum: 3 });
  });

  it('replies with the value of its promise', async () => {
    expect(await client.request('add_later', { a: 1, b: 2 })).toEqual({ sum: 3 });
  });

  it('gets null for a message without payload', async () => {
    const { connectionId } = await app.open('/ws', { token: 'bob' }).hello();
    expect(connectionId).toMatch(/^[\w-]+\.[\w-]+$/);
    expect(await client.request('who_connected')).toEqual({
      text: expect.stringMatching(/^[\w-]+\.[\w-]+$/),
    });
  });
});

describe('explicit parameter decorators', () => {
  it('pass payload and connection in their positions', async () => {
    expect(await client.request('add_swapped', { a: 1, b: 2 })).toEqual({ sum: 3 });
  });

  it('pick one property of the payload', async () => {
    expect(await client.request('add_one', { a: 1, b: 2 })).toEqual({ sum: 12 });
  });

  it('pass the user or one property of it', async () => {
    expect(await client.request('who')).toEqual({ text: 'ann ann' });
  });
});

describe('the reply', () => {
  it.each([7, 0, -1, 1.5, 1e21, 'seven', 'é"\\'])('carries the id %j unchanged', async (id) => {
    client.send({ type: 'add', id, payload: { a: 1, b: 1 } });
    expect(await client.next()).toEqual({ type: '$reply', id, payload: { sum: 2 } });
  });

  it('is null if the contract declares no reply', async () => {
    expect(await client.request('note', { text: 'hi' })).toBeNull();
    expect(app.get(CalculatorGateway).notes).toEqual(['hi']);
  });

  it('is not sent for a message without id', async () => {
    client.send({ type: 'add', payload: { a: 1, b: 1 } });
    client.send({ type: 'note', payload: { text: 'hi' } });
    client.send({ type: 'add', id: 'last', payload: { a: 1, b: 1 } });
    expect(await client.next()).toMatchObject({ id: 'last' });
  });

  it('is an $error without id when a message without id is refused', async () => {
    client.send({ type: 'note', payload: { text: 'rude' } });
    expect(await client.next()).toEqual({ type: '$error', payload: { code: 'RUDE', message: 'be kind' } });
    client.send({ type: 'note', payload: { text: 1 } });
    const refused = await client.next();
    expect(refused).not.toHaveProperty('id');
    expect(refused).toMatchObject({
      type: '$error',
      payload: { code: 'VALIDATION_FAILED', issues: [{ path: 'text' }] },
    });
  });
});
