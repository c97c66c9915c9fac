import { defineContract, RealtimeGateway, RealtimeModule } from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp } from 'nestjs-realtime/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { RealtimeClient, type ConnectionState, type TokenRequest } from '../../lib/client/index.js';

const LIFE_MS = 1_000;

let refreshes: number;
let onRefresh: () => void;

@RealtimeGateway({ path: '/ws', contract: defineContract({ client: {}, server: {} }) })
class DeskGateway {
  handleRefresh(): void {
    refreshes++;
    onRefresh();
  }
}

let app: RealtimeTestApp;
let client: RealtimeClient;
let states: ConnectionState[];
let reasons: TokenRequest['reason'][];
beforeEach(async () => {
  refreshes = 0;
  onRefresh = () => undefined;
  states = [];
  reasons = [];
  // A token says when it ends.
  const authenticate = ({ token }: { token?: string | undefined }) =>
    token === undefined ? null : { userId: 'ann', expiresAt: Number(token) };
  app = await createRealtimeTestApp({
    imports: [RealtimeModule.forRoot({ authenticate })],
    providers: [DeskGateway],
  });
  client = new RealtimeClient(`ws://127.0.0.1:${app.port}/ws`, {
    WebSocket,
    minRetryMs: 50,
    token: ({ reason }) => (reasons.push(reason), String(Date.now() + LIFE_MS)),
  });
  client.onStateChange((state) => states.push(state));
});
afterEach(async () => {
  client.close();
  await app.close();
});

it('a connection lives on through five tokens of a second each, and handleRefresh runs for each', async () => {
  await client.connect();
  await new Promise<void>((resolve) => (onRefresh = () => refreshes === 5 && resolve()));
  expect(reasons).toEqual(['connect', ...Array<string>(5).fill('expiring')]);
  expect(states.map(({ status }) => status)).toEqual(['connecting', 'connected']);
  expect(client.state).toBe(states[1]);
});
