import type { Connection } from '../../connections/connection.js';

/** Fields that a recovery adds to `$hello`. */
export type HelloFields = Readonly<Record<string, unknown>>;

/** Brings a connection up to date before its `$hello`. The lifecycle runs every recovery of its list, in order. */
export interface Recovery {
  /** Called when the identity of the connection is known, before its first `handleConnection`. Must not throw. */
  identified?(connection: Connection): void;
  /** Called after `handleConnection`; messages sent meanwhile wait until after `$hello`. A rejection closes the connection. */
  recover?(connection: Connection): Promise<HelloFields | undefined>;
}
