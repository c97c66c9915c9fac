/**
 * How a message is delivered. `volatile`: dropped when the client is behind; `live`: at most once, in order;
 * `recoverable`: kept in history, so that a client that was away gets it later.
 */
export type Delivery = 'volatile' | 'live' | 'recoverable';

const DELIVERIES: Readonly<Record<Delivery, true>> = { volatile: true, live: true, recoverable: true };

/** For values from other nodes and from contracts. */
export function isDelivery(value: unknown): value is Delivery {
  return typeof value === 'string' && Object.hasOwn(DELIVERIES, value);
}
