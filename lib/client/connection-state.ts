/** The client does nothing yet. */
export interface Idle {
  readonly status: 'idle';
}

/** Why the last connection or attempt ended, and when the next attempt is made. */
interface Absence {
  /** The close code; 0 when nothing has ended yet, 1006 when there was no close frame. */
  readonly code: number;
  readonly reason: string;
  /** Attempts since the last stable connection, the coming or running one included. */
  readonly attempt: number;
  /** The wait before the attempt, counted from this event; 0 while it runs. */
  readonly retryInMs: number;
  /** When the attempt is made, by the client's clock: for a countdown. */
  readonly retryAt: number;
}

/** No connection has been usable yet. */
export interface Connecting extends Absence {
  readonly status: 'connecting';
}

/** Messages flow; the ids are the server's. */
export interface Connected {
  readonly status: 'connected';
  readonly connectionId: string;
  readonly sessionId: string;
  readonly userId: string | null;
  /** Whether everything missed since the last connection has been delivered. */
  readonly recovered: boolean;
}

/** The connection is lost and the client is on its way back. */
export interface Reconnecting extends Absence {
  readonly status: 'reconnecting';
}

/** The end until `connect()` is called; `code` is the close code of the server, or 1000 after `close()`. */
export interface Closed {
  readonly status: 'closed';
  readonly code: number;
  readonly reason: string;
}

/** What the client is doing, told apart by `status`. A new object for every change, never one that changes. */
export type ConnectionState = Idle | Connecting | Connected | Reconnecting | Closed;
