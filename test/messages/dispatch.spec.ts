import { describe, expect, it } from 'vitest';
import type { Connection } from '../../lib/connections/connection.js';
import { IdempotencyCache } from '../../lib/messages/idempotency-cache.js';
import { MessageDispatcher, type HandlerSource } from '../../lib/messages/message-dispatcher.js';
import type { MessageHandler } from '../../lib/messages/message-handler.js';
import { RealtimeException } from '../../lib/messages/realtime.exception.js';
import { ReplyStreams } from '../../lib/messages/reply-streams.js';
import { RealtimeLog } from '../../lib/metrics/realtime-log.js';
import { RealtimeMetrics } from '../../lib/metrics/realtime-metrics.js';
import { Refusals } from '../../lib/metrics/refusals.js';
import type { ClientFrame } from '../../lib/protocol/envelope.js';
import { CapturedLog } from '../rig/process/captured-log.js';

/** The part of a connection that the dispatcher uses. */
class Client {
  readonly id = 'c';
  readonly path = '/';
  readonly sessionId = 's';
  readonly userId = undefined;
  readonly isOpen = true;
  readonly frames: unknown[] = [];
  sendText = (text: string) => void this.frames.push(JSON.parse(text));
}

function open(invoke: (payload: unknown) => unknown) {
  const log = new CapturedLog();
  const metrics = new RealtimeMetrics();
  const client = new Client();
  const dispatcher = new MessageDispatcher(
    new ReplyStreams(4),
    new IdempotencyCache({ ttlMs: 1_000, maxAnswers: 10, maxBytes: 10_000 }, { ofSession: () => [] }),
    metrics,
    new Refusals(metrics, log),
    new RealtimeLog(log),
  );
  const handler = { hasFilters: false, invoke: ([, payload]: unknown[]) => invoke(payload) };
  const source: HandlerSource = { handlerFor: () => handler as unknown as MessageHandler };
  const dispatch = (frame: Partial<ClientFrame>, from: HandlerSource | undefined = source) =>
    dispatcher.dispatch(from, client as unknown as Connection, {
      type: 'say',
      payload: 1,
      id: undefined,
      ...frame,
    });
  return { client, dispatch, dispatcher, log, metrics };
}

describe('a MessageDispatcher', () => {
  it('replies to a synchronous handler at once, without a promise', () => {
    const { client, dispatch, metrics } = open((payload) => [payload]);
    expect(dispatch({ id: 7 })).toBeUndefined();
    expect(client.frames).toEqual([{ type: '$reply', id: 7, payload: [1] }]);
    expect(metrics.handlerDuration.count).toBe(1);
  });

  it('resolves when an asynchronous handler has its reply', async () => {
    const { client, dispatch } = open(async (payload) => payload);
    const pending = dispatch({ id: 7 });
    expect(client.frames).toEqual([]);
    await pending;
    expect(client.frames).toEqual([{ type: '$reply', id: 7, payload: 1 }]);
  });

  it('sends no reply to a message without an id', async () => {
    const { client, dispatch } = open(() => 'x');
    expect(dispatch({})).toBeUndefined();
    expect(client.frames).toEqual([]);
  });

  it.each([
    [
      'throws',
      () => {
        throw new RealtimeException('TAKEN', 'taken');
      },
    ],
    ['rejects', () => Promise.reject(new RealtimeException('TAKEN', 'taken'))],
  ])('sends one $error when the handler %s, and never rejects itself', async (_how, invoke) => {
    const { client, dispatch } = open(invoke);
    await dispatch({ id: 7 });
    expect(client.frames).toEqual([{ type: '$error', id: 7, payload: { code: 'TAKEN', message: 'taken' } }]);
  });

  it('logs a fault and sends INTERNAL without its text', () => {
    const { client, dispatch, log } = open(() => {
      throw new Error('secret');
    });
    expect(dispatch({ id: 7 })).toBeUndefined();
    expect(client.frames).toEqual([
      { type: '$error', id: 7, payload: { code: 'INTERNAL', message: 'internal error' } },
    ]);
    expect(log.of('error').join()).toContain('handler failed');
  });

  it('names the place of a value that JSON would lose in the log only', () => {
    const { client, dispatch, log } = open(() => ({ at: [NaN] }));
    expect(dispatch({ id: 7 })).toBeUndefined();
    expect(client.frames).toMatchObject([{ type: '$error', payload: { code: 'INTERNAL' } }]);
    expect(log.of('error').join()).toContain('the reply to "say"');
  });

  it('runs a message with a key once, and gives its repeat the first reply', () => {
    let runs = 0;
    const { client, dispatch } = open(() => ++runs);
    expect(dispatch({ id: 1, key: 'k' })).toBeUndefined();
    expect(dispatch({ id: 2, key: 'k' })).toBeUndefined();
    expect(client.frames).toEqual([1, 2].map((id) => ({ type: '$reply', id, payload: 1 })));
  });

  it('refuses a type without a handler with UNKNOWN_TYPE', () => {
    const { client, dispatcher } = open(() => 1);
    const frame = { type: 'none', payload: null, id: 7 };
    expect(dispatcher.dispatch(undefined, client as unknown as Connection, frame)).toBeUndefined();
    expect(client.frames).toMatchObject([{ type: '$error', id: 7, payload: { code: 'UNKNOWN_TYPE' } }]);
  });
});
