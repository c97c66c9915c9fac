import { CREATE, RESERVATION } from '../venue.js';

/** How a contender wants to be spoken to. */
export interface Dialect {
  path(room: string): string;
  /** Text frames after the upgrade until the connection counts as joined. */
  readonly greetings: number;
  /** What the client says after the first of them. */
  readonly introduction?: string;
  request(id: number): string;
  /** Whether a reply is what it should be; asked once for each contender and round. */
  isReply(text: string, id: number): boolean;
}

const byName = (room: string) => `/ws?room=${encodeURIComponent(room)}`;
const isConfirmed = (text: string) => text.includes('"confirmed"') && text.includes('"r-4711"');

const DIALECTS = {
  json: {
    path: byName,
    greetings: 1,
    request: (id) => JSON.stringify({ type: CREATE, id, payload: RESERVATION }),
    isReply: (text, id) =>
      text.startsWith('{"type":"$reply"') && text.includes(`"id":${id},`) && isConfirmed(text),
  },
  nest: {
    path: byName,
    greetings: 1,
    request: () => JSON.stringify({ event: CREATE, data: RESERVATION }),
    isReply: (text) => text.startsWith(`{"event":"${CREATE}"`) && isConfirmed(text),
  },
  'socket.io': {
    path: (room) => `/socket.io/?EIO=4&transport=websocket&room=${encodeURIComponent(room)}`,
    // engine.io's open, socket.io's connect, and the gateway's own hello
    greetings: 3,
    introduction: '40',
    request: (id) => `42${id}${JSON.stringify([CREATE, RESERVATION])}`,
    isReply: (text, id) => text.startsWith(`43${id}[`) && isConfirmed(text),
  },
} satisfies Record<string, Dialect>;

export type DialectName = keyof typeof DIALECTS;

export function dialectOf(name: DialectName): Dialect {
  return DIALECTS[name];
}
