import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Authenticate } from 'nestjs-realtime';
import { expect, it, onTestFinished } from 'vitest';
import { Admission } from '../../lib/gateway/admission/admission.js';
import { Authentication } from '../../lib/gateway/identity/authentication.js';
import { ConnectionLimits, type ConnectionPermit } from '../../lib/gateway/admission/connection-limits.js';
import { MemoryConnectionCounts, type CountKind } from '../../lib/gateway/admission/connection-counts.js';
import { HandshakeQueue } from '../../lib/gateway/admission/handshake-queue.js';
import { UpgradeLog } from '../../lib/gateway/admission/upgrade-log.js';
import { PASSED } from '../../lib/gateway/admission/upgrade-rejection.js';
import { OriginPolicy, type Origins } from '../../lib/gateway/admission/origin-policy.js';
import { MemoryTicketStore, TicketService } from '../../lib/gateway/identity/tickets.js';
import { RealtimeMetrics } from '../../lib/metrics/realtime-metrics.js';
import { Refusals } from '../../lib/metrics/refusals.js';
import { until } from '../rig/clock/until.js';
import { CapturedLog } from '../rig/process/captured-log.js';
import { upgradeText } from '../rig/sockets/client-bytes.js';
import { tcpConnection } from '../rig/sockets/upgrade-request.js';

/** Connection counts that record each acquire and release. */
class RecordedCounts extends MemoryConnectionCounts {
  held = 0;

  override acquire(kind: CountKind, key: string, connectionId: string, max: number): boolean {
    const isAcquired = super.acquire(kind, key, connectionId, max);
    if (isAcquired) this.held++;
    return isAcquired;
  }

  override release(kind: CountKind, key: string): void {
    this.held--;
    super.release(kind, key);
  }
}

interface Scene {
  readonly origins?: Origins;
  readonly authenticate?: Authenticate;
  /** The drain begins after `admit` and before the socket opens. */
  readonly drainsBeforeOpen?: boolean;
  readonly max?: number;
  readonly timeoutMs?: number;
}

/** Every part that counts connections, behind a real HTTP server. */
async function admission({
  origins = false,
  authenticate,
  drainsBeforeOpen = false,
  max = 1,
  timeoutMs = 20,
}: Scene) {
  const log = new CapturedLog();
  const metrics = new RealtimeMetrics();
  const counts = new RecordedCounts();
  const limits = new ConnectionLimits(
    {
      maxConnections: 3,
      maxConnectionsPerIp: 2,
      maxConnectionsPerUser: max,
      maxUnauthenticated: max,
      maxUnauthenticatedPerIp: max,
    },
    counts,
    'n',
  );
  const queue = new HandshakeQueue({
    maxConcurrent: 1,
    maxPerSecond: false,
    maxWaiting: 1,
    maxWaitingPerIp: false,
    maxWaitMs: 5_000,
  });
  const tickets = new TicketService(new MemoryTicketStore());
  const gate = new Admission(
    new OriginPolicy({ origins, allowMissingOrigin: true, handshakeTimeoutMs: 20 }),
    limits,
    queue,
    new Authentication({ authenticate, handshakeTimeoutMs: timeoutMs }, tickets, log),
    { tokenCookie: false, offersFirstMessageAuth: true, clientIp: () => '203.0.113.1' },
    new UpgradeLog(metrics, new Refusals(metrics, log), log),
  );
  const permits: ConnectionPermit[] = [];
  const outcomes: string[] = [];
  const server = createServer().listen(0, '127.0.0.1');
  server.on('upgrade', (request: IncomingMessage, socket: Socket) => {
    socket.on('error', () => {});
    void gate.admit(request, { params: {}, needsUser: false }).then((admitted) => {
      if (admitted.ok && drainsBeforeOpen) gate.close();
      const confirmed = admitted.ok ? gate.confirm(request, admitted) : admitted;
      outcomes.push(confirmed.ok ? 'open' : confirmed.rejection.reason);
      if (confirmed.ok) permits.push(confirmed.permit);
      else socket.destroy();
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
  return { gate, arrive, settled, outcomes, permits, counters, queue };
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
  [['draining'], { drainsBeforeOpen: true }, ({ arrive }) => arrive()],
  [
    ['draining'],
    {},
    ({ gate, arrive }) => {
      gate.close();
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
    { authenticate: never, timeoutMs: 500 },
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
  for (const permit of rig.permits) permit.release();
  for (const permit of rig.permits) permit.release();
  expect(rig.counters()).toEqual({ total: 0, unauthenticated: 0, counts: 0, waiting: 0 });
  // The one concurrent handshake is free again; a closed queue stays closed.
  if (!expected.includes('draining'))
    expect(rig.queue.enter(new EventEmitter(), '203.0.113.1')).toEqual(PASSED);
});
