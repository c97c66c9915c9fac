import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Authenticate } from 'nestjs-realtime';
import { expect, it, onTestFinished } from 'vitest';
import { Admission, type Open } from '../../lib/gateway/admission/admission.js';
import { Authentication } from '../../lib/gateway/identity/authentication.js';
import { ConnectionLimits, type ConnectionPermit } from '../../lib/gateway/admission/connection-limits.js';
import { MemoryConnectionCounts, type CountKind } from '../../lib/gateway/admission/connection-counts.js';
import { HandshakeQueue } from '../../lib/gateway/admission/handshake-queue.js';
import { OriginPolicy, type Origins } from '../../lib/gateway/admission/origin-policy.js';
import { MemoryTicketStore, TicketService } from '../../lib/gateway/identity/tickets.js';
import { RealtimeMetrics } from '../../lib/metrics/realtime-metrics.js';
import { Refusals } from '../../lib/metrics/refusals.js';
import { until } from '../rig/clock/until.js';
import { CapturedLog } from '../rig/process/captured-log.js';
import { upgradeText } from '../rig/sockets/client-bytes.js';
import { tcpConnection } from '../rig/sockets/upgrade-request.js';

/** Connection counts that record each acquire and release. */
class CountedPlaces extends MemoryConnectionCounts {
  held = 0;

  override take(kind: CountKind, key: string, connectionId: string, max: number): boolean {
    const isTaken = super.take(kind, key, connectionId, max);
    if (isTaken) this.held++;
    return isTaken;
  }

  override release(kind: CountKind, key: string): void {
    this.held--;
    super.release(kind, key);
  }
}

interface Scene {
  readonly origins?: Origins;
  readonly authenticate?: Authenticate;
  readonly open?: (permit: ConnectionPermit) => boolean;
  readonly max?: number;
}

const none = () => 0;

/** Every part that counts connections, behind a real HTTP server. */
async function admission({ origins = false, authenticate, open = () => true, max = 1 }: Scene) {
  const log = new CapturedLog();
  const metrics = new RealtimeMetrics({
    connections: none,
    users: none,
    rooms: none,
    unauthenticated: none,
    handshakesWaiting: none,
    draining: () => false,
  });
  const counts = new CountedPlaces();
  const limits = new ConnectionLimits(
    {
      nodeId: 'n',
      maxConnections: 3,
      maxConnectionsPerIp: 2,
      maxConnectionsPerUser: max,
      maxUnauthenticated: max,
      maxUnauthenticatedPerIp: max,
    },
    counts,
  );
  const queue = new HandshakeQueue({
    maxConcurrent: 1,
    maxPerSecond: false,
    maxWaiting: 1,
    maxWaitingPerIp: false,
    maxWaitMs: 50,
  });
  const tickets = new TicketService(new MemoryTicketStore());
  const judge = new Admission(
    new OriginPolicy(origins, true, 20),
    limits,
    queue,
    new Authentication({ authenticate, handshakeTimeoutMs: 20 }, tickets, log),
    { tokenCookie: false, offersFirstMessageAuth: true, clientIp: () => '203.0.113.1' },
    metrics,
    new Refusals(metrics, log),
    log,
  );
  const seats: ConnectionPermit[] = [];
  const outcomes: string[] = [];
  const onOpen: Open = (_admitted, permit) => {
    const isIn = open(permit);
    if (isIn) seats.push(permit);
    return isIn;
  };
  const server = createServer().listen(0, '127.0.0.1');
  server.on('upgrade', (request: IncomingMessage, socket: Socket) => {
    socket.on('error', () => {});
    void judge.judge(request, { params: {}, needsUser: false }, onOpen).then((refusal) => {
      outcomes.push(refusal?.reason ?? 'open');
      if (refusal !== undefined) socket.destroy();
    });
  });
  await once(server, 'listening');
  onTestFinished(() => server.close().closeAllConnections());
  const { port } = server.address() as AddressInfo;
  const arrive = (token?: string, headers: Record<string, string> = {}) => {
    const client = tcpConnection(port);
    const authorization: Record<string, string> =
      token === undefined ? {} : { Authorization: `Bearer ${token}` };
    client.write(upgradeText('/', { ...authorization, ...headers }));
    return client;
  };
  const settled = (count: number) => until(`${count} outcomes`, () => outcomes.length === count);
  const counters = () => ({
    total: limits.total,
    unauthenticated: limits.unauthenticated,
    counts: counts.held,
    waiting: queue.waiting,
  });
  return { judge, arrive, settled, outcomes, seats, counters, queue };
}

