import type { Backplane } from '../backplane/backplane.js';
import type { Publication } from '../backplane/publication.js';

const DEADLINE_MS = 15_000;
const POLL_MS = 10;

/** A node that records what its backplane reports. */
export class RecordingNode {
  readonly received: Publication[] = [];
  /** The channel of each publication received. */
  readonly channels: string[] = [];
  /** The channels that may have missed publications. */
  readonly interrupted: string[] = [];
  onInterrupted = () => {};
  readonly states: ('up' | 'down')[] = [];

  constructor(readonly backplane: Backplane) {}

  /** Resolves when the backplane is up. */
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
    await eventually(`the backplane is ${state}`, () => this.state === state, deadlineMs);
  }

  async hasReceived(count: number): Promise<void> {
    await eventually(`${count} publications have arrived`, () => this.received.length >= count);
  }

  /** Resolves when all are subscribed. */
  async subscribe(...channels: string[]): Promise<void> {
    await Promise.all(channels.map(async (channel) => this.backplane.subscribe(channel)));
  }

  publish(channel: string, type: string, text: string = type): Promise<{ readonly nodes: number }> {
    return this.backplane.publish(channel, message(type, text));
  }
}

/** A publication of one message to all. */
export function message(type: string, text: string = type): Extract<Publication, { kind: 'message' }> {
  const to = { kind: 'all', key: '' } as const;
  return { kind: 'message', to, type, text, except: [], delivery: 'live' };
}

/** Resolves when the condition holds; rejects with the fact that did not come true. */
export async function eventually(
  fact: string,
  condition: () => boolean | Promise<boolean>,
  deadlineMs = DEADLINE_MS,
): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`Not true within ${deadlineMs} ms: ${fact}.`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
