import type { Receipt } from 'nestjs-realtime';
import { RequestError, type TokenRequest, UnauthenticatedError } from 'nestjs-realtime/client';
import type { Reservation, ReservationChange, Table } from '../src/contract.js';
import type { VenueFile } from '../src/venue-file.js';

const TIMEOUT_MS = 4_000;

/** The HTTP requests of the page, authenticated by the token of this window. */
export class VenueApi {
  #token = '';

  file(): Promise<VenueFile> {
    return this.#request('GET', '/venue.json');
  }

  tables(): Promise<Table[]> {
    return this.#request('GET', '/tables');
  }

  reservations(): Promise<Reservation[]> {
    return this.#request('GET', '/reservations');
  }

  changeReservation(id: string, change: ReservationChange): Promise<Reservation> {
    return this.#request('PATCH', `/reservations/${encodeURIComponent(id)}`, change);
  }

  notify(userId: string, text: string): Promise<Receipt> {
    return this.#request('POST', `/users/${encodeURIComponent(userId)}/notifications`, { text });
  }

  /** The token of this window; it is replaced when it expires or the server rejects it. */
  async token(userId: string, { reason }: TokenRequest): Promise<string> {
    if (this.#token === '' || reason !== 'connect') this.#token = await this.#signIn(userId);
    return this.#token;
  }

  async #signIn(userId: string): Promise<string> {
    try {
      return (await this.#request<{ token: string }>('POST', '/login', { userId })).token;
    } catch (error) {
      // Only if the server refused: an unreachable server is tried again.
      throw error instanceof RequestError ? new UnauthenticatedError(error.message) : error;
    }
  }

  async #request<Reply>(method: string, path: string, body?: object): Promise<Reply> {
    const response = await fetch(path, {
      method,
      headers: {
        ...(this.#token && { Authorization: `Bearer ${this.#token}` }),
        ...(body && { 'Content-Type': 'application/json' }),
      },
      body: body ? JSON.stringify(body) : null,
      // Windows share cookies, and two windows must be able to sign in as two people.
      credentials: 'omit',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.ok) return response.json() as Promise<Reply>;
    if (response.status >= 500) throw new Error(`${method} ${path} failed with ${response.status}.`);
    const { message } = (await response.json()) as { message: string | string[] };
    throw new RequestError(String(response.status), [message].flat().join('; '));
  }
}
