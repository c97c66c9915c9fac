import { CREATE, RESERVATION } from '../venue.js';

/** The wire format of an entrant. */
export interface WireFormat {
  path(room: string): string;
  /** The number of text frames after the upgrade until the connection has joined. */
  readonly greetings: number;
  /** What the client sends after the first of them. */
  readonly introduction?: string;
  request(id: number): string;
  /** Whether a reply is correct; checked once per entrant and round. */
  isReply(text: string, id: number): boolean;
}

const byName = (room: string) => `/ws?room=${encodeURIComponent(room)}`;
const isConfirmed = (text: string) => text.includes('"confirmed"') && text.includes('"r-4711"');

const WIRE_FORMATS = {
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
    // engine.io's open, socket.io's connect, and the gateway's hello
    greetings: 3,
    introduction: '40',
    request: (id) => `42${id}${JSON.stringify([CREATE, RESERVATION])}`,
    isReply: (text, id) => text.startsWith(`43${id}[`) && isConfirmed(text),
  },
} satisfies Record<string, WireFormat>;

export type WireFormatName = keyof typeof WIRE_FORMATS;

export function wireFormatNamed(name: WireFormatName): WireFormat {
  return WIRE_FORMATS[name];
}
