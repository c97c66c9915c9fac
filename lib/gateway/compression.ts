/** permessage-deflate (RFC 7692) as it can be run on a server. */
export interface CompressionSettings {
  /** Messages smaller than this travel as they are. */
  readonly thresholdBytes: number;
  /** How many messages are compressed at a time. */
  readonly concurrency: number;
}

/** The settings for `ws`. No context is kept between messages: it would cost a connection more memory than all the rest. */
export function perMessageDeflate(compression: CompressionSettings | false) {
  if (compression === false) return false;
  return {
    serverNoContextTakeover: true,
    clientNoContextTakeover: true,
    threshold: compression.thresholdBytes,
    concurrencyLimit: compression.concurrency,
  };
}
