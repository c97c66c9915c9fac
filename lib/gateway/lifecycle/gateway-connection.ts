import {
  Connection,
  type ConnectionOrigin,
  type ConnectionQueues,
  type RoomMembership,
} from '../../connections/connection.js';
import type { HandleFrame } from '../../connections/receive-queue.js';
import type { WebSocketLike } from '../../connections/send-queue.js';
import type { ClientFrame } from '../../protocol/envelope.js';
import type { ConnectionPermit } from '../admission/connection-limits.js';
import type { Allowance } from './rate-limiter.js';
import type { Route } from '../routing/route.js';

/** `authenticating` until known, `opening` until `handleConnection` is done, then `open`. */
export type ConnectionPhase = 'authenticating' | 'opening' | 'open' | 'closed';

/** A connection with what only the gateway needs to know of it. */
export class GatewayConnection extends Connection {
  readonly route: Route;
  /** The counts it takes, to be given back at its end. */
  readonly permit: ConnectionPermit;
  /** What the receive queue is opened with. */
  readonly handleFrame: HandleFrame;
  phase: ConnectionPhase = 'authenticating';
  /** Frames it has sent so far. */
  received = 0;
  /** Frames in a row that were no messages. */
  consecutiveErrors = 0;
  /** What it has sent since it was closed. */
  ignoredBytes = 0;
  /** The code it was closed with for a frame that breaks RFC 6455 or a limit. */
  faultCode: number | undefined;
  /** What is left of its rate limit, and when it was last topped up. Kept by `RateLimiter`. */
  readonly allowance: Allowance;
  /** The tick of the last sign of life. Kept by `Heartbeat`. */
  seenAtTick = 0;
  heartbeatBucket = 0;
  /** Whether it is known who this is; until then `onIdentified` keeps what waits for that. */
  isIdentified = false;
  onIdentified: (() => void) | undefined;
  /** Resolves when the `handleConnection` or `handleRefresh` that runs has ended; `undefined` when none does. */
  runningHook: Promise<void> | undefined;

  constructor(
    origin: ConnectionOrigin,
    ws: WebSocketLike,
    queues: ConnectionQueues,
    membership: RoomMembership,
    route: Route,
    permit: ConnectionPermit,
    allowance: Allowance,
    handle: (connection: GatewayConnection, frame: ClientFrame) => void | Promise<void>,
  ) {
    super(origin, ws, queues, membership);
    this.route = route;
    this.permit = permit;
    this.allowance = allowance;
    this.handleFrame = (frame) => handle(this, frame);
  }
}
