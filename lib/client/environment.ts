/** The part of a WebSocket that is used: the browser's, Node's, Bun's, Deno's, React Native's and `ws` all have it. */
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

/** Time as the client sees it; `now` must go on while the machine sleeps, as `Date.now` does. */
export interface Clock {
  now(): number;
  setTimeout(callback: () => void, delayMs: number): unknown;
  clearTimeout(timer: unknown): void;
}

/** What is needed of an `AbortSignal`; declared here because not every runtime's types know one. */
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

/** Global names that exist in some of the places the client runs in. */
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

/** The longest delay a timer can hold; a longer one would fire at once. */
export const LONGEST_MS = 0x7fffffff;

/** Looks the timers up at each call, so that fake timers installed later are used too. `Infinity` is never. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, delayMs) =>
    delayMs === Infinity ? {} : scope.setTimeout(callback, Math.min(delayMs, LONGEST_MS)),
  clearTimeout: (timer) => scope.clearTimeout(timer),
};

/** Makes the absolute ws(s) address of `/ws`, `https://…` or `wss://…`. */
export function resolveUrl(url: string): string {
  // React Native's URL is incomplete, and not needed for an address that is absolute already.
  if (/^wss?:/.test(url)) return url;
  // A worker made of a blob lives at `blob:https://host/…`.
  const base = scope.location?.href.replace(/^blob:/, '');
  return new scope.URL(url, base).href.replace(/^http/, 'ws');
}

/** PendingRequests back when the signal aborts from now on; the returned function ends that. */
export function onAbort(signal: AbortSignalLike | undefined, act: (reason: unknown) => void): () => void {
  if (signal === undefined) return () => undefined;
  const listener = () => act(signal.reason);
  signal.addEventListener('abort', listener);
  return () => signal.removeEventListener('abort', listener);
}
