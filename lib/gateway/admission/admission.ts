import type { IncomingMessage } from 'node:http';
import type { LoggerService } from '@nestjs/common';
import type { Identity } from '../../connections/connection.js';
import type { RealtimeMetrics } from '../../metrics/realtime-metrics.js';
import type { Refusals } from '../../metrics/refusals.js';
import type { Authentication } from '../identity/authentication.js';
import { networkOf } from './client-network.js';
import { ConnectionPermit, type ConnectionLimits } from './connection-limits.js';
import type { PathParams } from '../../connections/connection.js';
import { hasValidSubprotocols, readHandshake, type Handshake } from '../identity/handshake.js';
import type { HandshakeQueue } from './handshake-queue.js';
import type { OriginPolicy } from './origin-policy.js';
import { refusalLine } from './upgrade-log.js';
import { GONE, hasHungUp, type UpgradeRejection } from './upgrade-rejection.js';

export interface AdmissionSettings {
  readonly tokenCookie: string | false;
  /** Whether a client without a token may still say `$auth` once it is connected. */
  readonly offersFirstMessageAuth: boolean;
  readonly clientIp: (request: IncomingMessage) => string;
}

/** A client that may come in; without an identity it has to say `$auth` first. */
export interface Admitted {
  readonly handshake: Handshake;
  readonly identity: Identity | undefined;
}

/** What of its path counts for a client that wants in. */
export interface Destination {
  readonly params: PathParams;
  /** Whether the path is for authenticated clients alone. */
  readonly needsUser: boolean;
}

/** Makes a WebSocket of the client's socket, with its permit; false when that is gone. */
export type Open = (admitted: Admitted, permit: ConnectionPermit) => boolean;

const BAD_REQUEST: UpgradeRejection = {
  reason: 'bad_request',
  status: 400,
  message: 'not a WebSocket upgrade',
};
const FORBIDDEN_ORIGIN: UpgradeRejection = { reason: 'origin', status: 403, message: 'origin not allowed' };
const NOT_AUTHENTICATED: UpgradeRejection = {
  reason: 'token',
  status: 401,
  message: 'authentication is required',
};
const FAILURE: UpgradeRejection = { reason: 'failure', status: 500, message: 'internal error' };
const TOO_SLOW: UpgradeRejection = {
  reason: 'handshake_timeout',
  status: 503,
  message: 'authentication took too long',
  retryAfter: 5,
};
const NO_TICKETS: UpgradeRejection = {
  reason: 'tickets_unavailable',
  status: 503,
  message: 'tickets cannot be checked',
  retryAfter: 5,
};
const NO_AUTHENTICATION: UpgradeRejection = {
  reason: 'auth_unavailable',
  status: 503,
  message: 'authentication is not available',
  retryAfter: 5,
};
const DRAINING: UpgradeRejection = {
  reason: 'draining',
  status: 503,
  message: 'the server restarts',
  retryAfter: 1,
};

/** Decides about upgrade requests before a WebSocket exists: cheap questions first, the app's `authenticate` last. */
export class Admission {
  #isClosed = false;

  constructor(
    private readonly origins: OriginPolicy,
    private readonly limits: ConnectionLimits,
    private readonly queue: HandshakeQueue,
    private readonly authentication: Authentication,
    private readonly settings: AdmissionSettings,
    private readonly metrics: RealtimeMetrics,
    private readonly refusals: Refusals,
    private readonly logger: LoggerService,
  ) {}

  /** From now on everyone is sent elsewhere; the node drains. */
  close(): void {
    this.#isClosed = true;
    this.queue.close();
  }

