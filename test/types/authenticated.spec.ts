import type { IncomingMessage } from 'node:http';
import { IsString } from 'class-validator';
import {
  OnMessage,
  RealtimeGateway,
  defineContract,
  type AuthenticatedConnection,
  type Connection,
  type RealtimeGatewayOptions,
} from 'nestjs-realtime';
import { describe, expectTypeOf, it } from 'vitest';

// These hold when `tsc --noEmit` passes: each @ts-expect-error is itself an error once the line below it compiles.

class Reserve {
  @IsString() tableId!: string;
}
class Reservation {
  @IsString() id!: string;
}
const venue = defineContract({ client: { reserve: { payload: Reserve, reply: Reservation } } });

interface Member {
  readonly role: 'host' | 'guest';
}

describe('@OnMessage', () => {
  it('passes an AuthenticatedConnection only to handlers that refuse anonymous ones', () => {
    abstract class Fits {
      @OnMessage(venue, 'reserve', { authenticated: true })
      own(_payload: Reserve, { userId, user }: AuthenticatedConnection<Member>): Reservation {
        expectTypeOf(user).toEqualTypeOf<Member>();
        return { id: userId };
      }
      @OnMessage(venue, 'reserve', { authenticated: true })
      either(_payload: Reserve, { userId }: Connection): Reservation {
        return { id: userId ?? '' };
      }
      // @ts-expect-error Without { authenticated: true } a connection may be anonymous.
      @OnMessage(venue, 'reserve')
      anonymous(_payload: Reserve, { userId }: AuthenticatedConnection): Reservation {
        return { id: userId };
      }
      // @ts-expect-error The same with { authenticated: false }.
      @OnMessage(venue, 'reserve', { authenticated: false })
      off(_payload: Reserve, { userId }: AuthenticatedConnection): Reservation {
        return { id: userId };
      }
    }
    expectTypeOf(Fits).toBeObject();
  });
});

describe('@RealtimeGateway', () => {
  it('passes an AuthenticatedConnection to hooks if it refuses anonymous ones', () => {
    const contract = defineContract({});
    @RealtimeGateway({ path: '/ws', contract, authenticated: true })
    class Fits {
      handleConnection({ userId, user }: AuthenticatedConnection<Member>): string {
        return userId + user.role;
      }
      handleRefresh(_connection: AuthenticatedConnection): void {}
      handleDisconnect(_connection: AuthenticatedConnection): void {}
    }
    @RealtimeGateway({ path: '/ws', contract })
    class Anyone {
      constructor(protected readonly contract: string) {}
      handleConnection(_connection: Connection<Member>, _request: IncomingMessage): void {}
      async handleDisconnect(_connection: Connection): Promise<void> {}
    }
    @RealtimeGateway({ path: '/ws', contract })
    class NoHooks {}
    expectTypeOf([Fits, Anyone, NoHooks]).toBeArray();
  });

  it('refuses hooks that need a user if anonymous clients are accepted', () => {
    const contract = defineContract({});
    // @ts-expect-error Without { authenticated: true } a connection may be anonymous.
    @RealtimeGateway({ path: '/ws', contract })
    class Connecting {
      handleConnection(_connection: AuthenticatedConnection): void {}
    }
    // @ts-expect-error The same with { authenticated: false }.
    @RealtimeGateway({ path: '/ws', contract, authenticated: false })
    class Refreshing {
      handleRefresh(_connection: AuthenticatedConnection): void {}
    }
    // @ts-expect-error The same for handleDisconnect.
    @RealtimeGateway({ path: '/ws', contract })
    class Disconnecting {
      handleDisconnect(_connection: AuthenticatedConnection): void {}
    }
    const options: RealtimeGatewayOptions = { path: '/ws', contract };
    // @ts-expect-error Options typed as boolean do not prove it.
    @RealtimeGateway(options)
    class Unproven {
      handleConnection(_connection: AuthenticatedConnection): void {}
    }
    expectTypeOf([Connecting, Refreshing, Disconnecting, Unproven]).toBeArray();
  });
});
