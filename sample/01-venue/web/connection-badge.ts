import type { ConnectionState } from './connection.js';
import { find } from './element.js';

const SHORT_NAME = 4;

/** Says whether what you see is what is true, and which node of the house says so. */
export class ConnectionBadge {
  #countdown: number | undefined;
  readonly #badge = find('connection', HTMLElement);
  readonly #text = find('connection-text', HTMLElement);
  readonly #spoken = find('connection-spoken', HTMLElement);
  readonly #node = find('connection-node', HTMLElement);
  readonly #retry = find('connection-retry', HTMLButtonElement);

  constructor(onRetry: () => void) {
    this.#retry.onclick = onRetry;
  }

  show(state: ConnectionState): void {
    window.clearInterval(this.#countdown);
    this.#badge.dataset['state'] = state.name;
    this.#node.textContent = state.name === 'live' ? state.node.slice(0, SHORT_NAME) : '';
    this.#retry.hidden = state.name !== 'reconnecting' && state.name !== 'signed out';
    this.#retry.textContent = state.name === 'signed out' ? 'Sign in again' : 'Try now';
    this.#spoken.textContent = spoken(state);
    this.#write(state);
    if (state.name === 'reconnecting') this.#countdown = window.setInterval(() => this.#write(state), 500);
  }

  // Seen only: a screen reader that counted down aloud would drown everything else.
  #write(state: ConnectionState): void {
    this.#text.textContent =
      state.name === 'reconnecting'
        ? `Reconnecting in ${Math.max(0, Math.ceil((state.at - Date.now()) / 1000))} s`
        : { connecting: 'Connecting', live: 'Live', 'signed out': 'Signed out' }[state.name];
  }
}

function spoken(state: ConnectionState): string {
  switch (state.name) {
    case 'connecting':
      return 'Connecting to the house.';
    case 'live':
      return 'Connected. You see the floor live.';
    case 'reconnecting':
      return 'Connection lost. Reconnecting; what you see may be out of date.';
    case 'signed out':
      return `Signed out. ${state.why}`;
  }
}
