import { isSendableCloseCode } from '../protocol/close-codes.js';

/** Throws unless an endpoint may put this code into a close frame. */
export function requireSendableCloseCode(code: number): void {
  if (isSendableCloseCode(code)) return;
  throw new RangeError(`Expected a close code of 1000–1014 or 3000–4999 that may be sent, got ${code}.`);
}

/** What a close frame can hold beside its code (RFC 6455 §5.5: 125 bytes in all). */
const MAX_REASON_BYTES = 123;

/** Cuts a close reason to 123 bytes of UTF-8, never inside a character; a longer one makes `ws` throw. */
export function fitCloseReason(reason: string): string {
  const { read } = new TextEncoder().encodeInto(reason, new Uint8Array(MAX_REASON_BYTES));
  return reason.slice(0, read);
}