  /** Either lets the client in through `open` or says why not. Never rejects. */
  async judge(
    request: IncomingMessage,
    destination: Destination,
    open: Open,
  ): Promise<UpgradeRejection | undefined> {
    const startedAt = performance.now();
    const ip = this.settings.clientIp(request);
    const refusal = await this.#judge(request, destination, ip, open).catch((error: unknown) => {
      this.logger.error(error);
      return FAILURE;
    });
    this.metrics.handshakeDuration.observe((performance.now() - startedAt) / 1_000);
    if (refusal !== undefined) {
      this.refusals.upgrade(refusal.reason, () =>
        refusalLine(request, refusal, ip, () => this.origins.expected(request)),
      );
    }
    return refusal;
  }

  async #judge(
    request: IncomingMessage,
    { params, needsUser }: Destination,
    ip: string,
    open: Open,
  ): Promise<UpgradeRejection | undefined> {
    const { socket } = request;
    if (this.#isClosed) return DRAINING;
    if (!isUpgrade(request)) return BAD_REQUEST;
    const isAllowed = await this.origins.allows(request);
    if (isAllowed === 'late') return { ...TOO_SLOW, cause: 'the function in origins did not answer' };
    if (!isAllowed) return FORBIDDEN_ORIGIN;
    if (hasHungUp(socket)) return GONE;
    const permit = await this.limits.enter(ip);
    if (!(permit instanceof ConnectionPermit)) return permit;
    let isIn = false;
    try {
      // Redis was asked: nothing is done for a client that did not wait for it.
      if (hasHungUp(socket)) return GONE;
      const verdict = await this.#handshake(
        readHandshake(request, params, ip, this.settings.tokenCookie),
        needsUser,
      );
      if (isRefusal(verdict)) return verdict;
      const refusal = await this.#place(verdict, permit);
      // Nothing awaits between the last question and the open socket: nobody else can come in between.
      if (refusal === undefined) isIn = open(verdict, permit);
      return refusal;
    } finally {
      // The permit of a client that has gone while the app was thinking is free as well.
      if (!isIn) permit.leave();
    }
  }

  async #handshake(handshake: Handshake, needsUser: boolean): Promise<Admitted | UpgradeRejection> {
    if (!this.authentication.isRequired && handshake.ticket === undefined && !needsUser) {
      return { handshake, identity: {} };
    }
    const turnedAway = await this.queue.enter(handshake.request.socket, networkOf(handshake.ip));
    if (turnedAway !== undefined) return turnedAway;
    const verdict = await this.authentication.judge(handshake, needsUser).finally(() => this.queue.leave());
    if (verdict.outcome === 'late') return TOO_SLOW;
    // Said in the log already.
    if (verdict.outcome === 'failed') return FAILURE;
    if (verdict.outcome === 'accepted') return { handshake, identity: verdict.identity };
    const cause = verdict.reason;
    const maySayLater =
      this.settings.offersFirstMessageAuth && handshake.token === undefined && handshake.ticket === undefined;
    if (maySayLater && !(verdict.outcome === 'unavailable' && verdict.isOutage)) {
      return { handshake, identity: undefined };
    }
    if (verdict.outcome === 'refused') return { ...NOT_AUTHENTICATED, cause };
    return { ...(verdict.of === 'tickets' ? NO_TICKETS : NO_AUTHENTICATION), cause };
  }

  /** Counts the client among those like it. What can have changed while the app was asked is looked at last. */
  async #place({ identity }: Admitted, permit: ConnectionPermit): Promise<UpgradeRejection | undefined> {
    if (identity !== undefined) {
      const refusal = await permit.identify(identity.userId);
      if (refusal !== undefined) return refusal;
    }
    if (this.#isClosed) return DRAINING;
    return identity === undefined ? permit.awaitAuthentication() : undefined;
  }
}

function isRefusal(verdict: Admitted | UpgradeRejection): verdict is UpgradeRejection {
  return 'reason' in verdict;
}

/** RFC 6455 §4.2.1; `ws` checks this too, but only after the app has been asked. */
function isUpgrade(request: IncomingMessage): boolean {
  const { method, headers } = request;
  const key = headers['sec-websocket-key'];
  const version = headers['sec-websocket-version'];
  return (
    method === 'GET' &&
    headers.upgrade?.toLowerCase() === 'websocket' &&
    key !== undefined &&
    /^[+/0-9A-Za-z]{22}==$/.test(key) &&
    (version === '13' || version === '8') &&
    hasValidSubprotocols(request)
  );
}
