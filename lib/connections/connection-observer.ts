import type { Connection, Disconnection } from './connection.js';

/** Something that ends with a connection. The gateway calls every observer once, after the registry has removed the connection. */
export interface ConnectionObserver {
  /** Must not throw. */
  closed?(connection: Connection, disconnection: Disconnection): void;
}
