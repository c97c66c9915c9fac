import type { Connection } from './connection.js';

/** How a connection ended. */
export interface Disconnection {
  readonly code: number;
  readonly reason: string;
}

/** Something that ends with a connection. The gateway calls every observer once, after the registry has removed the connection. */
export interface ConnectionObserver {
  /** Must not throw. */
  closed?(connection: Connection, disconnection: Disconnection): void;
}
