import type { Backplane } from '../../lib/backplane/backplane.js';
import type { Publication } from '../../lib/backplane/publication.js';
import { until } from '../rig/clock/until.js';

/** A node that remembers what it was told. */
export class TestNode {
  readonly received: Publication[] = [];
  /** The channel of each publication received. */
  readonly channels: string[] = [];
  /** The channels that may have missed publications. */
  readonly interrupted: string[] = [];
  onInterrupted = () => {};
  readonly states: string[] = [];

  constructor(readonly backplane: Backplane) {}

  async start(): Promise<this> {
    await this.backplane.start({
      receive: (channel, publication) => {
        this.received.push(publication);
        this.channels.push(channel);
      },
      interrupted: (channels) => {
        this.interrupted.push(...channels);
        this.onInterrupted();
      },
      stateChanged: (state) => this.states.push(state),
    });
    await this.until('up');
    return this;
  }

  /** The types of the messages, in the order they came. */
  get types(): string[] {
    return this.received.map((publication) => ('type' in publication ? publication.type : publication.kind));
  }

  get state(): string | undefined {
    return this.states.at(-1);
  }

  async until(state: 'up' | 'down', deadlineMs?: number): Promise<void> {
    await until(`the backplane is ${state}`, () => this.state === state, deadlineMs);
  }

  async isSubscribed(count: number): Promise<void> {
    await until(`${count} publications have arrived`, () => this.received.length >= count);
  }

  /** Resolves when all are subscribed. */
  async subscribe(...channels: string[]): Promise<void> {
    await Promise.all(channels.map(async (channel) => this.backplane.subscribe(channel)));
  }

  say(channel: string, type: string, text: string = type): Promise<{ readonly nodes: number }> {
    return this.backplane.publish(channel, message(type, text));
  }
}

export function message(type: string, text: string = type): Extract<Publication, { kind: 'message' }> {
  return {
    kind: 'message',
    to: { kind: 'all', key: '' },
    type,
    text,
    except: [],
    delivery: 'live',
  };
}
