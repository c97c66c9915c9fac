import type { IncomingMessage } from 'node:http';
import { PASSED, rejected, type Checked } from './upgrade-rejection.js';

/** The pages that may connect: those of the same host, a list (`https://app.example.com`), a function, or `false` for all. */
export type Origins =
  | 'same-host'
  | readonly string[]
  | ((origin: string, request: IncomingMessage) => boolean | Promise<boolean>)
  | false;

export interface OriginSettings {
  readonly origins: Origins;
  readonly allowMissingOrigin: boolean;
  /** How long a function in `origins` may take. */
  readonly handshakeTimeoutMs: number;
}

export const ORIGIN_DEFAULTS: Pick<OriginSettings, 'origins' | 'allowMissingOrigin'> = {
  origins: 'same-host',
  allowMissingOrigin: true,
};

const FORBIDDEN: Checked = rejected({ reason: 'origin', status: 403, message: 'origin not allowed' });

const TOO_SLOW: Checked = rejected({
  reason: 'handshake_timeout',
  status: 503,
  message: 'authentication took too long',
  retryAfter: 5,
  cause: 'the function in origins did not return in time',
});

/**
 * Prevents cross-site WebSocket hijacking (CWE-1385): CORS does not apply to WebSockets, so the Origin header is the only
 * protection of a visitor's cookies.
 */
export class OriginPolicy {
  constructor(private readonly settings: OriginSettings) {}

  /** What the Origin is compared with, for the log. */
  expected({ headers }: IncomingMessage): string {
    const { origins } = this.settings;
    if (origins === 'same-host') return `host ${headers.host ?? 'missing'}`;
    return typeof origins === 'object' ? origins.join(' ') : 'a function';
  }

  check(request: IncomingMessage): Checked | Promise<Checked> {
    const { origins, allowMissingOrigin } = this.settings;
    if (origins === false) return PASSED;
    const { origin } = request.headers;
    if (origin === undefined) return checked(allowMissingOrigin);
    if (typeof origins === 'function') return this.#returned(origins(origin, request));
    if (origins === 'same-host') return checked(isSameHost(origin, request.headers.host));
    return checked(origins.includes(origin));
  }

  #returned(result: unknown): Checked | Promise<Checked> {
    if (typeof result !== 'object') return checked(result);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => resolve(TOO_SLOW), this.settings.handshakeTimeoutMs);
      timer.unref();
      Promise.resolve(result)
        .then((allowed: unknown) => resolve(checked(allowed)), reject)
        .finally(() => clearTimeout(timer));
    });
  }
}

// Only `true` allows: a function that forgot its `return` allows no page.
function checked(isAllowed: unknown): Checked {
  return isAllowed === true ? PASSED : FORBIDDEN;
}

// A page on the web. Hosts of other schemes, such as those of packaged apps, can be chosen freely.
const WEB_ORIGIN = /^https?:\/\/[^/?#@\\]+$/i;
const HOST = /^[^/?#@\\]+$/;

function isSameHost(origin: string, host: string | undefined): boolean {
  if (host === undefined || !HOST.test(host) || !WEB_ORIGIN.test(origin)) return false;
  try {
    const page = new URL(origin);
    // Parsed with the page's scheme, so that a default port is none on both sides.
    return page.host === new URL(`${page.protocol}//${host}`).host;
  } catch {
    return false;
  }
}

/** Whether a text can be what a browser sends as Origin: `https://app.example.com`, without a path or a default port. */
export function isOrigin(text: unknown): boolean {
  if (typeof text !== 'string') return false;
  if (/^https?:/.test(text)) return URL.canParse(text) && new URL(text).origin === text;
  // Apps of the shape `capacitor://localhost`, and `null` for sandboxed and local pages.
  return text === 'null' || /^[a-z][a-z\d+.-]*:\/\/[^/?#@\s]+$/.test(text);
}
