import {
  Broadcaster,
  MemoryBackplane,
  MemoryHub,
  RealtimeModule,
  type RealtimeOptions,
} from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp } from 'nestjs-realtime/testing';
import type { Command, Commands } from './scenarios.js';
import { talk, Ledger, TalkGateway } from './talk.gateway.js';
import { FaultyProxy } from '../../rig/network/faulty-proxy.js';

/** Behind every scenario: a cluster of Nest apps that share a ledger, and a network that can fail. */
export class Stage {
  readonly #proxy = new FaultyProxy(0);
  readonly #hub = new MemoryHub();
  readonly #ledger = new Ledger();
  readonly #apps: RealtimeTestApp[] = [];
  readonly #goodTokens = new Set(['good']);
  #isClosed = false;
  address = '';

  static async open(): Promise<Stage> {
    const stage = new Stage();
    stage.address = `ws://127.0.0.1:${await stage.#proxy.listen()}/ws`;
    await stage.#startNode();
    return stage;
  }

  control<C extends Command>(command: C, argument?: number): Promise<Awaited<ReturnType<Commands[C]>>> {
    return (this.#commands[command] as (argument?: number) => never)(argument);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#ledger.endSlow();
    await this.#proxy.close();
    await Promise.all(this.#apps.map((app) => app.close()));
  }

  readonly #commands: Commands = {
    ledger: async () => {
      const { added, notes, slow } = this.#ledger;
      return { added, notes, slow };
    },
    say: async (n) => void (await this.#broadcaster.broadcast({ type: 'news', payload: { n } })),
    ask: (n) => this.#broadcaster.requestFromUser('ann', { type: 'confirm', payload: { n } }),
    forbid: async () => void (await this.#broadcaster.disconnectUser('ann')),
    reset: async () => this.#proxy.reset(),
    swallow: async () => this.#proxy.blackHole(),
    heal: async () => this.#proxy.forwardTo(this.#newest.port),
    kill: async () => {
      this.#proxy.refuse();
      await this.#apps.pop()?.close();
    },
    start: () => this.#startNode(),
    expireTokens: async () => {
      this.#goodTokens.clear();
      this.#goodTokens.add('better');
    },
    slowBegun: () => this.#ledger.slowBegun,
    endSlow: async () => this.#ledger.endSlow(),
    streamStopped: () => this.#ledger.streamStopped,
    replaceNode: async (news) => {
      const old = this.#newest;
      await this.#startNode();
      this.#apps.splice(this.#apps.indexOf(old), 1);
      let hasClosed = false;
      const closing = old.close().then(() => (hasClosed = true));
      // As much as it takes until the old node is gone, and then some, so that the change falls into the middle.
      for (let n = 1, after = 0; after < news && !this.#isClosed; n++) {
        if (hasClosed) after++;
        await this.#broadcaster.broadcast({ type: 'news', payload: { n } });
        this.#said = n;
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      await closing;
      return this.#said;
    },
  };
  #said = 0;

  get #newest(): RealtimeTestApp {
    const app = this.#apps.at(-1);
    if (app === undefined) throw new Error('No node is running.');
    return app;
  }

  get #broadcaster(): Broadcaster<typeof talk> {
    return this.#newest.get<Broadcaster<typeof talk>>(Broadcaster);
  }

  async #startNode(): Promise<void> {
    const options: RealtimeOptions = {
      backplane: new MemoryBackplane(this.#hub),
      authenticate: ({ token }) =>
        token !== undefined && this.#goodTokens.has(token) ? { userId: 'ann' } : null,
      origins: false,
      heartbeat: { intervalMs: 400, timeoutMs: 400 },
      // One client in half a second: long enough for both of its connections to be there at a time.
      drain: { reconnectsPerSecond: 2, timeoutMs: 5_000 },
      logConnections: false,
    };
    const app = await createRealtimeTestApp({
      imports: [RealtimeModule.forRoot(options)],
      providers: [TalkGateway, { provide: Ledger, useValue: this.#ledger }],
    });
    this.#apps.push(app);
    this.#proxy.forwardTo(app.port);
  }
}
