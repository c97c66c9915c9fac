import type { Delivery } from '../protocol/delivery.js';

/** The connections that a publication is for. */
export interface Recipient {
  readonly kind: 'all' | 'user' | 'room' | 'session' | 'connection';
  /** The id or name; `''` for all. */
  readonly key: string;
}

/** Where a node replies to a publication: the publishing node, and the id that it waits for. */
export interface ReplyTo {
  readonly node: string;
  readonly id: string;
}

/** A client's reply to a request from another node. */
export type RemoteAnswer =
  | { readonly ok: true; readonly payload: unknown }
  | {
      readonly ok: false;
      readonly code: string;
      readonly message: string;
      readonly details?: unknown;
    };

/** What one node publishes to others. Unknown kinds are ignored, so that versions can run side by side. */
export type Publication =
  | {
      readonly kind: 'message';
      readonly to: Recipient;
      readonly type: string;
      /** The client's frame, encoded once by the publisher and written as it is by every node. */
      readonly text: string | Buffer;
      /** Connections and sessions that do not get it. */
      readonly except: readonly string[];
      readonly delivery: Delivery;
      /** The same for each room of one send: a connection in several of them gets only the first. */
      readonly sendId?: string | undefined;
      readonly replyTo?: ReplyTo | undefined;
    }
  | {
      readonly kind: 'disconnect';
      readonly to: Recipient;
      readonly code: number;
      readonly reason: string;
      readonly replyTo?: ReplyTo | undefined;
    }
  | {
      readonly kind: 'join' | 'leave';
      readonly to: Recipient;
      readonly room: string;
      readonly replyTo?: ReplyTo | undefined;
    }
  | {
      readonly kind: 'request';
      readonly to: Recipient;
      readonly type: string;
      readonly payload: unknown;
      readonly timeoutMs: number;
      readonly replyTo: ReplyTo;
    }
  | {
      /** One node's reply: how many connections it reached, and for `request` what they replied. */
      readonly kind: 'reply';
      readonly id: string;
      /** The node that replies; a second reply of one node is ignored. */
      readonly node: string;
      readonly delivered: number;
      readonly dropped: number;
      readonly answer?: RemoteAnswer | undefined;
    };
