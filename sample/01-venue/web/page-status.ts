import type { Connected, ConnectionState, RealtimeClient } from 'nestjs-realtime/client';
import type { venue } from '../src/contract.js';

/** Whether the page is up to date. It is `live` once the floor has been read on the current connection. */
export type PageStatus =
  | Exclude<ConnectionState, Connected>
  | { readonly status: 'catching up' }
  | { readonly status: 'live'; readonly connectionId: string };

const RETRY_MS = 1_000;

/** Reports every change of the status, and reads the floor after every connect, with retries. */
export function watchStatus(
  client: RealtimeClient<typeof venue>,
  readFloor: () => Promise<void>,
  onChange: (pageStatus: PageStatus) => void,
): void {
  client.onStateChange((state) => {
    if (state.status === 'connected') void catchUp(state);
    else onChange(state);
  });

  async function catchUp(state: Connected): Promise<void> {
    onChange({ status: 'catching up' });
    // Every change is a new object; a different one ends this loop.
    while (client.state === state) {
      try {
        await readFloor();
        if (client.state === state) onChange({ status: 'live', connectionId: state.connectionId });
        return;
      } catch {
        await new Promise((resolve) => window.setTimeout(resolve, RETRY_MS));
      }
    }
  }
}
