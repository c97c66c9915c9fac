/** Whom a publication is for. */
export interface Recipient {
  readonly kind: 'all' | 'user' | 'room' | 'session' | 'connection';
  /** The id or name; `''` for all. */
  readonly key: string;
  /** Rooms whose members got it through another channel already. */
  readonly unless: readonly string[];
}

/** What one node tells others through a channel. Unknown kinds are ignored, so that versions can run side by side. */
export type Publication =
  | {
      readonly kind: 'message';
      readonly to: Recipient;
      readonly type: string;
      /** The client's frame, encoded once by the publisher and written as it is by every node. */
      readonly text: string;
      /** Connections and sessions that do not get it. */
      readonly except: readonly string[];
      readonly volatile: boolean;
    }
  | { readonly kind: 'disconnect'; readonly to: Recipient; readonly code: number; readonly reason: string }
  | { readonly kind: 'join' | 'leave'; readonly to: Recipient; readonly room: string };
