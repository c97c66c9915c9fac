import type { IncomingMessage } from 'node:http';
import type { Identity, PathParams } from '../../connections/connection.js';
import type { Authentication, AuthResult } from '../identity/authentication.js';
import { hasValidSubprotocols, readHandshake, type Handshake } from '../identity/handshake.js';
import { networkOf } from './client-network.js';
import type { ConnectionLimits, ConnectionPermit } from './connection-limits.js';
import type { HandshakeQueue } from './handshake-queue.js';
import type { OriginPolicy } from './origin-policy.js';
import type { UpgradeLog } from './upgrade-log.js';
import {
  GONE,
  hasHungUp,
  PASSED,
  rejected,
  type Checked,
  type UpgradeRejection,
} from './upgrade-rejection.js';

export interface AdmissionSettings {
  readonly tokenCookie: string | false;
  /** Whether a client without a token may still send `$auth` once it is connected. */
  readonly offersFirstMessageAuth: boolean;
  readonly clientIp: (request: IncomingMessage) => string;
}

export const ADMISSION_DEFAULTS: Pick<AdmissionSettings, 'tokenCookie'> = { tokenCookie: false };

/** A client that may connect; without an identity it has to send `$auth` first. */
export interface Admitted {
  readonly ok: true;
  readonly permit: ConnectionPermit;
  readonly handshake: Handshake;
  readonly identity: Identity | undefined;
}

/** What admission needs to know about the requested path. */
export interface Destination {
  readonly params: PathParams;
  /** Whether the path is for authenticated clients alone. */
  readonly needsUser: boolean;
}

type Authenticated = Pick<Admitted, 'handshake' | 'identity'>;

const BAD_REQUEST = rejected({ reason: 'bad_request', status: 400, message: 'not a WebSocket upgrade' });
const FAILURE = rejected({ reason: 'failure', status: 500, message: 'internal error' });
const TOO_SLOW = rejected({
  reason: 'handshake_timeout',
  status: 503,
  message: 'authentication took too long',
  retryAfter: 5,
});
const DRAINING = rejected({
  reason: 'draining',
  status: 503,
  message: 'the server is restarting',
  retryAfter: 1,
});
const NOT_AUTHENTICATED: UpgradeRejection = {
  reason: 'token',
  status: 401,
  message: 'authentication is required',
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

/** Checks upgrade requests before a WebSocket exists: cheap checks first, the app's `authenticate` last. */
export class Admission {
  #isClosed = false;

  constructor(
    private readonly origins: OriginPolicy,
    private readonly limits: ConnectionLimits,
    private readonly queue: HandshakeQueue,
    private readonly authentication: Authentication,
    private readonly settings: AdmissionSettings,
    private readonly log: UpgradeLog,
  ) {}

  /** Refuses every request from now on; the node drains. */
  close(): void {
    this.#isClosed = true;
    this.queue.close();
  }

  /** Whether the client may connect. Who gets a permit has to release it. Never rejects. */
  async admit(request: IncomingMessage, destination: Destination): Promise<Checked<Admitted>> {
    const startedAt = performance.now();
    const ip = this.settings.clientIp(request);
    const result = await this.#admit(request, destination, ip).catch((error: unknown) => {
      this.log.failed(error);
      return FAILURE;
    });
    this.log.decided(startedAt);
    return result.ok ? result : this.#reject(request, result, ip);
  }

  /** The last check, in the turn in which the socket opens: the drain may have begun since `admit`. */
  confirm(request: IncomingMessage, admitted: Admitted): Checked<Admitted> {
    if (!this.#isClosed) return admitted;
    admitted.permit.release();
    return this.#reject(request, DRAINING, admitted.handshake.ip);
  }

  #reject<Result extends { readonly rejection: UpgradeRejection }>(
    request: IncomingMessage,
    result: Result,
    ip: string,
  ): Result {
    this.log.rejected(request, result.rejection, ip, () => this.origins.expected(request));
    return result;
  }

  async #admit(request: IncomingMessage, destination: Destination, ip: string): Promise<Checked<Admitted>> {
    if (this.#isClosed) return DRAINING;
    if (!isUpgrade(request)) return BAD_REQUEST;
    const origin = await this.origins.check(request);
    if (!origin.ok) return origin;
    if (hasHungUp(request.socket)) return GONE;
    const acquired = await this.limits.acquire(ip);
    if (!acquired.ok) return acquired;
    const { permit } = acquired;
    let isAdmitted = false;
    try {
      const authenticated = await this.#authenticate(request, destination, ip);
      if (!authenticated.ok) return authenticated;
      const { handshake, identity } = authenticated;
      const counted = await this.#count(permit, identity);
      if (!counted.ok) return counted;
      isAdmitted = true;
      return { ok: true, permit, handshake, identity };
    } finally {
      // Release the permit also if the client disconnected during authentication.
      if (!isAdmitted) permit.release();
    }
  }

  async #authenticate(
    request: IncomingMessage,
    { params, needsUser }: Destination,
    ip: string,
  ): Promise<Checked<Authenticated>> {
    // The client may have hung up while Redis was asked.
    if (hasHungUp(request.socket)) return GONE;
    const handshake = readHandshake(request, params, ip, this.settings.tokenCookie);
    if (!this.authentication.isRequired && handshake.ticket === undefined && !needsUser) {
      return { ok: true, handshake, identity: {} };
    }
    const turn = await this.queue.enter(request.socket, networkOf(ip));
    if (!turn.ok) return turn;
    const result = await this.authentication
      .authenticate(handshake, needsUser)
      .finally(() => this.queue.leave());
    return this.#authenticated(handshake, result);
  }

  #authenticated(handshake: Handshake, result: AuthResult): Checked<Authenticated> {
    if (result.outcome === 'late') return TOO_SLOW;
    // Logged by `Authentication`.
    if (result.outcome === 'failed') return FAILURE;
    if (result.outcome === 'accepted') return { ok: true, handshake, identity: result.identity };
    const maySendAuth =
      this.settings.offersFirstMessageAuth && handshake.token === undefined && handshake.ticket === undefined;
    if (maySendAuth && !(result.outcome === 'unavailable' && result.isOutage)) {
      return { ok: true, handshake, identity: undefined };
    }
    const cause = result.reason;
    if (result.outcome === 'refused') return rejected({ ...NOT_AUTHENTICATED, cause });
    return rejected({ ...(result.of === 'tickets' ? NO_TICKETS : NO_AUTHENTICATION), cause });
  }

  /** Counts the client with its user, or as unauthenticated. The drain may have begun during authentication. */
  async #count(permit: ConnectionPermit, identity: Identity | undefined): Promise<Checked> {
    if (identity !== undefined) {
      const counted = await permit.identify(identity.userId);
      if (!counted.ok) return counted;
    }
    if (this.#isClosed) return DRAINING;
    return identity === undefined ? permit.awaitAuthentication() : PASSED;
  }
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
