import { isObservable, type Observable } from 'rxjs';

/** What a handler returns for a streamed reply. */
export type ReplySource = Observable<unknown> | AsyncIterable<unknown>;

// An app may return anything, a Proxy included, so these functions may throw.

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
