export { CloseCode, shouldReconnect } from '../protocol/close-codes.js';
export { ErrorCode } from '../protocol/error-codes.js';
export { CoreClient } from './core-client.js';
export { RealtimeClient } from './realtime-client.js';
export { ClosedError, RequestError, UnauthenticatedError } from './request-error.js';

export type { Issue } from '../protocol/envelope.js';
export type { ClientMessage, Jsonify, ServerMessage } from '../contract/contract-types.js';
export type { Address, RealtimeClientOptions, TokenRequest, TokenSource } from './client.options.js';
export type {
  Closed,
  Connected,
  Connecting,
  ConnectionState,
  Idle,
  Reconnecting,
} from './connection-state.js';
export type { AbortSignalLike, Clock, WebSocketConstructor, WebSocketLike } from './environment.js';
export type { ClientErrorCode, RequestErrorOptions } from './request-error.js';
export type {
  QueueLimits,
  RequestOptions,
  Retry,
  SendOptions,
  SendOutcome,
  Unsent,
  UnsentReason,
  WaitOptions,
  WhileAway,
} from './send.options.js';
