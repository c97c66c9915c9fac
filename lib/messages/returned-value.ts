import { isObservable, type Observable } from 'rxjs';

/** A reply that comes in parts, as a handler returns it. */
export type ReplySource = Observable<unknown> | AsyncIterable<unknown>;

// What an app returns may be anything, a Proxy too: these may throw, as reading it may.

export function isReplySource(value: unknown): value is ReplySource {
  return isObservable(value) || isAsyncIterable(value);
}

export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}
