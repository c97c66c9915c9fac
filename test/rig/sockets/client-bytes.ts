import { randomBytes } from 'node:crypto';

export const Opcode = { CONTINUATION: 0, TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 } as const;

export interface FrameHead {
  /** @default a text frame */
  readonly opcode?: number;
  /** Whether the message ends here. @default true */
  readonly fin?: boolean;
}

/** One masked WebSocket frame as a client sends it. */
export function clientFrame(
  payload: string | Buffer,
  { opcode = Opcode.TEXT, fin = true }: FrameHead = {},
): Buffer {
  const bytes = Buffer.from(payload as string);
  const mask = randomBytes(4);
  const masked = bytes.map((byte, index) => byte ^ (mask[index % 4] as number));
  return Buffer.concat([headOf(bytes.length, opcode, fin), mask, masked]);
}

function headOf(length: number, opcode: number, fin: boolean): Buffer {
  const first = (fin ? 0x80 : 0) | opcode;
  if (length < 126) return Buffer.from([first, 0x80 | length]);
  if (length < 65_536) return Buffer.from([first, 0x80 | 126, length >> 8, length & 0xff]);
  const head = Buffer.alloc(10);
  head.set([first, 0x80 | 127]);
  head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}

/** An upgrade request as it goes over the wire. */
export function upgradeText(path = '/lobby', headers: Readonly<Record<string, string>> = {}): string {
  const lines = Object.entries({ Host: '127.0.0.1', ...upgradeHeaders(), ...headers }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  return [`GET ${path} HTTP/1.1`, ...lines, '\r\n'].join('\r\n');
}

/** The headers of every upgrade request. */
export function upgradeHeaders(): Record<string, string> {
  return {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
  };
}
