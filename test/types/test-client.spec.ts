import { describe, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { defineContract } from '../../lib/contract/contract.js';
import type { RealtimeTestApp, ReceivedFrame, TestClient } from '../../lib/testing/index.js';

const order = z.object({ dish: z.string() });
const contract = defineContract({
  client: { order: { payload: order, reply: z.object({ total: z.number() }) }, leave: { payload: null } },
  server: { ordered: { payload: order } },
});

declare const app: RealtimeTestApp;
declare const plain: TestClient;
declare const typed: TestClient<typeof contract>;

describe('a test client', () => {
  it('with a contract takes its payloads and gives its replies and messages', () => {
    expectTypeOf(() => app.connect<typeof contract>('/ws')).returns.resolves.toEqualTypeOf<typeof typed>();
    expectTypeOf(() => typed.request('order', { dish: 'soup' })).returns.resolves.toEqualTypeOf<{
      total: number;
    }>();
    expectTypeOf(() => typed.request('leave')).returns.resolves.toEqualTypeOf<null>();
    expectTypeOf(() => typed.nextOfType('ordered')).returns.resolves.toHaveProperty('payload');
    expectTypeOf<Awaited<ReturnType<typeof next>>['payload']>().toEqualTypeOf<{ dish: string }>();
    const next = () => typed.nextOfType('ordered');
    // @ts-expect-error a payload that does not fit
    void (() => typed.request('order', { dish: 1 }));
    // @ts-expect-error no payload
    void (() => typed.request('order'));
    // @ts-expect-error no such message of the client
    void (() => typed.request('ordered', { dish: 'soup' }));
    // @ts-expect-error no such message of the server
    void (() => typed.nextOfType('order'));
  });

  it('with a contract takes protocol messages too', () => {
    expectTypeOf(() => typed.nextOfType('$goaway')).returns.resolves.toEqualTypeOf<ReceivedFrame>();
    expectTypeOf(() => typed.nextOfType('pong')).returns.resolves.toEqualTypeOf<ReceivedFrame>();
  });

  it('without a contract takes any type and payload', () => {
    expectTypeOf(() => plain.request('anything', 1)).returns.resolves.toBeUnknown();
    expectTypeOf(() => plain.request('anything')).returns.resolves.toBeUnknown();
    type Frame = Awaited<ReturnType<typeof plain.nextOfType<string>>>;
    expectTypeOf<Frame['payload']>().toBeUnknown();
  });
});
