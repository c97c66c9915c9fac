/** The part of a WebSocket that is used; browsers, Node, Bun, Deno, React Native and `ws` have it. */
export interface WebSocketLike {
  readonly readyState: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(data: string): void;
  close(code?: number, reason?: string): void;
}

export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;

/** The client's source of time; `now` must advance while the machine sleeps, as `Date.now` does. */
export interface Clock {
  now(): number;
  setTimeout(callback: () => void, delayMs: number): unknown;
  clearTimeout(timer: unknown): void;
}

/** The part of an `AbortSignal` that is used; not every runtime declares the type. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason?: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

interface Listening {
  addEventListener?(type: string, listener: () => void): void;
  removeEventListener?(type: string, listener: () => void): void;
}

/** Globals that exist in some runtimes. */
interface Scope extends Listening {
  readonly WebSocket?: WebSocketConstructor;
  readonly document?: Listening & { readonly visibilityState: string };
  readonly location?: { readonly href: string };
  readonly URL: new (url: string, base?: string) => { readonly href: string };
  readonly TextEncoder: new () => { encode(text: string): { readonly length: number } };
  setTimeout(callback: () => void, delayMs: number): unknown;
  clearTimeout(timer: unknown): void;
}

export const scope = globalThis as unknown as Scope;

/** The longest delay of a timer; a longer one fires at once. */
export const LONGEST_MS = 0x7fffffff;

/** Looks timers up at each call, so that fake timers installed later work. A delay of `Infinity` never fires. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, delayMs) =>
    delayMs === Infinity ? {} : scope.setTimeout(callback, Math.min(delayMs, LONGEST_MS)),
  clearTimeout: (timer) => scope.clearTimeout(timer),
};

/** The absolute ws(s) address of `/ws`, `https://…` or `wss://…`. */
export function resolveUrl(url: string): string {
  // React Native's URL is incomplete, and an absolute address does not need it.
  if (/^wss?:/.test(url)) return url;
  // The address of a worker from a blob is `blob:https://host/…`.
  const base = scope.location?.href.replace(/^blob:/, '');
  return new scope.URL(url, base).href.replace(/^http/, 'ws');
}

/** Calls `act` when the signal aborts; the returned function removes the listener. */
export function onAbort(signal: AbortSignalLike | undefined, act: (reason: unknown) => void): () => void {
  const listener = () => act(signal!.reason);
  signal?.addEventListener('abort', listener);
  return () => signal?.removeEventListener('abort', listener);
}
