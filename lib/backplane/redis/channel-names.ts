import { isLong, type RedisNames } from './client/redis-names.js';

/** Translates between backplane channels and the names of their pub/sub channels, which hash a long channel. */
export class ChannelNames {
  /** By pub/sub name, the long channels that this node is subscribed to. */
  readonly #long = new Map<string, string>();

  constructor(private readonly names: RedisNames) {}

  nameOf(channel: string): string {
    return this.names.channel(channel);
  }

  /** The name, which `channelOf` can translate back until `forget`. */
  remember(channel: string): string {
    const name = this.names.channel(channel);
    if (isLong(channel)) this.#long.set(name, channel);
    return name;
  }

  forget(channel: string): string {
    const name = this.names.channel(channel);
    this.#long.delete(name);
    return name;
  }

  /** The channel; for a long one that is no longer wanted, its hash. `undefined` for a name that is no channel's. */
  channelOf(name: string): string | undefined {
    const long = this.#long.size === 0 ? undefined : this.#long.get(name);
    return long ?? this.names.channelIn(name);
  }
}
