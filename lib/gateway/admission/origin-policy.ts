import type { IncomingMessage } from 'node:http';

/**
 * Which pages may connect: those of the same host, those listed (`https://app.example.com`), what a function says, or
 * with `false` all of them.
 */
export type Origins =
  | 'same-host'
  | readonly string[]
  | ((origin: string, request: IncomingMessage) => boolean | Promise<boolean>)
  | false;

/**
 * Keeps other sites' pages from using a visitor's cookies: CORS does not apply to WebSockets, the Origin header is all
 * there is (CWE-1385, cross-site WebSocket hijacking).
 */
export class OriginPolicy {
  constructor(
    private readonly origins: Origins,
    private readonly allowMissing: boolean,
    private readonly timeoutMs: number,
  ) {}

  /** What the Origin is compared with, for the log. */
  expected({ headers }: IncomingMessage): string {
    const { origins } = this;
    if (origins === 'same-host') return `host ${headers.host ?? 'missing'}`;
    return typeof origins === 'object' ? origins.join(' ') : 'a function';
  }

  /** `late` when the app's function does not answer in time. */
  allows(request: IncomingMessage): boolean | Promise<boolean | 'late'> {
    const { origins } = this;
    if (origins === false) return true;
    const { origin } = request.headers;
    if (origin === undefined) return this.allowMissing;
    if (typeof origins === 'function') return this.#ask(origins(origin, request));
    if (origins === 'same-host') return isSameHost(origin, request.headers.host);
    return origins.includes(origin);
  }

  #ask(answer: unknown): boolean | Promise<boolean | 'late'> {
    // Only `true` allows: a function that forgot its `return` lets no page in.
    if (typeof answer !== 'object') return answer === true;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => resolve('late'), this.timeoutMs);
      timer.unref();
      Promise.resolve(answer)
        .then((allowed: unknown) => resolve(allowed === true), reject)
        .finally(() => clearTimeout(timer));
    });
  }
}

// Of a page on the web. Other schemes, as those of packaged apps, have hosts that anyone may choose.
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
