import { randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { Connection, type RoomMembership } from '../../connections/connection.js';
import type { ConnectionObserver } from '../../connections/connection-observer.js';
import { ReceiveQueue, type ReceiveQueueSettings } from '../../connections/receive-queue.js';
import { SendQueue, type SendQueueShared, type WebSocketLike } from '../../connections/send-queue.js';
import type { Admitted } from '../admission/admission.js';
import type { ConnectionPermit } from '../admission/connection-limits.js';
import type { Route } from '../routing/route.js';
import type { Allowance, RateLimiter } from './rate-limiter.js';

/**
 * `authenticating`: waits for `$auth`. `verifying`: the token of its first `$auth` is being checked. `opening`: the
 * identity is known and `handleConnection` runs. `open`: `$hello` has been sent. `closed`: the socket has closed.
 */
export type ConnectionPhase = 'authenticating' | 'verifying' | 'opening' | 'open' | 'closed';

/** What the connections of a node share. */
export interface ConnectionShared {
  readonly membership: RoomMembership;
  readonly sendQueues: SendQueueShared;
  readonly receiveQueues: ReceiveQueueSettings;
  readonly rateLimiter: RateLimiter;
}

/** An observer that the gateway also calls when a socket has been accepted. */
export interface SocketObserver extends ConnectionObserver {
  accepted?(connection: GatewayConnection): void;
}

/** A connection with the state that only the gateway needs. */
export class GatewayConnection extends Connection {
  readonly route: Route;
  /** What the connection is counted in; released when it closes. */
  readonly permit: ConnectionPermit;
  phase: ConnectionPhase = 'authenticating';
  /** Frames the client has sent. */
  received = 0;
  /** Invalid messages in a row. */
  consecutiveErrors = 0;
  /** Bytes the client has sent since the connection was closed. */
  ignoredBytes = 0;
  /** The code the connection was closed with for a frame that breaks RFC 6455 or a limit. */
  faultCode: number | undefined;
  /** What is left of the rate limit. Kept by `RateLimiter`. */
  readonly allowance: Allowance;
  /** The tick of the last sign of life. Kept by `Heartbeat`. */
  seenAtTick = 0;
  heartbeatBucket = 0;
  /** Resolves when the running `handleConnection` or `handleRefresh` has ended; `undefined` when none runs. */
  runningHook: Promise<void> | undefined;

  constructor(
    route: Route,
    { permit, handshake }: Pick<Admitted, 'permit' | 'handshake'>,
    ws: WebSocketLike,
    socket: Duplex,
    { membership, sendQueues, receiveQueues, rateLimiter }: ConnectionShared,
  ) {
    const { params, ip } = handshake;
    const origin = {
      id: permit.connectionId,
      sessionId: randomUUID(),
      path: route.path.path,
      params,
      ip,
    };
    const queues = {
      send: new SendQueue(ws, socket, sendQueues),
      receive: new ReceiveQueue(ws, receiveQueues),
    };
    super(origin, ws, queues, membership);
    this.route = route;
    this.permit = permit;
    this.allowance = rateLimiter.start();
  }
}
