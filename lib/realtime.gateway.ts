import type { ClientRequests } from './broadcast/client-requests.js';
import type { ConnectionRegistry } from './connections/connection-registry.js';
import { FlushScheduler } from './connections/flush-scheduler.js';
import { Admission } from './gateway/admission/admission.js';
import { createClientIp } from './gateway/admission/client-ip.js';
import type { ConnectionCounts } from './gateway/admission/connection-counts.js';
import { ConnectionLimits } from './gateway/admission/connection-limits.js';
import { HandshakeQueue } from './gateway/admission/handshake-queue.js';
import { OriginPolicy } from './gateway/admission/origin-policy.js';
import { UpgradeLog } from './gateway/admission/upgrade-log.js';
import { Drain } from './gateway/drain/drain.js';
import { Authentication } from './gateway/identity/authentication.js';
import type { TicketService } from './gateway/identity/tickets.js';
import { AuthMessages } from './gateway/lifecycle/auth-messages.js';
import { ConnectionLifecycle } from './gateway/lifecycle/connection-lifecycle.js';
import { ConnectionLog } from './gateway/lifecycle/connection-log.js';
import { FrameReceiver } from './gateway/lifecycle/frame-receiver.js';
import type { SocketObserver } from './gateway/lifecycle/gateway-connection.js';
import { Heartbeat } from './gateway/lifecycle/heartbeat.js';
import { OpenSockets } from './gateway/lifecycle/open-sockets.js';
import {
  CancelMessage,
  ErrorMessage,
  ping,
  ReplyMessage,
  type ProtocolMessage,
} from './gateway/lifecycle/protocol-messages.js';
import { RateLimiter } from './gateway/lifecycle/rate-limiter.js';
import type { Recovery } from './gateway/lifecycle/recovery.js';
import { Resumption } from './gateway/lifecycle/resumption.js';
import { SlowClients } from './gateway/lifecycle/slow-clients.js';
import type { Routes } from './gateway/routing/routes.js';
import { WebSocketAcceptor } from './gateway/websocket-acceptor.js';
import { IdempotencyCache } from './messages/idempotency-cache.js';
import { MessageDispatcher } from './messages/message-dispatcher.js';
import { ReplyStreams } from './messages/reply-streams.js';
import type { RealtimeLog } from './metrics/realtime-log.js';
import type { RealtimeMetrics } from './metrics/realtime-metrics.js';
import { Refusals } from './metrics/refusals.js';
import type { FeatureEntries } from './realtime.features.js';
import type { ResolvedOptions } from './realtime.options.js';

/** What the gateway of a node is built on. */
export interface GatewayBase {
  readonly options: ResolvedOptions;
  readonly nodeId: string;
  readonly metrics: RealtimeMetrics;
  readonly logger: RealtimeLog;
  readonly registry: ConnectionRegistry;
  readonly requests: ClientRequests;
  readonly counts: ConnectionCounts;
  readonly tickets: TicketService;
  readonly routes: Routes;
  readonly features: readonly FeatureEntries[];
}

/** The parts of the gateway that the node starts, stops and observes. */
export interface Gateway {
  readonly acceptor: WebSocketAcceptor;
  readonly upgrades: UpgradeLog;
  readonly drain: Drain;
  readonly heartbeat: Heartbeat;
  readonly limits: ConnectionLimits;
  readonly queue: HandshakeQueue;
}

type UpgradeParts = ReturnType<typeof createAdmission>;

/** Puts the parts of the gateway together, in the order of the arrows. */
export function createGateway(base: GatewayBase): Gateway {
  const upgrade = createAdmission(base);
  const { limits, queue, upgrades, admission } = upgrade;
  const { sockets, lifecycle, heartbeat } = createSockets(base, upgrade);
  const { options, routes, logger } = base;
  const drain = new Drain(sockets, admission, lifecycle, options.drain, logger);
  const acceptor = new WebSocketAcceptor(routes, admission, sockets, options, logger);
  return { acceptor, upgrades, drain, heartbeat, limits, queue };
}

/** From the upgrade request to the admitted client. */
function createAdmission({ options, nodeId, metrics, logger, counts, tickets }: GatewayBase) {
  const refusals = new Refusals(metrics, logger);
  const upgrades = new UpgradeLog(metrics, refusals, logger);
  const authentication = new Authentication(options, tickets, logger);
  const limits = new ConnectionLimits(options, counts, nodeId);
  const queue = new HandshakeQueue(options.handshakes);
  const admission = new Admission(
    new OriginPolicy(options),
    limits,
    queue,
    authentication,
    {
      tokenCookie: options.tokenCookie,
      offersFirstMessageAuth: options.authTimeoutMs !== false,
      clientIp: createClientIp(options.trustProxy),
    },
    upgrades,
  );
  return { refusals, upgrades, authentication, limits, queue, admission };
}

/** From the open socket to its close. */
function createSockets(base: GatewayBase, { refusals, authentication, queue }: UpgradeParts) {
  const { options, metrics, logger, registry, requests, features } = base;
  const streams = new ReplyStreams(options.maxStreams);
  const idempotency = new IdempotencyCache(options.idempotency, registry);
  const resumption = new Resumption(registry, idempotency);
  const recoveries: readonly Recovery[] = [
    resumption,
    ...features.flatMap((entries) => entries.recoveries ?? []),
  ];
  const dispatcher = new MessageDispatcher(streams, idempotency, metrics, refusals, logger);
  const log = new ConnectionLog(metrics, logger, options.logConnections);
  const { heartbeat: pings, maxPayloadBytes, handshakeTimeoutMs } = options;
  const settings = {
    announcement: { heartbeat: pings || null, maxPayloadBytes },
    openTimeoutMs: handshakeTimeoutMs,
  };
  const lifecycle = new ConnectionLifecycle(registry, recoveries, dispatcher, settings, log);
  const authTimeoutMs = options.authTimeoutMs || 0;
  const auth = new AuthMessages(authentication, queue, lifecycle, authTimeoutMs, refusals, logger);
  const protocolMessages = new Map<string, ProtocolMessage>([
    ['ping', ping],
    ['$auth', auth],
    ['$resume', resumption],
    ['$reply', new ReplyMessage(requests, metrics, logger)],
    ['$error', new ErrorMessage(requests, metrics)],
    ['$cancel', new CancelMessage(streams)],
    ...features.flatMap((entries) => entries.protocolMessages ?? []),
  ]);
  const rateLimiter = new RateLimiter(options.rateLimit);
  const heartbeat = new Heartbeat(pings, metrics);
  const receiver = new FrameReceiver(options, protocolMessages, rateLimiter, heartbeat, metrics, refusals);
  const observers: readonly SocketObserver[] = [
    lifecycle,
    heartbeat,
    auth,
    resumption,
    streams,
    requests,
    ...features.flatMap((entries) => entries.observers ?? []),
    log,
  ];
  const { highWaterMarkBytes, maxQueueBytes } = options;
  const shared = {
    membership: registry,
    receiveQueues: options,
    rateLimiter,
    sendQueues: {
      batch: new FlushScheduler(),
      metrics,
      observer: new SlowClients(metrics, logger),
      highWaterMarkBytes,
      maxQueueBytes,
    },
  };
  const sockets = new OpenSockets(shared, receiver, lifecycle, auth, observers, log);
  return { sockets, lifecycle, heartbeat };
}
