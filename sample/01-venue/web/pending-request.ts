import type { RealtimeClient } from 'nestjs-realtime/client';
import type { venue } from '../src/contract.js';

/** Shown while a request waits for a connection. */
export const NOT_CONNECTED =
  'No connection right now. This is sent when the connection is back, and the result appears here.';

/** Waits for a reply; calls back once if there is no connection meanwhile. */
export async function awaitReply<Reply>(
  client: RealtimeClient<typeof venue>,
  reply: Promise<Reply>,
  onDisconnected: () => void,
): Promise<Reply> {
  const check = () => {
    if (client.state.status === 'connected') return;
    stop();
    onDisconnected();
  };
  const stop = client.onStateChange(check);
  check();
  try {
    return await reply;
  } finally {
    stop();
  }
}
