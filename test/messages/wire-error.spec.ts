import { HttpException } from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import { RealtimeException } from 'nestjs-realtime';
import { describe, expect, it } from 'vitest';
import { refusalOf } from '../../lib/messages/wire-error.js';

const boom = (): never => {
  throw new Error('hostile');
};
const cyclic: Record<string, unknown> = {};
cyclic['self'] = cyclic;
const withGetter = <T extends object>(target: T, name: string): T =>
  Object.defineProperty(target, name, { get: boom, enumerable: true });
const internal = { error: { code: 'INTERNAL', message: 'internal error' }, isFault: true };

describe('details of a RealtimeException', () => {
  it('reach the client as JSON', () => {
    const until = new Date(0);
    const exception = new RealtimeException('TABLE_TAKEN', 'taken', { details: { until, by: ['ann'] } });
    expect(refusalOf(exception)).toEqual({
      error: {
        code: 'TABLE_TAKEN',
        message: 'taken',
        details: { until: '1970-01-01T00:00:00.000Z', by: ['ann'] },
      },
      isFault: false,
    });
  });

  it.each([0, '', false, null])('may be %j', (details) => {
    expect(refusalOf(new RealtimeException('NO', 'no', { details })).error).toEqual({
      code: 'NO',
      message: 'no',
      details,
    });
  });

  it.each<[string, unknown]>([
    ['a BigInt', { seats: 1n }],
    ['a cycle', cyclic],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['a getter that throws', withGetter({}, 'seats')],
    ['a toJSON that throws', { toJSON: boom }],
    ['a Proxy that throws', new Proxy({}, { ownKeys: boom, get: boom })],
  ])('are left out, and the log told, when they hold %s', (_name, details) => {
    const refusal = refusalOf(new RealtimeException('NO', 'no', { details: details as string }));
    expect(refusal).toMatchObject({
      isFault: false,
      omitted: expect.stringContaining('details of Realtime'),
    });
    expect(refusal.error).toEqual({ code: 'NO', message: 'no' });
  });
});

describe('issues of a RealtimeException', () => {
  it('are copied field by field', () => {
    const issues = [{ path: 'a', message: 'b', secret: 'c' }];
    expect(refusalOf(new RealtimeException('NO', 'no', { issues })).error.issues).toEqual([
      { path: 'a', message: 'b' },
    ]);
  });

  it.each<[string, unknown]>([
    ['hold a BigInt', [{ path: 1n, message: 'm' }]],
    ['are a cycle', [cyclic]],
    ['are no list', 7],
    ['hold null', [null]],
    ['have a getter that throws', [withGetter({ path: '' }, 'message')]],
  ])('are left out, and the log told, when they %s', (_name, issues) => {
    const refusal = refusalOf(new RealtimeException('NO', 'no', { issues: issues as [] }));
    expect(refusal).toMatchObject({ isFault: false, omitted: expect.stringContaining('issues of Realtime') });
    expect(refusal.error).toEqual({ code: 'NO', message: 'no' });
  });
});

describe('what a handler throws', () => {
  it.each<[string, unknown]>([
    ['an Error whose message getter throws', withGetter(new Error(), 'message')],
    ['an Error whose name getter throws', withGetter(new Error(), 'name')],
    ['a RealtimeException whose code getter throws', withGetter(new RealtimeException('A'), 'code')],
    ['a RealtimeException without a code', new RealtimeException(undefined as never)],
    ['a RealtimeException whose code is an object', new RealtimeException({} as never, 'm')],
    ['a WsException of null', new WsException(null as never)],
    ['an HttpException whose status throws', withGetter(new HttpException('m', 400), 'getStatus')],
    ['a Proxy that throws', new Proxy(new Error(), { getPrototypeOf: boom, get: boom })],
    ['a symbol', Symbol('s')],
    ['a function', boom],
    ['undefined', undefined],
    ['a BigInt', 1n],
  ])('is INTERNAL: %s', (_name, thrown) => {
    expect(refusalOf(thrown)).toEqual(internal);
  });

  it('has the standard sentence when its message is no string', () => {
    const http = Object.assign(new HttpException('m', 404), { message: { secret: 1 } });
    expect(refusalOf(http).error).toEqual({ code: 'NOT_FOUND', message: 'not found' });
    const own = Object.assign(new RealtimeException('CONFLICT'), { message: 1n });
    expect(refusalOf(own).error).toEqual({ code: 'CONFLICT', message: 'conflicts with the present state' });
  });
});
