import { CloseCode } from '../../protocol/close-codes.js';

const PROTOCOL_ERROR = 1002;
const INVALID_TEXT = 1007;

const CODES: ReadonlyMap<string, number> = new Map([
  ['WS_ERR_INVALID_UTF8', INVALID_TEXT],
  ['WS_ERR_TOO_MANY_BUFFERED_PARTS', CloseCode.POLICY_VIOLATION],
  ['WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH', CloseCode.MESSAGE_TOO_BIG],
  ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', CloseCode.MESSAGE_TOO_BIG],
]);

/**
 * The code that `ws` closes with after one of its errors. `ws` itself reports 1006 then, a lost connection, since it does
 * not read the client's close frame any more.
 */
export function closeCodeOfFault(error: Error & { code?: string }): number | undefined {
  const { code } = error;
  return code?.startsWith('WS_ERR_') ? (CODES.get(code) ?? PROTOCOL_ERROR) : undefined;
}
