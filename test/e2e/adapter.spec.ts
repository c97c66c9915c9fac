import { IsInt, IsString } from 'class-validator';
import {
  SUBPROTOCOL,
  Connection,
  OnMessage,
  RealtimeGateway,
  RealtimeModule,
  defineContract,
} from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp } from 'nestjs-realtime/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';

class Step {
  @IsInt() n!: number;
}
class Text {
  @IsString() text!: string;
}
const contractOf = <T extends string>(type: T) =>
  defineContract({
    client: { [type]: { payload: Step, reply: Text } } as Record<
      T,
      { payload: typeof Step; reply: typeof Text }
    >,
  });
const alpha = contractOf('alpha');
const beta = contractOf('beta');
const gamma = contractOf('gamma');
const venue = defineContract({ client: { where: { payload: null, reply: Text } } });

const order: string[] = [];
let running = 0;
let mostAtATime = 0;

@RealtimeGateway({ path: '/ws', contract: alpha })
class AlphaGateway {
  @OnMessage(alpha, 'alpha')
  async slow({ n }: Step): Promise<Text> {
    mostAtATime = Math.max(mostAtATime, ++running);
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    running--;
    order.push(`alpha ${n}`);
    return { text: 'alpha' };
  }
}

@RealtimeGateway({ path: '/ws', contract: beta })
class BetaGateway {
  @OnMessage(beta, 'beta')
  fast({ n }: Step): Text {
    order.push(`beta ${n}`);
    return { text: 'beta' };
  }
}

@RealtimeGateway({ path: '/ws/', contract: gamma })
class GammaGateway {
  @OnMessage(gamma, 'gamma')
  fast({ n }: Step): Text {
    order.push(`gamma ${n}`);
    return { text: 'gamma' };
  }
}

@RealtimeGateway({ path: '/venues/:venueId/ws', contract: venue })
class VenueGateway {
  @OnMessage(venue, 'where')
  where(_nothing: null, { params, path }: Connection): Text {
    return { text: `${path} ${JSON.stringify(params)}` };
  }
}

let app: RealtimeTestApp;
const start = async (options = {}) => {
  order.length = 0;
  mostAtATime = 0;
  app = await createRealtimeTestApp({
    imports: [RealtimeModule.forRoot(options)],
    providers: [AlphaGateway, BetaGateway, GammaGateway, VenueGateway],
  });
};
afterEach(async () => {
  vi.restoreAllMocks();
  await app.close();
});

/** The status line of a refused upgrade. */
async function refusal(path: string): Promise<string> {
  const socket = new WebSocket(`ws://127.0.0.1:${app.port}${path}`);
  return new Promise((resolve) => socket.on('error', ({ message }) => resolve(message)));
}

describe('three gateways on one path', () => {
  it('parse each frame once', async () => {
    await start();
    const client = await app.connect('/ws');
    const parse = vi.spyOn(JSON, 'parse');
    await client.request('gamma', { n: 1 });
    const ofTheServer = parse.mock.calls.filter(
      ([text]) => text.includes('"gamma"') && text.includes('"n":1'),
    );
    expect(ofTheServer).toHaveLength(1);
  });

  it('handle the messages of a connection in order, slow ones before fast ones', async () => {
    await start();
    const client = await app.connect('/ws');
    client.send({ type: 'alpha', payload: { n: 1 } });
    client.send({ type: 'beta', payload: { n: 2 } });
    client.send({ type: 'alpha', payload: { n: 3 } });
    client.send({ type: 'gamma', payload: { n: 4 }, id: 1 });
    await client.reply(1);
    expect(order).toEqual(['alpha 1', 'beta 2', 'alpha 3', 'gamma 4']);
    expect(mostAtATime).toBe(1);
  });

  it('handle at most `concurrency` messages at a time', async () => {
    await start({ concurrency: 3 });
    const client = await app.connect('/ws');
    for (let n = 1; n <= 7; n++) client.send({ type: 'alpha', payload: { n }, id: n });
    for (let n = 1; n <= 7; n++) await client.reply(n);
    expect(mostAtATime).toBe(3);
  });

  it('do not wait for the messages of another connection', async () => {
    await start();
    const [busy, idle] = await Promise.all([app.connect('/ws'), app.connect('/ws')]);
    for (let n = 1; n <= 50; n++) busy.send({ type: 'alpha', payload: { n }, id: n });
    await busy.reply(1);
    await idle.request('beta', { n: 0 });
    expect(order.indexOf('beta 0')).toBeLessThan(49);
    await busy.reply(50);
  });
});

describe('a path', () => {
  it.each(['/', '/nope', '/ws/more', '/WS', '/venues/1', '/venues//ws', '/%77s', '/venues/%E0%A4%A/ws'])(
    'without a gateway is answered with 404: %s',
    async (path) => {
      await start();
      expect(await refusal(path)).toBe('Unexpected server response: 404');
    },
  );

  it.each(['/ws/', '/ws?a=1', '/ws/?a=1'])('matches with a trailing slash and a query: %s', async (path) => {
    await start();
    const client = await app.connect(path);
    expect(await client.request('beta', { n: 1 })).toEqual({ text: 'beta' });
  });

  it('sets its decoded params on the connection', async () => {
    await start();
    const client = await app.connect('/venues/caf%C3%A9%201/ws');
    expect(await client.request('where')).toEqual({ text: '/venues/:venueId/ws {"venueId":"café 1"}' });
  });
});

describe('subprotocols', () => {
  it('realtime.v1 is selected when it is offered', async () => {
    await start();
    const client = await app.connect('/ws', { protocols: ['graphql-ws', SUBPROTOCOL] });
    expect(client.socket.protocol).toBe('realtime.v1');
  });

  it('a token among them is never echoed', async () => {
    await start();
    const client = await app.connect('/ws', { protocols: ['bearer.s3cret', SUBPROTOCOL] });
    expect(client.socket.protocol).toBe('realtime.v1');
  });

  it('none is selected for a client that offers none', async () => {
    await start();
    expect((await app.connect('/ws')).socket.protocol).toBe('');
  });
});
