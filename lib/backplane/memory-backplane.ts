import type { Backplane, BackplaneListener, PublishOutcome } from './backplane.js';
import type { Publication } from './publication.js';

/** Connects the nodes of one process, to test a cluster without Redis. */
export class MemoryHub {
  readonly nodes = new Set<MemoryBackplane>();
}

/** The backplane of one process. With a `MemoryHub` that several share, their nodes are a cluster in memory. */
export class MemoryBackplane implements Backplane {
  readonly #channels = new Set<string>();
  #listener: BackplaneListener | undefined;

  constructor(private readonly hub: MemoryHub = new MemoryHub()) {}

  async start(listener: BackplaneListener): Promise<void> {
    this.#listener = listener;
    this.hub.nodes.add(this);
    listener.stateChanged('up');
  }

  subscribe(channel: string): undefined {
    this.#channels.add(channel);
    return undefined;
  }

  unsubscribe(channel: string): void {
    this.#channels.delete(channel);
  }

  async publish(channel: string, publication: Publication): Promise<PublishOutcome> {
    let nodes = 0;
    for (const node of this.hub.nodes) {
      if (node !== this && node.#deliver(channel, publication)) nodes++;
    }
    return { nodes };
  }

  async stop(): Promise<void> {
    this.hub.nodes.delete(this);
    this.#channels.clear();
    this.#listener = undefined;
  }

  #deliver(channel: string, publication: Publication): boolean {
    if (this.#listener === undefined || !this.#channels.has(channel)) return false;
    this.#listener.receive(channel, asOverWire(publication));
    return true;
  }
}

/** A copy through JSON, so that no class instance passes between nodes, as over a network. */
function asOverWire(publication: Publication): Publication {
  return publication.kind === 'message'
    ? publication
    : (JSON.parse(JSON.stringify(publication)) as Publication);
}
