import { type Issue, RequestError } from 'nestjs-realtime/client';
import type { CreateReservation, Reservation } from '../src/contract.js';
import { element, find } from './element.js';
import type { FloorState } from './floor-state.js';
import { NOT_CONNECTED } from './pending-request.js';
import { errorText } from './error-text.js';
import { when } from './labels.js';

const HALF_A_DAY_MS = 12 * 60 * 60 * 1000;

/**
 * The reservation form. It validates nothing itself: the server validates by the contract, and each issue is shown at
 * its field.
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
    private readonly floor: FloorState,
    private readonly send: (request: CreateReservation, onDisconnected: () => void) => Promise<Reservation>,
  ) {
    this.#fields.at.value = usualTime();
    this.#form.onsubmit = (event) => {
      event.preventDefault();
      if (!this.#isWaiting) void this.#submit();
    };
    floor.onChange(() => this.#offerTables());
  }

  startAt(tableId: string): void {
    this.#fields.tableId.value = tableId;
    this.#fields.guestName.focus();
  }

  async #submit(): Promise<void> {
    const { tableId, guestName, partySize, at } = this.#fields;
    this.#showIssues([]);
    this.#showOutcome('', 'good');
    this.#wait(true);
    try {
      const request = {
        tableId: tableId.value,
        guestName: guestName.value.trim(),
        partySize: Number(partySize.value),
        at: momentOf(at.value),
      };
      const made = await this.send(request, () => this.#showOutcome(NOT_CONNECTED, 'waiting'));
      this.#showOutcome(`${made.guestName} is expected at ${when(made.at)}.`, 'good');
      guestName.value = '';
      guestName.focus();
    } catch (error) {
      const issues = (error instanceof RequestError && error.issues) || [];
      this.#showOutcome(issues.length > 0 ? 'Please look at the marked fields.' : errorText(error), 'bad');
      this.#showIssues(issues);
    } finally {
      this.#wait(false);
    }
  }

  // The fields stay read-only until the reply, so that the same reservation is not sent twice.
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

  #showOutcome(text: string, kind: 'good' | 'bad' | 'waiting'): void {
    this.#outcome.textContent = text;
    this.#outcome.dataset['kind'] = kind;
  }

  #offerTables(): void {
    const select = this.#fields.tableId;
    if (select.childElementCount > 0) return; // tables do not change while the page is open
    for (const { id, number, seats } of this.floor.tables) {
      select.append(element('option', { value: id, textContent: `Table ${number} · ${seats} seats` }));
    }
  }
}

// The next half hour, at 18:00 at the earliest.
function usualTime(): string {
  const halfHourMs = 30 * 60 * 1000;
  const next = new Date(Math.ceil(Date.now() / halfHourMs) * halfHourMs);
  if (next.getHours() < 18) next.setHours(18, 0);
  return `${String(next.getHours()).padStart(2, '0')}:${String(next.getMinutes()).padStart(2, '0')}`;
}

// At 22:00, a time of 00:30 means tomorrow.
function momentOf(timeOfDay: string): string {
  const [hours, minutes] = timeOfDay.split(':').map(Number);
  const moment = new Date();
  moment.setHours(hours ?? NaN, minutes ?? NaN, 0, 0);
  if (Number.isNaN(moment.getTime())) return '';
  if (Date.now() - moment.getTime() > HALF_A_DAY_MS) moment.setDate(moment.getDate() + 1);
  return moment.toISOString();
}
