import type { Receipt } from 'nestjs-realtime';
import type { Reservation, ReservationChange, Table } from '../src/contract.js';
import type { VenueFile } from '../src/venue-file.js';
import { Refusal } from './refusal.js';

const PATIENCE_MS = 8_000;

/** What the page asks over HTTP. Whoever acts is named by the token of this window. */
export class House {
  #token = '';

  file(): Promise<VenueFile> {
    return this.#ask('GET', '/venue.json');
  }

  tables(): Promise<Table[]> {
    return this.#ask('GET', '/tables');
  }

  reservations(): Promise<Reservation[]> {
    return this.#ask('GET', '/reservations');
  }

  changeReservation(id: string, change: ReservationChange): Promise<Reservation> {
    return this.#ask('PATCH', `/reservations/${encodeURIComponent(id)}`, change);
  }

  notify(userId: string, text: string): Promise<Receipt> {
    return this.#ask('POST', `/users/${encodeURIComponent(userId)}/notifications`, { text });
  }

  async signIn(userId: string): Promise<string> {
    const { token } = await this.#ask<{ token: string }>('POST', '/login', { userId });
    return (this.#token = token);
  }

  async #ask<Answer>(method: string, path: string, body?: object): Promise<Answer> {
    const response = await fetch(path, {
      method,
      headers: {
        ...(this.#token && { Authorization: `Bearer ${this.#token}` }),
        ...(body && { 'Content-Type': 'application/json' }),
      },
      body: body ? JSON.stringify(body) : null,
      // Windows share their cookies: with one, two people could not be signed in side by side.
      credentials: 'omit',
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (response.ok) return response.json() as Promise<Answer>;
    if (response.status >= 500) throw new Error(`${method} ${path} failed with ${response.status}.`);
    const { message } = (await response.json()) as { message: string | string[] };
    throw new Refusal(String(response.status), [message].flat().join('; '));
  }
}
