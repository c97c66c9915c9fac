/** The options of the `send…` methods and of `broadcast`. */
export interface SendOptions {
  /** Ids of connections or sessions that do not get the message, such as the sender's. @default none */
  readonly except?: string | readonly string[];
  /** Sends to this node's connections only. @default false */
  readonly local?: boolean;
  /** Whether the message is dropped for a client whose socket is congested. @default as its contract entry declares */
  readonly volatile?: boolean;
  /** How long to wait for other nodes to confirm, in milliseconds; the receipt then counts their connections. @default false */
  readonly confirmWithinMs?: number | false;
}

/** The options of `requestFromUser` and `requestFromConnection`. */
export interface RequestOptions {
  /** How long to wait for a reply, in milliseconds. @default 10_000 */
  readonly timeoutMs?: number;
}

/** The options of the `disconnect…` methods. */
export interface DisconnectOptions {
  /** The close code; clients reconnect after 4000–4499. @default 4500 (no reconnect) */
  readonly code?: number;
  /** The close reason; longer ones are cut to 123 bytes. @default 'disconnected by the server' */
  readonly reason?: string;
}
