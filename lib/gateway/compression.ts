/** permessage-deflate (RFC 7692) without context takeover. */
export interface CompressionSettings {
  /** Messages smaller than this are not compressed. @default 1_024 */
  readonly thresholdBytes: number;
  /** How many messages are compressed at a time. @default 10 */
  readonly concurrency: number;
}

export const COMPRESSION_DEFAULTS: CompressionSettings = { thresholdBytes: 1_024, concurrency: 10 };

/** The settings for `ws`. A context kept between messages would take more memory than the rest of a connection. */
export function perMessageDeflate(compression: CompressionSettings | false) {
  if (compression === false) return false;
  return {
    serverNoContextTakeover: true,
    clientNoContextTakeover: true,
    threshold: compression.thresholdBytes,
    concurrencyLimit: compression.concurrency,
  };
}
