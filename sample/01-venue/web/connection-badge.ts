import { find } from './element.js';
import type { Standing } from './standing.js';

const SHORT_NAME = 4;

/** Says whether what you see is what is true, when that is tried again, and which node of the house serves you. */
export class ConnectionBadge {
  #countdown: number | undefined;
  readonly #badge = find('connection', HTMLElement);
  readonly #text = find('connection-text', HTMLElement);
  readonly #spoken = find('connection-spoken', HTMLElement);
  readonly #node = find('connection-node', HTMLElement);
  readonly #retry = find('connection-retry', HTMLButtonElement);

  constructor(private readonly onRetry: () => void) {}

  show(standing: Standing): void {
    const { status } = standing;
    const isAway = status === 'reconnecting' || status === 'connecting';
    window.clearInterval(this.#countdown);
    this.#badge.dataset['state'] = status;
    this.#node.textContent = status === 'live' ? nodeOf(standing.connectionId) : '';
    this.#retry.hidden = status !== 'closed' && status !== 'reconnecting';
    this.#retry.textContent = status === 'closed' ? 'Sign in again' : 'Try now';
    this.#retry.onclick = status === 'closed' ? () => location.reload() : this.onRetry;
    this.#speak(spoken(standing));
    this.#write(standing);
    if (isAway && standing.retryInMs > 0) {
      this.#countdown = window.setInterval(() => this.#write(standing), 250);
    }
  }

  // Seen only: a screen reader that counted down aloud would drown everything else.
  #write(standing: Standing): void {
    this.#text.textContent = written(standing);
  }

  // The same words once more would be read aloud once more.
  #speak(words: string): void {
    if (this.#spoken.textContent !== words) this.#spoken.textContent = words;
  }
}

function written(standing: Standing): string {
  switch (standing.status) {
    case 'idle':
      return 'Not connected';
    case 'connecting':
      return standing.retryInMs > 0 ? `Connecting in ${secondsUntil(standing.retryAt)} s` : 'Connecting';
    case 'catching up':
      return 'Reading the floor';
    case 'live':
      return 'Live';
    case 'reconnecting':
      return standing.retryInMs > 0 ? `Reconnecting in ${secondsUntil(standing.retryAt)} s` : 'Reconnecting';
    case 'closed':
      return 'Signed out';
  }
}

function spoken(standing: Standing): string {
  switch (standing.status) {
    case 'idle':
    case 'connecting':
      return 'Connecting to the house.';
    case 'catching up':
      return 'Connected. Reading the floor.';
    case 'live':
      return 'Connected. You see the floor live.';
    case 'reconnecting':
      return 'Connection lost. Reconnecting; what you see may be out of date.';
    case 'closed':
      return `Signed out. ${standing.reason}`;
  }
}

function secondsUntil(moment: number): number {
  return Math.max(0, Math.ceil((moment - Date.now()) / 1000));
}

/** The id of a connection begins with the name of its node, and a dot. */
function nodeOf(connectionId: string): string {
  return connectionId.split('.', 1).join().slice(0, SHORT_NAME);
}