type Rig = Awaited<ReturnType<typeof admission>>;

const byToken: Authenticate = ({ token }) => (token === undefined ? null : { userId: token });
const never = () => new Promise<never>(() => {});

const exits: [expected: string[], scene: Scene, visit: (rig: Rig) => unknown][] = [
  [['open'], {}, ({ arrive }) => arrive()],
  [['open'], { authenticate: byToken }, ({ arrive }) => arrive('ann')],
  [['open'], { authenticate: byToken }, ({ arrive }) => arrive()],
  [['bad_request'], {}, ({ arrive }) => arrive(undefined, { 'Sec-WebSocket-Version': '7' })],
  [['origin'], { origins: ['https://a.example'] }, ({ arrive }) => arrive(undefined, { Origin: 'null' })],
  [
    ['handshake_timeout'],
    { origins: never },
    ({ arrive }) => arrive(undefined, { Origin: 'https://a.example' }),
  ],
  [
    ['failure'],
    {
      origins: () => {
        throw new Error('no list');
      },
    },
    ({ arrive }) => arrive(undefined, { Origin: 'https://a.example' }),
  ],
  [['token'], { authenticate: () => null }, ({ arrive }) => arrive('ann')],
  [['handshake_timeout'], { authenticate: never }, ({ arrive }) => arrive('ann')],
  [['failure'], { authenticate: () => 'ann' as never }, ({ arrive }) => arrive('ann')],
  [
    ['failure'],
    {
      open: () => {
        throw new Error('no socket');
      },
    },
    ({ arrive }) => arrive(),
  ],
  [['open'], { open: () => false }, ({ arrive }) => arrive()],
  [
    ['draining'],
    {},
    ({ judge, arrive }) => {
      judge.close();
      arrive();
    },
  ],
  [
    ['open', 'connections_per_user'],
    { authenticate: byToken },
    async ({ arrive, settled }) => {
      arrive('ann');
      await settled(1);
      arrive('ann');
    },
  ],
  [
    ['open', 'unauthenticated'],
    { authenticate: byToken },
    async ({ arrive, settled }) => {
      arrive();
      await settled(1);
      arrive();
    },
  ],
  [
    ['open', 'open', 'connections_per_ip'],
    { authenticate: byToken },
    async ({ arrive, settled }) => {
      for (const user of ['ann', 'bob', 'cyd']) {
        const before = user === 'ann' ? 0 : user === 'bob' ? 1 : 2;
        await settled(before);
        arrive(user);
      }
    },
  ],
  [
    ['handshake_timeout', 'handshake_timeout'],
    { authenticate: never },
    ({ arrive }) => {
      arrive('ann');
      arrive('bob');
    },
  ],
  [
    ['gone', 'handshake_timeout'],
    { authenticate: never },
    async ({ arrive, queue }) => {
      arrive('ann');
      const client = arrive('bob');
      await until('one waits', () => queue.waiting === 1);
      client.destroy();
    },
  ],
];

it.each(exits)('every permit is released after %j', async (expected, scene, visit) => {
  const rig = await admission(scene);
  await visit(rig);
  await rig.settled(expected.length);
  expect(rig.outcomes.toSorted()).toEqual(expected.toSorted());
  for (const permit of rig.seats) permit.leave();
  for (const permit of rig.seats) permit.leave();
  expect(rig.counters()).toEqual({ total: 0, unauthenticated: 0, counts: 0, waiting: 0 });
  // The one concurrent handshake is free again; a closed queue stays closed.
  if (!expected.includes('draining'))
    expect(rig.queue.enter(new EventEmitter(), '203.0.113.1')).toBeUndefined();
});
