import {
  ForbiddenException,
  InternalServerErrorException,
  ServiceUnavailableException,
  UnauthorizedException,
} from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import { IsInt } from 'class-validator';
import {
  Broadcaster,
  ConnectionRegistry,
  OnMessage,
  RealtimeException,
  RealtimeGateway,
  RealtimeModule,
  defineContract,
  type Connection,
  type Disconnection,
} from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp } from 'nestjs-realtime/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CapturedLog } from '../rig/process/captured-log.js';
import { ProcessFaults } from '../rig/process/process-faults.js';

class Step {
  @IsInt() n!: number;
}
const steps = defineContract({
  client: { step: { payload: Step, reply: Step } },
  server: { welcome: { payload: Step } },
});

/** The behaviour of the hooks, set by each test. */
const hooks: {
  connect: (connection: Connection) => unknown;
  disconnect: (connection: Connection, disconnection: Disconnection) => unknown;
} = { connect: () => {}, disconnect: () => {} };
const handled: number[] = [];

@RealtimeGateway({ path: '/ws', contract: steps })
class StepsGateway {
  handleConnection(connection: Connection): unknown {
    return hooks.connect(connection);
  }

  handleDisconnect(connection: Connection, disconnection: Disconnection): unknown {
    return hooks.disconnect(connection, disconnection);
  }

  @OnMessage(steps, 'step')
  step({ n }: Step): Step {
    handled.push(n);
    return { n };
  }
}

