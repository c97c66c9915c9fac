import { IsString } from 'class-validator';
import {
  Broadcaster,
  ConnectionRegistry,
  OnMessage,
  RealtimeGateway,
  RealtimeMetrics,
  RealtimeModule,
  defineContract,
  type Connection,
  type Disconnection,
  type RealtimeOptions,
} from 'nestjs-realtime';
import {
  createRealtimeTestApp,
  type RealtimeTestApp,
  type RealtimeTestAppOptions,
} from 'nestjs-realtime/testing';
import { onTestFinished } from 'vitest';
import { CapturedLog } from '../rig/process/captured-log.js';

export class Words {
  @IsString() text!: string;
}

export const lobbyContract = defineContract({
  client: {
    say: { payload: Words, reply: Words },
    shout: { payload: Words, reply: Words, cost: 10 },
    hold: { payload: Words, reply: Words },
  },
  server: {
    said: { payload: Words },
    whispered: { payload: Words, delivery: 'volatile' },
  },
});

/** What the gateway does on connect, message, refresh and disconnect, and the connections it has seen. */
export class Visits {
  readonly messages: string[] = [];
  readonly connected: Connection[] = [];
  readonly disconnected: Disconnection[] = [];
  onConnect: (connection: Connection) => unknown = () => {};
  onDisconnect: (connection: Connection, disconnection: Disconnection) => unknown = () => {};
  onRefresh: (connection: Connection) => unknown = () => {};
  /** What the reply to `hold` waits for. */
  onHold: (text: string) => unknown = () => {};

  /** Resolves with the disconnection of the next connection. */
  departure(): Promise<Disconnection> {
    return new Promise((resolve) => {
      this.onDisconnect = (_connection, disconnection) => resolve(disconnection);
    });
  }
}

@RealtimeGateway({ path: '/lobby', contract: lobbyContract })
export class LobbyGateway {
  constructor(private readonly visits: Visits) {}

  handleConnection(connection: Connection): unknown {
    this.visits.connected.push(connection);
    return this.visits.onConnect(connection);
  }

  handleDisconnect(connection: Connection, disconnection: Disconnection): unknown {
    this.visits.disconnected.push(disconnection);
    return this.visits.onDisconnect(connection, disconnection);
  }

  handleRefresh(connection: Connection): unknown {
    return this.visits.onRefresh(connection);
  }

  @OnMessage(lobbyContract, 'say')
  say({ text }: Words): Words {
    this.visits.messages.push(text);
    return { text };
  }

  @OnMessage(lobbyContract, 'shout')
  shout({ text }: Words): Words {
    return this.say({ text });
  }

  @OnMessage(lobbyContract, 'hold')
  async hold({ text }: Words): Promise<Words> {
    await this.visits.onHold(text);
    return this.say({ text });
  }
}

/** An app with one gateway at `/lobby`, and everything a test inspects. */
export interface Lobby {
  readonly app: RealtimeTestApp;
  readonly visits: Visits;
  readonly log: CapturedLog;
  readonly registry: ConnectionRegistry;
  readonly metrics: RealtimeMetrics;
  readonly broadcaster: Broadcaster<typeof lobbyContract>;
}

/** Opens the lobby; it is closed when the test is over. */
export async function openLobby(
  options: RealtimeOptions = {},
  extras: Omit<RealtimeTestAppOptions, 'logger'> = {},
): Promise<Lobby> {
  const log = new CapturedLog();
  const app = await createRealtimeTestApp(
    { imports: [RealtimeModule.forRoot(options)], providers: [LobbyGateway, Visits] },
    { ...extras, logger: log },
  );
  onTestFinished(() => app.close());
  return {
    app,
    log,
    visits: app.get(Visits),
    registry: app.get(ConnectionRegistry),
    metrics: app.get(RealtimeMetrics),
    broadcaster: app.get<Broadcaster<typeof lobbyContract>>(Broadcaster),
  };
}
