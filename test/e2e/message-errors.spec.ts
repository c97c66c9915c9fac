import {
  BadRequestException,
  ConflictException,
  ForbiddenException,
  GatewayTimeoutException,
  HttpException,
  InternalServerErrorException,
  NotFoundException,
  RequestTimeoutException,
  ServiceUnavailableException,
  UnauthorizedException,
  UnprocessableEntityException,
} from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import { IsString } from 'class-validator';
import {
  OnMessage,
  RealtimeException,
  RealtimeGateway,
  RealtimeModule,
  defineContract,
} from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp, type TestClient } from 'nestjs-realtime/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CapturedLog } from '../rig/process/captured-log.js';
import { ProcessFaults } from '../rig/process/process-faults.js';

class Text {
  @IsString() text!: string;
}
const errors = defineContract({
  client: { sync: { payload: Text, reply: Text }, async: { payload: Text, reply: Text } },
});
const HIDDEN = 'hidden-cause';
const PAYLOAD = 's3cret-payload';

let make: () => unknown = () => undefined;
let result: unknown;

@RealtimeGateway({ path: '/ws', contract: errors })
class ErrorsGateway {
  @OnMessage(errors, 'sync')
  sync(_payload: Text): Text {
    if (result !== undefined) return result as Text;
    throw make();
  }

  @OnMessage(errors, 'async')
  async async(_payload: Text): Promise<Text> {
    await Promise.resolve();
    if (result !== undefined) return result as Text;
    throw make();
  }
}

let app: RealtimeTestApp;
let client: TestClient;
let log: CapturedLog;
let faults: ProcessFaults;

beforeAll(async () => {
  faults = new ProcessFaults();
  log = new CapturedLog();
  app = await createRealtimeTestApp(
    { imports: [RealtimeModule.forRoot()], providers: [ErrorsGateway] },
    { logger: log },
  );
  client = await app.connect('/ws');
});
beforeEach(() => {
  log.lines.length = 0;
  result = undefined;
});
afterAll(async () => {
  await app.close();
  faults.stop();
  expect(faults.seen).toEqual([]);
});

const internal = { code: 'INTERNAL', message: 'internal error' };

const boom = (): never => {
  throw new Error(HIDDEN);
};
const withGetter = (error: Error, name: string) => Object.defineProperty(error, name, { get: boom });
const hostileTraps: ProxyHandler<Error> = { getPrototypeOf: boom, get: boom, has: boom, ownKeys: boom };
const revoked = () => {
  const { proxy, revoke } = Proxy.revocable(new Error(), {});
  revoke();
  return proxy;
};

