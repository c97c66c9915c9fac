import type { Connected, ConnectionState, RealtimeClient } from 'nestjs-realtime/client';
import type { venue } from '../src/contract.js';

/** How far a window can be trusted. It is `live` only once the floor has been read since the connection is there. */
export type Standing =
  | Exclude<ConnectionState, Connected>
  | { readonly status: 'catching up' }
  | { readonly status: 'live'; readonly connectionId: string };

const AGAIN_MS = 1_000;

/** Tells every change of it, and reads the floor after every connect, however often that takes. */
export function watchStanding(
  client: RealtimeClient<typeof venue>,
  readFloor: () => Promise<void>,
  tell: (standing: Standing) => void,
): void {
  client.onStateChange((state) => {
    if (state.status === 'connected') void catchUp(state);
    else tell(state);
  });

  async function catchUp(state: Connected): Promise<void> {
    tell({ status: 'catching up' });
    // Every change is a new object: once there is another, that one's turn has come.
    while (client.state === state) {
      try {
        await readFloor();
        if (client.state === state) tell({ status: 'live', connectionId: state.connectionId });
        return;
      } catch {
        await new Promise((resolve) => window.setTimeout(resolve, AGAIN_MS));
      }
    }
  }
}
