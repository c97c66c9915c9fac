/**
 * How a message is delivered. `volatile`: dropped when the client is behind; `live`: at most once, in order;
 * `recoverable`: kept in history, so that a client that was away gets it later.
 */
export type Delivery = 'volatile' | 'live' | 'recoverable';
