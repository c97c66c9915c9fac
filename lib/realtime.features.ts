import type { Backplane } from './backplane/backplane.js';
import type { BroadcastCore } from './broadcast/broadcast-core.js';
import type { PublicationHandler } from './broadcast/publication-handlers.js';
import type { ConnectionRegistry } from './connections/connection-registry.js';
import type { MembershipListener } from './connections/membership-listener.js';
import type { SocketObserver } from './gateway/lifecycle/gateway-connection.js';
import type { ProtocolMessage } from './gateway/lifecycle/protocol-messages.js';
import type { Recovery } from './gateway/lifecycle/recovery.js';
import type { RealtimeLog } from './metrics/realtime-log.js';
import type { RealtimeMetrics } from './metrics/realtime-metrics.js';
import type { Service } from './realtime.services.js';

/** The parts of a node that a feature may use. */
export interface NodeParts {
  readonly nodeId: string;
  readonly backplane: Backplane;
  readonly registry: ConnectionRegistry;
  readonly broadcast: BroadcastCore;
  readonly metrics: RealtimeMetrics;
  readonly logger: RealtimeLog;
}

/** What a feature adds to the lists of a node. */
export interface FeatureEntries {
  readonly protocolMessages?: readonly (readonly [type: string, message: ProtocolMessage])[];
  readonly publications?: readonly (readonly [
    kind: string,
    receive: PublicationHandler<{ readonly kind: string }>,
  ])[];
  readonly membershipListeners?: readonly MembershipListener[];
  readonly observers?: readonly SocketObserver[];
  readonly recoveries?: readonly Recovery[];
  readonly services?: readonly Service[];
}

/** A part of the library that is made of entries in the lists of a node, and of nothing else. */
export type Feature = (parts: NodeParts) => FeatureEntries;

/** @internal The token of the features that a node has beside its own. */
export const REALTIME_FEATURES = Symbol('nestjs-realtime:features');
