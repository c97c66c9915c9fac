import type { Receipt } from 'nestjs-realtime';
import { RequestError, type TokenRequest, UnauthenticatedError } from 'nestjs-realtime/client';
import type { Reservation, ReservationChange, Table } from '../src/contract.js';
import type { VenueFile } from '../src/venue-file.js';

const PATIENCE_MS = 4_000;

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

  /** The token of this window. One that expires, or that the house does not know any more, is replaced. */
  async token(userId: string, { reason }: TokenRequest): Promise<string> {
    if (this.#token === '' || reason !== 'connect') this.#token = await this.#signIn(userId);
    return this.#token;
  }

  async #signIn(userId: string): Promise<string> {
    try {
      return (await this.#ask<{ token: string }>('POST', '/login', { userId })).token;
    } catch (error) {
      // Only where the house itself said no: one that is out of reach is asked again.
      throw error instanceof RequestError ? new UnauthenticatedError(error.message) : error;
    }
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
    throw new RequestError(String(response.status), [message].flat().join('; '));
  }
}
