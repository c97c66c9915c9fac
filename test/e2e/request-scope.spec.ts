import { Inject, Injectable, Scope, UseGuards, type CanActivate, type Provider } from '@nestjs/common';
import { APP_GUARD, REQUEST } from '@nestjs/core';
import { IsInt, IsString } from 'class-validator';
import { Connection, OnMessage, RealtimeGateway, RealtimeModule, defineContract } from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp } from 'nestjs-realtime/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

class Count {
  @IsInt() count!: number;
  @IsString() connectionId!: string;
}
const counter = defineContract({ client: { count: { payload: null, reply: Count } } });

const events: string[] = [];
let instances = 0;
beforeEach(() => {
  events.length = 0;
  instances = 0;
});

@RealtimeGateway({ path: '/ws', contract: counter })
@Injectable({ scope: Scope.REQUEST })
class ScopedGateway {
  #count = 0;

  constructor(@Inject(REQUEST) private readonly request: Connection) {
    instances++;
  }

  handleConnection({ id }: Connection): void {
    events.push(`connected ${id === this.request.id}`);
  }

  handleDisconnect({ id }: Connection): void {
    events.push(`disconnected ${id === this.request.id} after ${this.#count}`);
  }

  @OnMessage(counter, 'count')
  count(): Count {
    return { count: ++this.#count, connectionId: this.request.id };
  }
}

@RealtimeGateway({ path: '/ws', contract: counter })
class StaticGateway {
  @OnMessage(counter, 'count')
  count(_nothing: null, { id }: Connection): Count {
    return { count: 1, connectionId: id };
  }
}

@Injectable({ scope: Scope.REQUEST })
class ScopedGuard implements CanActivate {
  constructor(@Inject(REQUEST) private readonly request: Connection) {}

  canActivate(): boolean {
    events.push(`guard of ${this.request.userId}`);
    return this.request.userId !== 'eve';
  }
}

@RealtimeGateway({ path: '/ws', contract: counter })
@UseGuards(ScopedGuard)
class GuardedGateway extends StaticGateway {}

let app: RealtimeTestApp;
afterEach(() => app.close());
const start = async (...providers: Provider[]) => {
  app = await createRealtimeTestApp({
    imports: [RealtimeModule.forRoot({ authenticate: ({ token }) => ({ userId: token }) })],
    providers,
  });
};

describe('a request-scoped gateway', () => {
  it('has one instance per connection, whose REQUEST is the connection', async () => {
    await start(ScopedGateway);
    const [ann, bob] = [app.open('/ws', { token: 'ann' }), app.open('/ws', { token: 'bob' })];
    const [{ connectionId: annsId }, { connectionId: bobsId }] = [await ann.hello(), await bob.hello()];
    expect(await ann.request('count')).toEqual({ count: 1, connectionId: annsId });
    expect(await ann.request('count')).toEqual({ count: 2, connectionId: annsId });
    expect(await bob.request('count')).toEqual({ count: 1, connectionId: bobsId });
    expect(instances).toBe(2);
  });

  it('runs its hooks on that same instance', async () => {
    await start(ScopedGateway);
    const ann = await app.connect('/ws', { token: 'ann' });
    await ann.request('count');
    await app.close();
    expect(events).toEqual(['connected true', 'disconnected true after 1']);
  });
});

describe('a provider of a request-scoped gateway that fails', () => {
  it('is created again for the next message, and other gateways keep their instances', async () => {
    let failures = 1;
    const counts = defineContract({ client: { counts: { payload: null } } });
    @Injectable({ scope: Scope.REQUEST })
    class Tenant {
      constructor() {
        events.push('tenant');
        if (failures-- > 0) throw new Error('the database is away');
      }
    }
    @RealtimeGateway({ path: '/ws', contract: counts })
    @Injectable({ scope: Scope.REQUEST })
    class TenantGateway {
      constructor(@Inject(Tenant) readonly tenant: Tenant) {}

      @OnMessage(counts, 'counts')
      counts(): void {}
    }
    await start(ScopedGateway, Tenant, TenantGateway);
    const ann = await app.connect('/ws', { token: 'ann' });
    expect(await ann.request('count')).toMatchObject({ count: 1 });
    await expect(ann.request('counts')).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(await ann.request('counts')).toBeNull();
    expect(await ann.request('counts')).toBeNull();
    expect(await ann.request('count')).toMatchObject({ count: 2 });
    expect(events.filter((event) => event === 'tenant')).toHaveLength(2);
    expect(instances).toBe(1);
  });
});

describe('a request-scoped guard', () => {
  it('gets the connection as REQUEST when it is bound to the class', async () => {
    await start(GuardedGateway);
    const [ann, eve] = [
      await app.connect('/ws', { token: 'ann' }),
      await app.connect('/ws', { token: 'eve' }),
    ];
    expect(await ann.request('count')).toMatchObject({ count: 1 });
    await expect(eve.request('count')).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(events).toEqual(['guard of ann', 'guard of eve']);
  });

  it('runs when it is bound globally by APP_GUARD', async () => {
    await start(StaticGateway, { provide: APP_GUARD, useClass: ScopedGuard, scope: Scope.REQUEST });
    const [ann, eve] = [
      await app.connect('/ws', { token: 'ann' }),
      await app.connect('/ws', { token: 'eve' }),
    ];
    expect(await ann.request('count')).toMatchObject({ count: 1 });
    await expect(eve.request('count')).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });
});
