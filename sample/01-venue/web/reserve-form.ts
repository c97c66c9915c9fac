import { type Issue, RequestError } from 'nestjs-realtime/client';
import type { CreateReservation, Reservation } from '../src/contract.js';
import { element, find } from './element.js';
import type { Evening } from './evening.js';
import { NOT_CONNECTED } from './patience.js';
import { inWords } from './refusal.js';
import { when } from './wording.js';

const HALF_A_DAY_MS = 12 * 60 * 60 * 1000;

/**
 * The form to reserve. It checks nothing by itself: the contract's rules live on the server, and what they say
 * is shown at the field it is about.
 */
export class ReserveForm {
  #isWaiting = false;
  readonly #form = find('reserve-form', HTMLFormElement);
  readonly #submitButton = find('reserve-submit', HTMLButtonElement);
  readonly #outcome = find('reserve-outcome', HTMLElement);
  readonly #fields = {
    tableId: find('reserve-table', HTMLSelectElement),
    guestName: find('reserve-guest', HTMLInputElement),
    partySize: find('reserve-party', HTMLInputElement),
    at: find('reserve-time', HTMLInputElement),
  } satisfies Record<keyof CreateReservation, HTMLInputElement | HTMLSelectElement>;

  constructor(
    private readonly evening: Evening,
    private readonly send: (wish: CreateReservation, onAway: () => void) => Promise<Reservation>,
  ) {
    this.#fields.at.value = usualTime();
    this.#form.onsubmit = (event) => {
      event.preventDefault();
      if (!this.#isWaiting) void this.#submit();
    };
    evening.watch(() => this.#offerTables());
  }

  startAt(tableId: string): void {
    this.#fields.tableId.value = tableId;
    this.#fields.guestName.focus();
  }

  async #submit(): Promise<void> {
    const { tableId, guestName, partySize, at } = this.#fields;
    this.#showIssues([]);
    this.#say('', 'good');
    this.#wait(true);
    try {
      const wish = {
        tableId: tableId.value,
        guestName: guestName.value.trim(),
        partySize: Number(partySize.value),
        at: momentOf(at.value),
      };
      const made = await this.send(wish, () => this.#say(NOT_CONNECTED, 'waiting'));
      this.#say(`${made.guestName} is expected at ${when(made.at)}.`, 'good');
      guestName.value = '';
      guestName.focus();
    } catch (error) {
      const issues = (error instanceof RequestError && error.issues) || [];
      this.#say(issues.length > 0 ? 'Please look at the marked fields.' : inWords(error), 'bad');
      this.#showIssues(issues);
    } finally {
      this.#wait(false);
    }
  }

  // What is on its way stays in the fields until its answer comes; sent twice it would be asked for twice.
  #wait(isWaiting: boolean): void {
    this.#isWaiting = isWaiting;
    this.#submitButton.ariaDisabled = String(isWaiting);
    const { guestName, partySize, at } = this.#fields;
    for (const field of [guestName, partySize, at]) field.readOnly = isWaiting;
  }

  #showIssues(issues: readonly Issue[]): void {
    for (const [field, input] of Object.entries(this.#fields)) {
      const issue = issues.find(({ path }) => path === field);
      input.ariaInvalid = String(issue !== undefined);
      find(`${input.id}-issue`, HTMLElement).textContent = issue?.message ?? '';
    }
    this.#form.querySelector<HTMLElement>('[aria-invalid=true]')?.focus();
  }

  #say(text: string, kind: 'good' | 'bad' | 'waiting'): void {
    this.#outcome.textContent = text;
    this.#outcome.dataset['kind'] = kind;
  }

  #offerTables(): void {
    const select = this.#fields.tableId;
    if (select.childElementCount > 0) return; // the house does not move its tables while it is open
    for (const { id, number, seats } of this.evening.tables) {
      select.append(element('option', { value: id, textContent: `Table ${number} · ${seats} seats` }));
    }
  }
}

// The next half hour, or the first of the evening.
function usualTime(): string {
  const halfHourMs = 30 * 60 * 1000;
  const next = new Date(Math.ceil(Date.now() / halfHourMs) * halfHourMs);
  if (next.getHours() < 18) next.setHours(18, 0);
  return `${String(next.getHours()).padStart(2, '0')}:${String(next.getMinutes()).padStart(2, '0')}`;
}

// At ten in the evening, half past midnight is tomorrow.
function momentOf(timeOfDay: string): string {
  const [hours, minutes] = timeOfDay.split(':').map(Number);
  const moment = new Date();
  moment.setHours(hours ?? NaN, minutes ?? NaN, 0, 0);
  if (Number.isNaN(moment.getTime())) return '';
  if (Date.now() - moment.getTime() > HALF_A_DAY_MS) moment.setDate(moment.getDate() + 1);
  return moment.toISOString();
}
