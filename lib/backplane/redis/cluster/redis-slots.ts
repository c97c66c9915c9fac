const SLOTS = 16_384;
const POLYNOMIAL = 0x1021;

/** The slot of a name in Redis Cluster: CRC16-XMODEM of its tag, which all names of this library have. */
export function slotOf(name: string | Buffer): number {
  const tag = tagOf(typeof name === 'string' ? name : name.toString('latin1'));
  let slot = known.get(tag);
  if (slot === undefined) {
    slot = crc16(Buffer.from(tag)) % SLOTS;
    if (known.size < MAX_KNOWN) known.set(tag, slot);
  }
  return slot;
}

// There are 128 tags; whatever else comes is computed each time.
const MAX_KNOWN = 1_024;
const known = new Map<string, number>();

/** What Redis hashes: the text between the first `{` and the `}` after it, or all of it when that is empty. */
function tagOf(name: string): string {
  const open = name.indexOf('{');
  const close = open < 0 ? -1 : name.indexOf('}', open + 1);
  return close > open + 1 ? name.slice(open + 1, close) : name;
}

function crc16(bytes: Buffer): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ POLYNOMIAL;
    crc &= 0xffff;
  }
  return crc;
}