/** A promise and its resolve. */
function gate(): { opened: Promise<void>; open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

let app: RealtimeTestApp;
let log: CapturedLog;
let faults: ProcessFaults;

beforeEach(async () => {
  hooks.connect = () => {};
  hooks.disconnect = () => {};
  handled.length = 0;
  faults = new ProcessFaults();
  log = new CapturedLog();
  app = await createRealtimeTestApp(
    { imports: [RealtimeModule.forRoot({ maxWaitingMessages: 8 })], providers: [StepsGateway] },
    { logger: log },
  );
});
afterEach(async () => {
  await app.close();
  faults.stop();
  expect(faults.seen).toEqual([]);
});

describe('frames that arrive before handleConnection has ended', () => {
  it('wait and are handled in order, also when they exceed the receive queue', async () => {
    const { opened, open } = gate();
    hooks.connect = () => opened;
    const client = app.open('/ws');
    for (let n = 1; n <= 100; n++) client.send({ type: 'step', id: n, payload: { n } });
    await new Promise((resolve) => client.socket.on('open', resolve));
    expect(handled).toEqual([]);
    open();
    await client.hello();
    await client.reply(100);
    expect(handled).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
  });

  it('get their replies after $hello', async () => {
    const { opened, open } = gate();
    hooks.connect = async (connection) => {
      connection.send({ type: 'welcome', payload: { n: 0 } });
      await opened;
      connection.send({ type: 'welcome', payload: { n: 1 } });
    };
    const client = app.open('/ws');
    client.send({ type: 'step', id: 1, payload: { n: 2 } });
    await new Promise((resolve) => client.socket.on('open', resolve));
    await app.get(Broadcaster).broadcast({ type: 'welcome', payload: { n: 9 } });
    open();
    expect((await client.next()).type).toBe('$hello');
    const numbers = [await client.next(), await client.next(), await client.next(), await client.next()];
    expect(numbers.map(({ payload }) => (payload as Step).n)).toEqual([0, 9, 1, 2]);
  });
});

describe('a handleConnection that throws', () => {
  const thrown: [string, () => unknown, number, string][] = [
    ['an Error', () => new Error('s3cret'), 1011, 'internal error'],
    ['a string', () => 's3cret', 1011, 'internal error'],
    ['nothing', () => undefined, 1011, 'internal error'],
    ['an HttpException 500', () => new InternalServerErrorException('s3cret'), 1011, 'internal error'],
    ['a WsException', () => new WsException('not you'), 4503, 'not you'],
    ['an HttpException 401', () => new UnauthorizedException('who?'), 4401, 'who?'],
    ['an HttpException 403', () => new ForbiddenException('no'), 4503, 'no'],
    ['an HttpException 503', () => new ServiceUnavailableException('busy'), 1013, 'busy'],
    ['UNAUTHENTICATED', () => new RealtimeException('UNAUTHENTICATED'), 4401, 'authentication is required'],
    ['RATE_LIMITED', () => new RealtimeException('RATE_LIMITED'), 1013, 'too many messages'],
    ['a long reason', () => new WsException('ü'.repeat(100)), 4503, 'ü'.repeat(61)],
  ];

  it.each(thrown)('%s closes only that connection, with a code', async (_name, make, code, reason) => {
    const other = await app.connect('/ws');
    hooks.connect = () => {
      throw make();
    };
    expect(await app.open('/ws').closed).toEqual({ code, reason });
    hooks.connect = async () => {
      await Promise.resolve();
      throw make();
    };
    expect(await app.open('/ws').closed).toEqual({ code, reason });
    expect(await other.request('step', { n: 1 })).toEqual({ n: 1 });
  });

  it('is logged as an error unless it is an exception for clients', async () => {
    hooks.connect = () => {
      throw new Error('the cause');
    };
    await app.open('/ws').closed;
    expect(log.of('error').join()).toContain('the cause');
    log.lines.length = 0;
    hooks.connect = () => {
      throw new WsException('not you');
    };
    await app.open('/ws').closed;
    expect(log.of('error')).toEqual([]);
  });

  it('handles no frame of that client and calls no handleDisconnect for it', async () => {
    let disconnects = 0;
    hooks.disconnect = () => disconnects++;
    hooks.connect = () => Promise.reject(new Error('no'));
    const client = app.open('/ws');
    client.send({ type: 'step', id: 1, payload: { n: 1 } });
    await client.closed;
    await app.close();
    expect(client.frames).toEqual([]);
    expect(handled).toEqual([]);
    expect(disconnects).toBe(0);
  });
});

describe('handleDisconnect', () => {
  it('gets the code and the reason, and can still read the rooms', async () => {
    const seen = new Promise((resolve) => {
      hooks.disconnect = ({ rooms, isOpen }, disconnection) => resolve([[...rooms], isOpen, disconnection]);
    });
    hooks.connect = (connection) => connection.join('floor');
    const client = await app.connect('/ws');
    client.socket.close(4001, 'bye');
    expect(await seen).toEqual([['floor'], false, { code: 4001, reason: 'bye' }]);
    expect(app.get(ConnectionRegistry).counts).toEqual({ connections: 0, users: 0, sessions: 0, rooms: 0 });
  });

  it('is awaited by app.close(), however long it takes', async () => {
    let ended = false;
    hooks.disconnect = async () => {
      for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
      ended = true;
    };
    const client = await app.connect('/ws');
    await app.app.close();
    expect(ended).toBe(true);
    expect((await client.closed).code).toBe(1012);
  });

  it.each(['sync', 'async'])('that throws is logged and affects no other connection: %s', async (kind) => {
    const other = await app.connect('/ws');
    const client = await app.connect('/ws');
    const called = gate();
    hooks.disconnect = () => {
      called.open();
      const error = new Error(`broken ${kind}`);
      if (kind === 'async') return Promise.reject(error);
      throw error;
    };
    await client.close();
    await called.opened;
    expect(await other.request('step', { n: 1 })).toEqual({ n: 1 });
    await other.request('step', { n: 1 });
    expect(log.of('error').join()).toContain(`broken ${kind}`);
  });

  it('waits for a handleConnection that is still running', async () => {
    const { opened, open } = gate();
    const order: string[] = [];
    hooks.connect = async (connection) => {
      await opened;
      await connection.join('floor');
      order.push('connected');
    };
    const disconnected = gate();
    hooks.disconnect = () => {
      order.push('disconnected');
      disconnected.open();
    };
    const client = app.open('/ws');
    await new Promise((resolve) => client.socket.on('open', resolve));
    client.socket.terminate();
    await client.closed;
    while (app.get(ConnectionRegistry).size > 0) await new Promise((resolve) => setImmediate(resolve));
    open();
    await disconnected.opened;
    expect(order).toEqual(['connected', 'disconnected']);
    expect(app.get(ConnectionRegistry).counts.rooms).toBe(0);
  });
});
