import type { Notification } from '../src/contract.js';
import type { StaffMember } from '../src/venue-file.js';
import { element, find } from './element.js';
import type { VenueApi } from './venue-api.js';
import { errorText } from './error-text.js';
import { nameOf, when } from './labels.js';

const TOAST_MS = 8_000;

/** Messages between colleagues: toasts, a list, and a form to send one. */
export class Messages {
  readonly #list = find('message-list', HTMLUListElement);
  readonly #none = find('no-messages', HTMLElement);
  readonly #toasts = find('toasts', HTMLElement);
  readonly #form = find('message-form', HTMLFormElement);
  readonly #to = find('message-to', HTMLSelectElement);
  readonly #text = find('message-text', HTMLInputElement);
  readonly #outcome = find('message-outcome', HTMLElement);

  constructor(
    private readonly api: VenueApi,
    private readonly staff: readonly StaffMember[],
    me: string,
  ) {
    for (const { userId } of staff) if (userId !== me) this.#offer(userId);
    this.#form.onsubmit = (event) => {
      event.preventDefault();
      void this.#send();
    };
  }

  receive({ text, from }: Notification): void {
    const sender = nameOf(from, this.staff);
    this.#none.hidden = true;
    this.#list.prepend(
      element(
        'li',
        {},
        element('span', { className: 'message-from', textContent: sender }),
        element('time', { textContent: when(new Date().toISOString()) }),
        element('p', { textContent: text }),
      ),
    );
    this.#toast(sender, text);
    if (from !== 'venue') this.#offer(from);
  }

  /** Shows an error that belongs to no form. */
  warn(text: string): void {
    this.#toast('Please note', text);
  }

  async #send(): Promise<void> {
    const to = this.#to.value;
    try {
      const { delivered } = await this.api.notify(to, this.#text.value.trim());
      const name = nameOf(to, this.staff);
      this.#outcome.textContent =
        delivered > 0 ? `${name} has received it.` : `${name} is not connected right now.`;
      this.#outcome.dataset['kind'] = delivered > 0 ? 'good' : 'bad';
      if (delivered > 0) this.#text.value = '';
    } catch (error) {
      this.#outcome.textContent = errorText(error);
      this.#outcome.dataset['kind'] = 'bad';
    }
  }

  #toast(sender: string, text: string): void {
    const toast = element(
      'div',
      { className: 'toast' },
      element('strong', { textContent: sender }),
      element('p', { textContent: text }),
    );
    this.#toasts.append(toast);
    window.setTimeout(() => toast.remove(), TOAST_MS);
  }

  #offer(userId: string): void {
    if ([...this.#to.options].some(({ value }) => value === userId)) return;
    this.#to.append(element('option', { value: userId, textContent: nameOf(userId, this.staff) }));
  }
}
