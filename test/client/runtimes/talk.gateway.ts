import { defineContract, OnMessage, RealtimeException, RealtimeGateway } from 'nestjs-realtime';
import { z } from 'zod';

const numbered = z.object({ n: z.number() });

export const talk = defineContract({
  client: {
    add: { payload: numbered, reply: z.object({ total: z.number() }) },
    note: { payload: numbered },
    slow: { payload: numbered, reply: numbered },
    count: { payload: z.object({ to: z.number() }), reply: numbered },
    refuse: { payload: null, reply: null },
  },
  server: {
    news: { payload: numbered },
    confirm: { payload: numbered, reply: numbered },
  },
});

/** What the servers did, all of them: it outlives each, as a database does. */
export class Ledger {
  readonly added: number[] = [];
  readonly notes: number[] = [];
  readonly slow: number[] = [];
  /** Resolves when a streamed reply has been stopped. */
  readonly streamStopped: Promise<void>;
  stopStream: () => void = () => undefined;
  /** Resolves when a slow request has begun. */
  readonly slowBegun: Promise<void>;
  beginSlow: () => void = () => undefined;
  /** Ends the slow requests. */
  readonly slowMayEnd: Promise<void>;
  endSlow: () => void = () => undefined;

  constructor() {
    this.streamStopped = new Promise((resolve) => (this.stopStream = resolve));
    this.slowBegun = new Promise((resolve) => (this.beginSlow = resolve));
    this.slowMayEnd = new Promise((resolve) => (this.endSlow = resolve));
  }
}

@RealtimeGateway({ path: '/ws', contract: talk })
export class TalkGateway {
  constructor(private readonly ledger: Ledger) {}

  @OnMessage(talk, 'add')
  add({ n }: { n: number }): { total: number } {
    this.ledger.added.push(n);
    return { total: this.ledger.added.length };
  }

  @OnMessage(talk, 'note')
  note({ n }: { n: number }): void {
    this.ledger.notes.push(n);
  }

  @OnMessage(talk, 'slow')
  async slow({ n }: { n: number }): Promise<{ n: number }> {
    this.ledger.slow.push(n);
    this.ledger.beginSlow();
    await this.ledger.slowMayEnd;
    return { n };
  }

  @OnMessage(talk, 'count')
  async *count({ to }: { to: number }): AsyncGenerator<{ n: number }> {
    try {
      for (let n = 1; n <= to; n++) yield { n };
    } finally {
      this.ledger.stopStream();
    }
  }

  @OnMessage(talk, 'refuse')
  refuse(): null {
    throw new RealtimeException('TABLE_TAKEN', 'the table is taken');
  }
}
