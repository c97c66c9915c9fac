import { scope } from './environment.js';

/** Reports that the page, the worker or the network may have resumed, or gone offline. Where no such event exists nothing happens. */
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
