// One node of the rigs: a Nest app on Redis that runs its parent's commands, and exits with its parent.
import 'reflect-metadata';
import { parseArgs } from 'node:util';
import {
  Broadcaster,
  OnMessage,
  RealtimeGateway,
  RealtimeHealth,
  RealtimeMetrics,
  RealtimeModule,
  type Connection,
} from 'nestjs-realtime';
import { createRealtimeTestApp } from 'nestjs-realtime/testing';
import { send } from '../../rig/process/forked-process.js';
import { crowd, RoomName, type Command, type Ended, type NodeReport } from './crowd-contract.js';

const { values } = parseArgs({
  options: { redis: { type: 'string', default: '' }, 'per-user': { type: 'string', default: '0' } },
});
const uncaught: string[] = [];
process.on('uncaughtException', (error) => uncaught.push(String(error.stack)));
process.on('unhandledRejection', (reason) => uncaught.push(String((reason as Error | undefined)?.stack)));
process.on('disconnect', () => process.exit(0));

@RealtimeGateway({ path: '/ws', contract: crowd })
class CrowdGateway {
  @OnMessage(crowd, 'join')
  async join({ room }: RoomName, connection: Connection): Promise<RoomName> {
    await connection.join(room);
    return { room };
  }

  @OnMessage(crowd, 'leave')
  leave({ room }: RoomName, connection: Connection): RoomName {
    connection.leave(room);
    return { room };
  }
}

const app = await createRealtimeTestApp({
  imports: [
    RealtimeModule.forRoot({
      redis: values.redis === '' ? undefined : values.redis,
      logConnections: false,
      // Makes each upgrade run a script in Redis.
      maxConnectionsPerUser: Number(values['per-user']) || false,
      authenticate: ({ token }) => (token === undefined ? null : { userId: token }),
      drain: false,
    }),
  ],
  providers: [CrowdGateway],
});
const [broadcaster, health, metrics] = [
  app.get(Broadcaster),
  app.get(RealtimeHealth),
  app.get(RealtimeMetrics),
];
let pending = 0;

process.on('message', ({ kind, value }: { kind: string; value: Command }) => {
  if (kind !== 'command') return;
  pending++;
  const { id } = value;
  // Called without awaiting, so that commands are issued in the order they arrive.
  carryOut(value)
    .then(
      (result): Ended => ({ id, ok: true, value: result }),
      (error: unknown): Ended => ({ id, ok: false, error: nameOf(error) }),
    )
    .then((ended) => {
      pending--;
      send('ended', ended);
    })
    .catch((error: unknown) => uncaught.push(String(error)));
});
send('listening', app.port);

async function carryOut({ verb, args }: Command): Promise<unknown> {
  if (verb === 'health') return health.report();
  if (verb === 'report') return report();
  const method = broadcaster[verb] as unknown as (...given: readonly unknown[]) => Promise<unknown>;
  return method.apply(broadcaster, args as unknown[]);
}

function report(): NodeReport {
  globalThis.gc?.();
  const gauge = metrics.backplane.all.find(({ name }) => name === 'realtime_backplane_subscriptions');
  return {
    health: health.report(),
    uncaught,
    heapBytes: process.memoryUsage().heapUsed,
    handles: process.getActiveResourcesInfo().length,
    // Not counting this command itself.
    pending: pending - 1,
    channels: gauge?.kind === 'gauge' ? (gauge.samples()[0]?.value ?? 0) : 0,
  };
}

function nameOf(error: unknown): string {
  const { name, code, reason } = error as { name?: string; code?: string; reason?: string };
  return `${name ?? typeof error}${code === undefined ? '' : ` ${code}`}${reason === undefined ? '' : ` ${reason}`}`;
}