/** What a handler throws, what the client gets, and whether it is logged as an error of the server. */
const thrown: [string, () => unknown, object, boolean][] = [
  ['an Error', () => new Error(HIDDEN), internal, true],
  ['an Error whose message getter throws', () => withGetter(new Error(), 'message'), internal, true],
  ['an Error whose stack getter throws', () => withGetter(new Error(), 'stack'), internal, true],
  ['an Error whose name getter throws', () => withGetter(new Error(), 'name'), internal, true],
  ['an object whose toString throws', () => ({ toString: boom, [Symbol.toPrimitive]: boom }), internal, true],
  ['an object without a prototype', () => Object.create(null), internal, true],
  ['a Proxy that throws', () => new Proxy(new Error(), hostileTraps), internal, true],
  ['a revoked Proxy', () => revoked(), internal, true],
  ['a frozen Error', () => Object.freeze(new Error(HIDDEN)), internal, true],
  ['a symbol', () => Symbol(HIDDEN), internal, true],
  ['a BigInt', () => 1n, internal, true],
  ['a function', () => boom, internal, true],
  ['a TypeError', () => new TypeError(HIDDEN), internal, true],
  ['a string', () => HIDDEN, internal, true],
  ['undefined', () => undefined, internal, true],
  ['null', () => null, internal, true],
  ['an object that looks like an answer', () => ({ code: 'NICE', message: HIDDEN }), internal, true],
  ['an HttpException 500', () => new InternalServerErrorException(HIDDEN), internal, true],
  ['an HttpException 504', () => new GatewayTimeoutException(HIDDEN), internal, true],
  ['400', () => new BadRequestException('no'), { code: 'BAD_REQUEST', message: 'no' }, false],
  ['401', () => new UnauthorizedException('no'), { code: 'UNAUTHENTICATED', message: 'no' }, false],
  ['403', () => new ForbiddenException('no'), { code: 'FORBIDDEN', message: 'no' }, false],
  ['404', () => new NotFoundException('no'), { code: 'NOT_FOUND', message: 'no' }, false],
  ['408', () => new RequestTimeoutException('no'), { code: 'TIMEOUT', message: 'no' }, false],
  ['409', () => new ConflictException('no'), { code: 'CONFLICT', message: 'no' }, false],
  ['418', () => new HttpException('teapot', 418), { code: 'BAD_REQUEST', message: 'teapot' }, false],
  ['422', () => new UnprocessableEntityException('no'), { code: 'VALIDATION_FAILED', message: 'no' }, false],
  ['429', () => new HttpException('slow', 429), { code: 'RATE_LIMITED', message: 'slow' }, false],
  ['503', () => new ServiceUnavailableException('no'), { code: 'UNAVAILABLE', message: 'no' }, false],
  [
    '400 of a ValidationPipe',
    () => new BadRequestException(['text must be short', 7]),
    {
      code: 'VALIDATION_FAILED',
      message: 'the payload does not fit its contract',
      issues: [{ path: '', message: 'text must be short' }],
    },
    false,
  ],
  ['a WsException', () => new WsException('no'), { code: 'BAD_REQUEST', message: 'no' }, false],
  [
    'a WsException with a code',
    () => new WsException({ code: 'TABLE_TAKEN', message: 'no', internal: HIDDEN }),
    { code: 'TABLE_TAKEN', message: 'no' },
    false,
  ],
  [
    'a WsException with an odd code',
    () => new WsException({ code: 'not a code', message: { HIDDEN } }),
    { code: 'BAD_REQUEST', message: 'refused' },
    false,
  ],
  [
    'a RealtimeException',
    () => new RealtimeException('TABLE_TAKEN', 'no', { cause: new Error(HIDDEN) }),
    { code: 'TABLE_TAKEN', message: 'no' },
    false,
  ],
  [
    'a RealtimeException with details',
    () => new RealtimeException('TABLE_TAKEN', 'no', { details: { until: '21:00' } }),
    { code: 'TABLE_TAKEN', message: 'no', details: { until: '21:00' } },
    false,
  ],
  [
    'a RealtimeException with details that are no JSON',
    () => new RealtimeException('TABLE_TAKEN', 'no', { details: { seats: 1n as never } }),
    { code: 'TABLE_TAKEN', message: 'no' },
    true,
  ],
  [
    'a RealtimeException with issues that are no JSON',
    () => new RealtimeException('TABLE_TAKEN', 'no', { issues: [{ path: 1n as never, message: HIDDEN }] }),
    { code: 'TABLE_TAKEN', message: 'no' },
    true,
  ],
  [
    'a RealtimeException without words',
    () => new RealtimeException('CONFLICT'),
    { code: 'CONFLICT', message: 'conflicts with the present state' },
    false,
  ],
];

describe.each(['sync', 'async'])('a handler that throws, %s', (type) => {
  it.each(thrown)('%s', async (_name, error, expected, isFault) => {
    make = error;
    client.send({ type, id: 1, payload: { text: PAYLOAD } });
    const answer = await client.next();
    expect(answer).toEqual({ type: '$error', id: 1, payload: expected });
    expect(JSON.stringify(answer)).not.toContain(HIDDEN);
    expect(log.of('error')).toHaveLength(isFault ? 1 : 0);
    expect(log.text).not.toContain(PAYLOAD);
  });
});

describe.each(['sync', 'async'])('a handler that returns a value JSON cannot carry, %s', (type) => {
  const cyclic: Record<string, unknown> = {};
  cyclic['self'] = cyclic;

  it.each([
    ['a BigInt', { n: 1n }],
    ['a cycle', cyclic],
    ['a Map', { tags: new Map() }],
    ['NaN', { n: NaN }],
    ['undefined in a list', [undefined]],
    ['a function', () => 1],
    [
      'a toJSON that throws',
      {
        toJSON: () => {
          throw new Error(HIDDEN);
        },
      },
    ],
  ])('answers INTERNAL and is logged: %s', async (_name, value) => {
    result = value;
    client.send({ type, id: 1, payload: { text: PAYLOAD } });
    expect(await client.next()).toEqual({ type: '$error', id: 1, payload: internal });
    expect(log.of('error')).toHaveLength(1);
  });
});
