// The module and what it injects
export { RealtimeModule } from './realtime.module.js';
export { Broadcaster } from './broadcast/broadcaster.js';
export { MessageTooLargeError } from './connections/message-too-large.js';
export { ClientRequestError } from './broadcast/client-requests.js';
export { ConnectionRegistry } from './connections/connection-registry.js';
export { Connection } from './connections/connection.js';

// Contracts
export { defineContract } from './contract/contract.js';

// Gateways and messages
export { RealtimeGateway } from './gateway/routing/realtime-gateway.decorator.js';
export { OnMessage } from './messages/on-message.decorator.js';
export { MessageGuard } from './messages/message.guard.js';
export { CurrentConnection, CurrentUser, Payload } from './messages/parameters.decorator.js';
export { RealtimeException } from './messages/realtime.exception.js';

// The wire
export { CloseCode, shouldReconnect } from './protocol/close-codes.js';
export { ErrorCode } from './protocol/error-codes.js';
export { SUBPROTOCOL } from './protocol/envelope.js';

// Operations
export { RealtimeHealth } from './health/realtime-health.js';
export { RealtimeMetrics } from './metrics/realtime-metrics.js';
export { MemoryTicketStore, TicketService } from './gateway/identity/tickets.js';

// Nodes
export { BackplaneError } from './backplane/backplane-error.js';
export { MemoryBackplane, MemoryHub } from './backplane/memory-backplane.js';

// Types
export type { RealtimeOptions } from './realtime.options.js';
export type { EmitterOptions } from './realtime.emitter.js';
export type { Backplane, BackplaneListener, PublishOutcome } from './backplane/backplane.js';
export type { BackplaneFailure } from './backplane/backplane-error.js';
export type { Publication, Recipient, RemoteAnswer, ReplyTo } from './backplane/publication.js';
export type { DisconnectOptions, RequestOptions, SendOptions } from './broadcast/send.options.js';
export type { Receipt } from './broadcast/receipt.js';
export type { AuthenticatedConnection } from './connections/authenticated-connection.js';
export type {
  ConnectionData,
  ConnectionUser,
  Identity,
  ParamsOf,
  PathParams,
} from './connections/connection.js';
export type { Disconnection } from './connections/connection-observer.js';
export type {
  AnyContract,
  ClientEntry,
  Contract,
  ContractOptions,
  Delivery,
  PayloadDefinition,
  ServerEntry,
} from './contract/contract.js';
export type {
  ClientMessage,
  ClientPayload,
  ClientReply,
  ClientType,
  HandlerPayload,
  HandlerResult,
  Jsonify,
  OutgoingMessage,
  OutgoingPayload,
  RequestableType,
  ServerMessage,
  ServerPayload,
  ServerReply,
  ServerType,
} from './contract/contract-types.js';
export type { Authenticate } from './gateway/identity/authentication.js';
export type { TrustProxy } from './gateway/admission/client-ip.js';
export type { DrainSettings } from './gateway/drain/drain-schedule.js';
export type { CompressionSettings } from './gateway/compression.js';
export type { Handshake } from './gateway/identity/handshake.js';
export type { HandshakeSettings } from './gateway/admission/handshake-queue.js';
export type { HeartbeatSettings } from './gateway/lifecycle/heartbeat.js';
export type { Origins } from './gateway/admission/origin-policy.js';
export type { RateLimitSettings } from './gateway/lifecycle/rate-limiter.js';
export type { OnGatewayRefresh } from './gateway/routing/route.js';
export type { TicketOptions, TicketStore } from './gateway/identity/tickets.js';
export type { HealthReport } from './health/realtime-health.js';
export type { Counter, Gauge, Histogram, Metric, Sample } from './metrics/instruments.js';
export type { RealtimeGatewayOptions } from './gateway/routing/realtime-gateway.decorator.js';
export type { OnMessageOptions } from './messages/on-message.decorator.js';
export type { Hello, Issue, Message, MessageId, ServerRequest, WireError } from './protocol/envelope.js';
