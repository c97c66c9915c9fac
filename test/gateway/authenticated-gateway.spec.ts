import { IsString } from 'class-validator';
import {
  OnMessage,
  RealtimeGateway,
  RealtimeModule,
  TicketService,
  defineContract,
  type Authenticate,
  type AuthenticatedConnection,
  type Disconnection,
  type RealtimeOptions,
} from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp } from 'nestjs-realtime/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { upgrade } from '../rig/sockets/upgrade-request.js';

class Words {
  @IsString() text!: string;
}
const club = defineContract({ client: { say: { payload: Words, reply: Words } } });
const hall = defineContract({ client: { shout: { payload: Words } } });

let seen: string[] = [];

@RealtimeGateway({ path: '/club', contract: club, authenticated: true })
class MembersGateway {
  handleConnection({ userId, user }: AuthenticatedConnection<{ userId: string }>): void {
    seen.push(`${userId.toUpperCase()} ${user.userId} came`);
  }

  handleRefresh({ userId }: AuthenticatedConnection): void {
    seen.push(`${userId.toUpperCase()} refreshed`);
  }

  handleDisconnect({ userId }: AuthenticatedConnection, _disconnection: Disconnection): void {
    seen.push(`${userId.toUpperCase()} went`);
  }

  @OnMessage(club, 'say', { authenticated: true })
  say({ text }: Words, { userId }: AuthenticatedConnection): Words {
    return { text: `${userId.toUpperCase()}: ${text}` };
  }
}

@RealtimeGateway({ path: '/hall', contract: hall })
class HallGateway {
  @OnMessage(hall, 'shout')
  shout(_words: Words): void {}
}

/** A client without a token, or with another than `ann`'s, is anonymous. */
const authenticate: Authenticate = ({ token }) =>
  token === 'ann' ? { userId: 'ann', expiresAt: Date.now() + 60_000 } : {};

async function open(options: RealtimeOptions): Promise<RealtimeTestApp> {
  seen = [];
  const app = await createRealtimeTestApp({
    imports: [RealtimeModule.forRoot(options)],
    providers: [MembersGateway, HallGateway],
  });
  onTestFinished(() => app.close());
  return app;
}

const asking = (path: string, token?: string) => ({
  path,
  headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
});

describe('a gateway of authenticated clients', () => {
  it('gives its hooks and handlers the user', async () => {
    const app = await open({ authenticate });
    const client = await app.connect('/club', { token: 'ann' });
    expect(await client.request('say', { text: 'hi' })).toEqual({ text: 'ANN: hi' });
    await client.request('$auth', { token: 'ann' });
    await client.close();
    await expect.poll(() => seen).toEqual(['ANN ann came', 'ANN refreshed', 'ANN went']);
  });

  it('refuses an upgrade whose token names no user with 401', async () => {
    const app = await open({ authenticate });
    expect((await upgrade(app.port, asking('/club', 'guest'))).status).toBe(401);
    expect((await upgrade(app.port, asking('/hall', 'guest'))).status).toBe(101);
    expect(seen).toEqual([]);
  });

  it('refuses an upgrade without a token with 401 when there is no first $auth', async () => {
    const app = await open({ authenticate, authTimeoutMs: false });
    expect((await upgrade(app.port, asking('/club'))).status).toBe(401);
    expect((await upgrade(app.port, asking('/hall'))).status).toBe(101);
  });

  it('waits for the first $auth of a client without a token', async () => {
    const app = await open({ authenticate });
    const client = app.open('/club');
    await client.request('$auth', { token: 'ann' });
    expect((await client.hello()).userId).toBe('ann');
    expect(await client.request('say', { text: 'hi' })).toEqual({ text: 'ANN: hi' });
  });

  it('closes with 4401 after a first $auth that names no user', async () => {
    const app = await open({ authenticate });
    const client = app.open('/club');
    client.send({ type: 'say', payload: { text: 'hi' }, id: 1 });
    await expect(client.reply(1)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await expect(client.request('$auth', { token: 'guest' })).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
    });
    expect((await client.closed).code).toBe(4401);
    expect(seen).toEqual([]);
  });

  it('keeps the user when a fresh token names none', async () => {
    const app = await open({ authenticate });
    const client = await app.connect('/club', { token: 'ann' });
    await expect(client.request('$auth', { token: 'guest' })).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
    });
    expect(await client.request('say', { text: 'hi' })).toEqual({ text: 'ANN: hi' });
  });

  it('accepts a ticket with a user, and refuses one without with 401', async () => {
    const app = await open({ authenticate: () => null, authTimeoutMs: false });
    const tickets = app.get(TicketService);
    const named = await tickets.issue({ userId: 'ann' });
    const nameless = await tickets.issue({});
    const ticketOf = (issued: unknown) =>
      typeof issued === 'string' ? issued : (issued as { ticket: string }).ticket;
    const client = await app.connect(`/club?ticket=${ticketOf(named)}`);
    expect(await client.request('say', { text: 'hi' })).toEqual({ text: 'ANN: hi' });
    expect((await upgrade(app.port, asking(`/club?ticket=${ticketOf(nameless)}`))).status).toBe(401);
  });

  it('does not start without authenticate', async () => {
    await expect(open({})).rejects.toThrow(
      'MembersGateway has { authenticated: true }, but RealtimeModule has no `authenticate`: add it to RealtimeModule.forRoot(); for tickets alone write `authenticate: () => null`.',
    );
  });

  it('does not start with a gateway for anonymous clients on the same path', async () => {
    @RealtimeGateway({ path: '/club', contract: hall })
    class OpenGateway extends HallGateway {}
    const start = createRealtimeTestApp({
      imports: [RealtimeModule.forRoot({ authenticate })],
      providers: [MembersGateway, OpenGateway],
    });
    await expect(start).rejects.toThrow(
      'MembersGateway has { authenticated: true } and OpenGateway has not, on the one path "/club": set it on both, or give one of them a path of its own.',
    );
  });

  it('does not start with a handler that has { authenticated: false }', async () => {
    @RealtimeGateway({ path: '/hall', contract: hall, authenticated: true })
    class TornGateway {
      @OnMessage(hall, 'shout', { authenticated: false })
      shout(_words: Words): void {}
    }
    const start = createRealtimeTestApp({
      imports: [RealtimeModule.forRoot({ authenticate })],
      providers: [TornGateway],
    });
    await expect(start).rejects.toThrow(
      'TornGateway.shout has { authenticated: false }, but TornGateway takes no anonymous connections: leave it out, or take { authenticated: true } from the gateway.',
    );
  });

  it('needs true or false as its option, or the decorator throws', () => {
    const authenticated = 'yes' as unknown as boolean;
    expect(() => RealtimeGateway({ path: '/club', contract: club, authenticated })).toThrow(
      'Expected the option authenticated of @RealtimeGateway on "/club" to be true or false, got string.',
    );
  });
});
