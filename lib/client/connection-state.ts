/** The client was not used yet. */
export interface Idle {
  readonly status: 'idle';
}

/** Why the last connection or attempt ended, and when the next attempt is made. */
interface Absence {
  /** The close code; 0 when nothing has ended yet, 1006 when there was no close frame. */
  readonly code: number;
  readonly reason: string;
  /** Attempts since the last stable connection, the next or running one included. */
  readonly attempt: number;
  /** The wait before the attempt, counted from this event; 0 while it runs. */
  readonly retryInMs: number;
  /** When the attempt is made, by the client's clock: for a countdown. */
  readonly retryAt: number;
}

/** No connection of this session has been usable yet. */
export interface Connecting extends Absence {
  readonly status: 'connecting';
}

/** Messages are sent and received; the server chose the ids. */
export interface Connected {
  readonly status: 'connected';
  readonly connectionId: string;
  readonly sessionId: string;
  readonly userId: string | null;
  /** Whether everything missed since the last connection has been delivered. */
  readonly recovered: boolean;
}

/** The connection was lost and the client connects again. */
export interface Reconnecting extends Absence {
  readonly status: 'reconnecting';
}

/** Closed until `connect()` is called; `code` is the close code of the server, or 1000 after `close()`. */
export interface Closed {
  readonly status: 'closed';
  readonly code: number;
  readonly reason: string;
}

/** The state of the client, a union by `status`. Each change is a new object. */
export type ConnectionState = Idle | Connecting | Connected | Reconnecting | Closed;
