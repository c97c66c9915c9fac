import { defineContract, OnMessage, RealtimeGateway, RealtimeModule, type Connection } from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp } from 'nestjs-realtime/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { RealtimeClient, type Connected } from '../../lib/client/index.js';

const jobs = defineContract({ client: { run: { payload: null } }, server: {} });

let runs: number;
let onRun: () => void;
let connection: Connection;

@RealtimeGateway({ path: '/ws', contract: jobs })
class JobGateway {
  handleConnection(opened: Connection): void {
    connection = opened;
  }

  @OnMessage(jobs, 'run')
  run(): Promise<void> {
    runs++;
    onRun();
    // The connection is lost before it replies.
    return new Promise(() => undefined);
  }
}

let nodes: RealtimeTestApp[];
let node: RealtimeTestApp;
let client: RealtimeClient<typeof jobs>;
beforeEach(async () => {
  runs = 0;
  const module = { imports: [RealtimeModule.forRoot({})], providers: [JobGateway] };
  nodes = await Promise.all([createRealtimeTestApp(module), createRealtimeTestApp(module)]);
  client = new RealtimeClient<typeof jobs>(() => `ws://127.0.0.1:${node.port}/ws`, {
    WebSocket,
    minRetryMs: 1,
    firstRetrySpreadMs: 1,
  });
});
afterEach(async () => {
  client.close();
  await Promise.all(nodes.map((each) => each.app.close()));
});

/** Loses the connection and continues on a node. */
async function moveTo(next: RealtimeTestApp): Promise<void> {
  node = next;
  const moved = new Promise<void>((resolve) => {
    const stop = client.onStateChange(({ status }) => {
      if (status !== 'connected') return;
      stop();
      resolve();
    });
  });
  connection.close(4000);
  await moved;
}

it('a request that another node ran is not run again by a node that held the session before', async () => {
  const [a, b] = nodes as [RealtimeTestApp, RealtimeTestApp];
  node = a;
  await client.connect();
  const { sessionId } = client.state as Connected;
  await moveTo(b);
  const ran = new Promise<void>((resolve) => (onRun = resolve));
  const pending = client.request('run');
  const outcome = expect(pending).rejects.toMatchObject({ code: 'DISCONNECTED' });
  await ran;
  await moveTo(a);
  expect(client.state).toMatchObject({ status: 'connected', sessionId });
  await outcome;
  expect(runs).toBe(1);
});
