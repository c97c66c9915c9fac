import { createHash } from 'node:crypto';

// One tag for each 128th of Redis Cluster's slots, near its middle (CRC16), so that an even division of the slots gives
// each master an equal share. With plain numbers as tags, some of six masters get half as much as others.
const TAGS = (
  'so sk k6 k2 cg cc co ck pf pb ov or 36 ps x7 x3 r1 jd r9 ut zh zl ex b5 ii im vy q4 ya ye a8 fu bm bi 9u z0 re ra ' +
  'mu mq ad y1 al y9 ql qh i5 i1 c3 c7 dr dv kj kn tz s7 xk xo xc xg hc hg 42 ww mo mk 6w u2 9o 9k bw bs nf nb 27 qr ' +
  'av ar f7 f3 0h td l9 kt dh dl 89 dd wi wm hy o4 ga ge xq xu 8e 8a d4 d0 le la 04 sq g5 g1 pm g9 ol oh 4t w1 eb ef ' +
  '93 zv uj un jz m7 fk fo fc fg vc vg is iw'
).split(' ');

export const REDIS_NAMES_DEFAULTS = { redisPrefix: 'realtime' };

/** The version of the node-to-node format; nodes of different versions have different channels. */
const WIRE_VERSION = 'v1';

// Every message contains the name of its channel, so a longer one is hashed.
const MAX_CHANNEL_BYTES = 128;
const CHANNEL_SPACE = 'c:';
// All tags have two characters.
const CHANNEL_OFFSET = ':{so}:'.length;

/**
 * The one place that builds names in Redis: `prefix:v1:{tag}:…`, the same in every topology. This is a user with exactly
 * the permissions that this library needs; the last line is for a Cluster, and Redis before version 7 rejects it:
 *
 *     ACL SETUSER realtime on >secret resetkeys ~realtime:* resetchannels &realtime:* -@all +info
 *       +publish +subscribe +unsubscribe +set +getdel +eval +time
 *       +zadd +zcard +zrem +zremrangebyscore +zscore +pexpire
 *       +spublish +ssubscribe +sunsubscribe +cluster|slots +cluster|info
 */
export class RedisNames {
  readonly #root: string;

  constructor(prefix: string) {
    this.#root = `${prefix}:${WIRE_VERSION}`;
  }

  /**
   * A name in Redis: what has the same `partitionKey` lies in one of 128 partitions, so that one script can use it.
   * `space` keeps the kinds of names apart; the last part may contain any character.
   */
  key(partitionKey: string, space: string, ...parts: readonly string[]): string {
    return `${this.#root}:{${tagOf(partitionKey)}}:${space}:${parts.join(':')}`;
  }

  /** The pub/sub channel of a backplane channel. */
  channel(channel: string): string {
    return this.key(channel, 'c', isLong(channel) ? hashed(channel) : channel);
  }

  /** The backplane channel in a name, or its hash; `undefined` for a name of another space. */
  channelIn(name: string): string | undefined {
    const at = this.#root.length + CHANNEL_OFFSET;
    return name.startsWith(CHANNEL_SPACE, at) ? name.slice(at + CHANNEL_SPACE.length) : undefined;
  }

  /** The channels of a node's own probes, one for each of the 128 partitions. */
  probes(nodeId: string): readonly [string, ...string[]] {
    return TAGS.map((tag) => `${this.#root}:{${tag}}:probe:${nodeId}`) as [string, ...string[]];
  }
}

/** Whether the pub/sub channel has a hash in place of this name. */
export function isLong(channel: string): boolean {
  return Buffer.byteLength(channel) > MAX_CHANNEL_BYTES;
}

function tagOf(key: string): string {
  // FNV-1a; any hash that spreads will do, but all nodes must use the same.
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return TAGS[(hash >>> 0) % TAGS.length] as string;
}

function hashed(channel: string): string {
  return `sha256:${createHash('sha256').update(channel).digest('base64url')}`;
}
