import { find } from './element.js';
import type { PageStatus } from './page-status.js';

const SHORT_NAME = 4;

/** Shows whether the page is up to date, when the next retry is, and which node serves it. */
export class ConnectionBadge {
  #countdown: number | undefined;
  readonly #badge = find('connection', HTMLElement);
  readonly #text = find('connection-text', HTMLElement);
  readonly #announced = find('connection-spoken', HTMLElement);
  readonly #node = find('connection-node', HTMLElement);
  readonly #retry = find('connection-retry', HTMLButtonElement);

  constructor(private readonly onRetry: () => void) {}

  show(pageStatus: PageStatus): void {
    const { status } = pageStatus;
    const isAway = status === 'reconnecting' || status === 'connecting';
    window.clearInterval(this.#countdown);
    this.#badge.dataset['state'] = status;
    this.#node.textContent = status === 'live' ? nodeOf(pageStatus.connectionId) : '';
    this.#retry.hidden = status !== 'closed' && status !== 'reconnecting';
    this.#retry.textContent = status === 'closed' ? 'Sign in again' : 'Try now';
    this.#retry.onclick = status === 'closed' ? () => location.reload() : this.onRetry;
    this.#announce(announcement(pageStatus));
    this.#write(pageStatus);
    if (isAway && pageStatus.retryInMs > 0) {
      this.#countdown = window.setInterval(() => this.#write(pageStatus), 250);
    }
  }

  // Not announced: a screen reader would read every second of the countdown.
  #write(pageStatus: PageStatus): void {
    this.#text.textContent = visibleText(pageStatus);
  }

  // Setting the same text again would announce it again.
  #announce(text: string): void {
    if (this.#announced.textContent !== text) this.#announced.textContent = text;
  }
}

function visibleText(pageStatus: PageStatus): string {
  switch (pageStatus.status) {
    case 'idle':
      return 'Not connected';
    case 'connecting':
      return pageStatus.retryInMs > 0 ? `Connecting in ${secondsUntil(pageStatus.retryAt)} s` : 'Connecting';
    case 'catching up':
      return 'Reading the floor';
    case 'live':
      return 'Live';
    case 'reconnecting':
      return pageStatus.retryInMs > 0
        ? `Reconnecting in ${secondsUntil(pageStatus.retryAt)} s`
        : 'Reconnecting';
    case 'closed':
      return 'Signed out';
  }
}

function announcement(pageStatus: PageStatus): string {
  switch (pageStatus.status) {
    case 'idle':
    case 'connecting':
      return 'Connecting to the api.';
    case 'catching up':
      return 'Connected. Reading the floor.';
    case 'live':
      return 'Connected. You see the floor live.';
    case 'reconnecting':
      return 'Connection lost. Reconnecting; what you see may be out of date.';
    case 'closed':
      return `Signed out. ${pageStatus.reason}`;
  }
}

function secondsUntil(moment: number): number {
  return Math.max(0, Math.ceil((moment - Date.now()) / 1000));
}

/** A connection id starts with the id of its node and a dot. */
function nodeOf(connectionId: string): string {
  return connectionId.split('.', 1).join().slice(0, SHORT_NAME);
}
