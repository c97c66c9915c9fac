import { TicketService, type RealtimeOptions } from 'nestjs-realtime';
import { expect, it, onTestFinished, vi } from 'vitest';
import { openLobby, type Lobby } from './lobby.js';
import { upgrade } from '../rig/sockets/upgrade-request.js';

const issue = ({ app }: Lobby, userId: string, ttlMs?: number) =>
  app.get(TicketService).issue({ userId }, ttlMs === undefined ? {} : { ttlMs });

const statusOf = async ({ app }: Lobby, ticket: string, headers: Record<string, string> = {}) =>
  (await upgrade(app.port, { path: `/lobby?ticket=${ticket}`, headers })).status;

it('a ticket admits one connection with its identity, without authenticate', async () => {
  let calls = 0;
  const lobby = await openLobby({ authenticate: () => void calls++ });
  const ticket = await issue(lobby, 'ann');
  const client = lobby.app.open(`/lobby?tab=1&ticket=${ticket}`);
  expect((await client.hello()).userId).toBe('ann');
  expect(calls).toBe(0);
  expect(ticket).toMatch(/^[\w-]{32}$/);
});

it('a used ticket is refused with 401', async () => {
  const lobby = await openLobby({ authenticate: () => null });
  const ticket = await issue(lobby, 'ann');
  expect([await statusOf(lobby, ticket), await statusOf(lobby, ticket)]).toEqual([101, 401]);
});

it('exactly one of 20 concurrent clients with the same ticket is accepted', async () => {
  const lobby = await openLobby({ authenticate: () => null });
  const ticket = await issue(lobby, 'ann');
  const statuses = await Promise.all(Array.from({ length: 20 }, () => statusOf(lobby, ticket)));
  expect(statuses.filter((status) => status === 101)).toHaveLength(1);
  expect(statuses.filter((status) => status === 401)).toHaveLength(19);
  expect(lobby.visits.connected).toHaveLength(1);
});

it('an expired ticket is refused with 401', async () => {
  const lobby = await openLobby({ authenticate: () => null });
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const [short, long] = await Promise.all([issue(lobby, 'ann', 1_000), issue(lobby, 'ann')]);
  vi.advanceTimersByTime(1_000);
  expect(await statusOf(lobby, short)).toBe(401);
  expect(await statusOf(lobby, long)).toBe(101);
});

it('a used ticket is refused even if a token is offered, or could come as a first message', async () => {
  const options: RealtimeOptions = {
    authenticate: ({ token }) => (token === 't' ? { userId: 'bob' } : null),
  };
  const lobby = await openLobby(options);
  const ticket = await issue(lobby, 'ann');
  await statusOf(lobby, ticket);
  expect(await statusOf(lobby, ticket)).toBe(401);
  expect(await statusOf(lobby, ticket, { Authorization: 'Bearer t' })).toBe(401);
  expect(await statusOf(lobby, 'made-up')).toBe(401);
  expect(await statusOf(lobby, '')).toBe(401);
});

it('a page of another origin can neither use nor consume a ticket', async () => {
  const lobby = await openLobby({ authenticate: () => null });
  const ticket = await issue(lobby, 'ann');
  expect(await statusOf(lobby, ticket, { Origin: 'https://evil.example' })).toBe(403);
  expect(await statusOf(lobby, ticket)).toBe(101);
});

it('tickets work in an app without authenticate, and a wrong one is refused', async () => {
  const lobby = await openLobby();
  const client = lobby.app.open(`/lobby?ticket=${await issue(lobby, 'ann')}`);
  expect((await client.hello()).userId).toBe('ann');
  expect(await statusOf(lobby, 'made-up')).toBe(401);
});

it('a ticket of an expiring identity admits until then, and a token may refresh it', async () => {
  const { app, visits } = await openLobby({
    authenticate: ({ token, ticket }) =>
      token === 'ann' && ticket === undefined ? { userId: 'ann', expiresAt: Date.now() + 120_000 } : null,
  });
  const ticket = await app.get(TicketService).issue({ userId: 'ann', expiresAt: Date.now() + 60_000 });
  const client = app.open(`/lobby?ticket=${ticket}`);
  expect((await client.hello()).expiresInMs).toBeGreaterThan(50_000);
  const { expiresInMs } = (await client.request('$auth', { token: 'ann' })) as { expiresInMs: number };
  expect(expiresInMs).toBeGreaterThan(110_000);
  expect(visits.connected).toHaveLength(1);
});

it('without authenticate no token extends the identity of a ticket', async () => {
  const lobby = await openLobby({ heartbeat: false });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: Date.now() });
  onTestFinished(() => void vi.useRealTimers());
  const ticket = await lobby.app.get(TicketService).issue({ expiresAt: Date.now() + 60_000 });
  const client = await lobby.app.connect(`/lobby?ticket=${ticket}`);
  await expect(client.request('$auth', { token: 'made up' })).rejects.toThrow(
    'BAD_REQUEST: this server takes no tokens',
  );
  await vi.advanceTimersByTimeAsync(60_000);
  vi.useRealTimers();
  expect((await client.closed).code).toBe(4401);
});

it.each([
  [{ userId: 7 }, {}, 'Expected the userId of the ticket'],
  [{ userId: 'ann', expiresAt: 1_764_000_000 }, {}, 'multiply a JWT `exp` by 1000'],
  [null, {}, 'Expected an identity { userId, … } for the ticket, got null.'],
  [
    { userId: 'ann' },
    { ttlMs: Infinity },
    'Expected the ttlMs of a ticket to be an integer of 1 to 86400000',
  ],
  [{ userId: 'ann' }, { ttlMs: 0 }, 'got 0'],
  [{ userId: 'ann' }, { ttlMs: 1.5 }, 'got 1.5'],
])('issue(%j, %j) rejects and says why', async (identity, options, why) => {
  const { app } = await openLobby();
  await expect(app.get(TicketService).issue(identity as never, options)).rejects.toThrow(why);
});
