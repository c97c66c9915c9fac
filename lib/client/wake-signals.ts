import { scope } from './environment.js';

/**
 * PendingRequests back when the page, the worker or the network may have come back to life, or gone. These events promise
 * nothing, so whoever listens looks for himself. `freeze` needs no answer: `resume` and the wall clock tell how long
 * it was. Where none of them exists nothing happens.
 */
export function watchWakeSignals(onWake: () => void, onOffline: () => void): () => void {
  const { document } = scope;
  const whenVisible = () => {
    if (document?.visibilityState !== 'hidden') onWake();
  };
  const watched = [
    [scope, 'online', onWake],
    [scope, 'offline', onOffline],
    [scope, 'pageshow', onWake],
    [document, 'resume', onWake],
    [document, 'visibilitychange', whenVisible],
  ] as const;
  const each = (method: 'addEventListener' | 'removeEventListener') => {
    for (const [target, type, listener] of watched) target?.[method]?.(type, listener);
  };
  each('addEventListener');
  return () => each('removeEventListener');
}
