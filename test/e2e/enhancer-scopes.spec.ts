import {
  Catch,
  Inject,
  Injectable,
  Scope,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  type CallHandler,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type NestInterceptor,
  type PipeTransform,
  type Provider,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { IsString } from 'class-validator';
import {
  OnMessage,
  Payload,
  RealtimeException,
  RealtimeGateway,
  RealtimeModule,
  defineContract,
} from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp } from 'nestjs-realtime/testing';
import type { Observable } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

class Text {
  @IsString() text!: string;
}
const contract = defineContract({ client: { say: { payload: Text, reply: Text } } });

/** What ran. An enhancer records itself through an injected dependency, so it needs its constructor to have run. */
class Diary {
  readonly entries: string[] = [];
}
const diary = new Diary();
const diaryProvider: Provider = { provide: Diary, useValue: diary };

type Kind = 'guard' | 'pipe' | 'interceptor' | 'filter';

/** One class, of a given scope, that can be any of the four kinds. */
function enhancerOf(kind: Kind, scope: Scope) {
  @Catch()
  @Injectable({ scope })
  class Enhancer implements CanActivate, PipeTransform, NestInterceptor, ExceptionFilter {
    constructor(@Inject(Diary) private readonly notes: Diary) {}
    canActivate(_context: ExecutionContext): boolean {
      this.notes.entries.push(kind);
      return true;
    }
    transform(value: unknown): unknown {
      this.notes.entries.push(kind);
      return value;
    }
    intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
      this.notes.entries.push(kind);
      return next.handle();
    }
    catch(error: unknown): never {
      this.notes.entries.push(kind);
      throw error;
    }
  }
  return Enhancer;
}
type Enhancer = ReturnType<typeof enhancerOf>;

const tokens = { guard: APP_GUARD, pipe: APP_PIPE, interceptor: APP_INTERCEPTOR, filter: APP_FILTER };
const decorators: Record<Kind, (enhancer: Enhancer) => ClassDecorator & MethodDecorator> = {
  guard: UseGuards,
  pipe: UsePipes,
  interceptor: UseInterceptors,
  filter: UseFilters,
};
const nothing: ClassDecorator & MethodDecorator = () => {};

function gatewayOf(scope: Scope, onClass: ClassDecorator, onMethod: MethodDecorator) {
  @RealtimeGateway({ path: '/ws', contract })
  @Injectable({ scope })
  @onClass
  class Gateway {
    @OnMessage(contract, 'say')
    @onMethod
    say(@Payload() payload: Text): Text {
      if (payload.text === 'fail') throw new RealtimeException('FAILED');
      return payload;
    }
  }
  return Gateway;
}

let app: RealtimeTestApp;
beforeEach(() => void (diary.entries.length = 0));
afterEach(() => app.close());
const start = async (providers: Provider[]) => {
  app = await createRealtimeTestApp({
    imports: [RealtimeModule.forRoot()],
    providers: [diaryProvider, ...providers],
  });
  return app.connect('/ws');
};

const kinds: Kind[] = ['guard', 'pipe', 'interceptor', 'filter'];
const scopes = { singleton: Scope.DEFAULT, request: Scope.REQUEST, transient: Scope.TRANSIENT };
const gatewayScopes = { singleton: Scope.DEFAULT, request: Scope.REQUEST };
const cases = kinds.flatMap((kind) =>
  (Object.keys(scopes) as (keyof typeof scopes)[]).flatMap((scope) =>
    (['globally', 'on the class', 'on the method'] as const).flatMap((binding) =>
      (Object.keys(gatewayScopes) as (keyof typeof gatewayScopes)[]).map(
        (gateway) => [kind, scope, binding, gateway] as const,
      ),
    ),
  ),
);

it.each(cases)('a %s of scope %s, bound %s, runs on a %s gateway', async (kind, scope, binding, gateway) => {
  const enhancer = enhancerOf(kind, scopes[scope]);
  const decorate = decorators[kind](enhancer);
  const client = await start([
    gatewayOf(
      gatewayScopes[gateway],
      binding === 'on the class' ? decorate : nothing,
      binding === 'on the method' ? decorate : nothing,
    ),
    ...(binding === 'globally' ? [{ provide: tokens[kind], useClass: enhancer, scope: scopes[scope] }] : []),
  ]);
  const text = kind === 'filter' ? 'fail' : 'hi';
  const answer = await client.request('say', { text }).catch(({ code }) => code);
  expect(answer).toEqual(kind === 'filter' ? 'FAILED' : { text });
  expect(diary.entries).toEqual([kind]);
});

describe('a gateway class that extends another', () => {
  const kindsOnBase = kinds.map((kind) => [kind] as const);

  it.each(kindsOnBase)('inherits the %s of its base class', async (kind) => {
    @(decorators[kind](enhancerOf(kind, Scope.DEFAULT)))
    abstract class Base {
      @OnMessage(contract, 'say')
      say(@Payload() payload: Text): Text {
        if (payload.text === 'fail') throw new RealtimeException('FAILED');
        return payload;
      }
    }
    @RealtimeGateway({ path: '/ws', contract })
    class Derived extends Base {}
    const client = await start([Derived]);
    await client.request('say', { text: kind === 'filter' ? 'fail' : 'hi' }).catch(() => {});
    expect(diary.entries).toEqual([kind]);
  });

  it('runs the inherited guard and its own, each once, after the payload is validated', async () => {
    @UseGuards(enhancerOf('guard', Scope.DEFAULT))
    @RealtimeGateway({ path: '/base', contract })
    class Base {
      @OnMessage(contract, 'say')
      say(payload: Text): Text {
        return payload;
      }
    }
    @RealtimeGateway({ path: '/ws', contract })
    @UseGuards(enhancerOf('guard', Scope.DEFAULT))
    class Derived extends Base {}
    const client = await start([Derived]);
    expect(await client.request('say', { text: 'hi' })).toEqual({ text: 'hi' });
    expect(diary.entries).toEqual(['guard', 'guard']);
    await expect(client.request('say', { text: 7 })).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
    expect(diary.entries).toHaveLength(2);
  });
});
