import type { CanActivate } from '@nestjs/common';
import { UseGuards } from '@nestjs/common';
import { IsString } from 'class-validator';
import {
  type AuthenticatedConnection,
  MessageGuard,
  OnMessage,
  RealtimeGateway,
  RealtimeModule,
  defineContract,
} from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp, type TestClient } from 'nestjs-realtime/testing';
import { EMPTY, of, type Observable } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

class Text {
  @IsString() text!: string;
}
const contract = defineContract({
  client: {
    owned: { payload: Text, reply: Text },
    allowed: { payload: Text, reply: Text },
    guarded: { payload: Text, reply: Text },
  },
});

let allowed: unknown;
let verdict: unknown;

class AppGuard implements CanActivate {
  canActivate(): boolean {
    return verdict as boolean;
  }
}

@RealtimeGateway({ path: '/ws', contract })
class GuardedGateway {
  @OnMessage(contract, 'allowed', { allow: () => allowed as boolean })
  allowed(payload: Text): Text {
    return payload;
  }

  @OnMessage(contract, 'owned', { authenticated: true })
  owned(_payload: Text, { userId }: AuthenticatedConnection): Text {
    return { text: userId };
  }

  @OnMessage(contract, 'guarded')
  @UseGuards(AppGuard)
  guarded(payload: Text): Text {
    return payload;
  }
}

let app: RealtimeTestApp;
let client: TestClient;
beforeAll(async () => {
  app = await createRealtimeTestApp({
    imports: [
      RealtimeModule.forRoot({ authenticate: ({ token }) => ({ userId: token }), authTimeoutMs: false }),
    ],
    providers: [GuardedGateway],
  });
  client = await app.connect('/ws', { token: 'ann' });
});
afterAll(() => app.close());

const no: unknown[] = [undefined, null, false, 0, 1, '', 'true', {}, [], () => true];
const thenable = { then: (resolve: (value: unknown) => void) => resolve(1) };
const refused: [string, unknown][] = [
  ...no.map((value): [string, unknown] => [`${typeof value} ${String(value)}`, value]),
  ...no.map((value): [string, unknown] => [
    `a promise of ${typeof value} ${String(value)}`,
    Promise.resolve(value),
  ]),
  ['a thenable of 1', thenable],
  ['an Observable of 1', of(1)],
  ['an Observable of nothing', EMPTY],
];

describe('allow', () => {
  it.each(refused)('refuses with FORBIDDEN when it returns %s', async (_name, value) => {
    allowed = value;
    await expect(client.request('allowed', { text: 'hi' })).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  it.each<[string, unknown]>([
    ['true', true],
    ['a promise of true', Promise.resolve(true)],
  ])('lets the message through when it returns %s', async (_name, value) => {
    allowed = value;
    expect(await client.request('allowed', { text: 'hi' })).toEqual({ text: 'hi' });
  });

  it('is a function, or the decorator throws', () => {
    const allow = undefined as never;
    expect(() => OnMessage(contract, 'allowed', { allow })).toThrow(
      "Expected the option allow of @OnMessage(…, 'allowed') to be a function (connection) => boolean, got undefined: leave it out",
    );
  });

  it('refuses in a plain call of MessageGuard as well', () => {
    allowed = undefined;
    const handler = GuardedGateway.prototype.allowed;
    expect(() => new MessageGuard().admit(handler, [{}, { text: 'hi' }])).toThrow('not allowed');
  });
});

describe('authenticated', () => {
  it('lets a connection with a user through, and refuses an anonymous one with UNAUTHENTICATED', () => {
    const handler = GuardedGateway.prototype.owned;
    const guard = new MessageGuard();
    expect(guard.admit(handler, [{ userId: 'ann' }, { text: 'hi' }])).toBe(true);
    expect(() => guard.admit(handler, [{}, { text: 'hi' }])).toThrow('authentication is required');
  });

  it('gives the handler the user', async () => {
    expect(await client.request('owned', { text: 'hi' })).toEqual({ text: 'ann' });
  });
});

describe('a guard', () => {
  it.each(refused)('refuses with FORBIDDEN when it returns %s', async (_name, value) => {
    verdict = value;
    await expect(client.request('guarded', { text: 'hi' })).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  it.each<[string, true | Promise<true> | Observable<true>]>([
    ['true', true],
    ['a promise of true', Promise.resolve(true as const)],
    ['an Observable of true', of(true as const)],
  ])('lets the message through when it returns %s', async (_name, value) => {
    verdict = value;
    expect(await client.request('guarded', { text: 'hi' })).toEqual({ text: 'hi' });
  });
});
