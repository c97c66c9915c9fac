import type { RealtimeClient } from 'nestjs-realtime/client';
import type { venue } from '../src/contract.js';

/** For whoever asked something that has to wait. */
export const NOT_CONNECTED =
  'No connection right now. Once it is back, this goes on by itself and says what became of it.';

/** Waits for an answer; calls back, once, if there is no connection meanwhile. */
export async function patiently<Answer>(
  client: RealtimeClient<typeof venue>,
  answer: Promise<Answer>,
  onAway: () => void,
): Promise<Answer> {
  const look = () => {
    if (client.state.status === 'connected') return;
    stop();
    onAway();
  };
  const stop = client.onStateChange(look);
  look();
  try {
    return await answer;
  } finally {
    stop();
  }
}
