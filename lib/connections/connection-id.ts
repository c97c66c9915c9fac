import { randomBytes, randomUUID } from 'node:crypto';

/** A unique id for this process: 64 random bits. */
export function newNodeId(): string {
  return randomBytes(8).toString('base64url');
}

/** A connection's id begins with the id of its node, so that any node can find it. */
export function newConnectionId(nodeId: string): string {
  return `${nodeId}.${randomUUID()}`;
}

/** The node a connection id belongs to; `''` for a text that is not a connection id. */
export function nodeOf(connectionId: string): string {
  const dot = connectionId.indexOf('.');
  return dot < 0 ? '' : connectionId.slice(0, dot);
}
