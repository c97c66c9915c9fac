// A node on Redis whose handlers misbehave when they are asked to.
import 'reflect-metadata';
import { Broadcaster, OnMessage, RealtimeGateway, RealtimeModule, type Connection } from 'nestjs-realtime';
import { createRealtimeTestApp } from 'nestjs-realtime/testing';
import { onAsked, say } from '../../../rig/process/forked-process.js';
import { numberArgument } from '../../verdicts.js';
import { FRIEND, Words } from '../protocol.js';
import { attend, Witness } from '../witness.js';
import { Anything, Deed, GARDEN, inner, PIT } from './contract.js';
import { MISDEEDS } from './misdeeds.js';

const PUBLISH_EVERY_MS = 100;

@RealtimeGateway({ path: '/ws', contract: inner })
class InnerGateway {
  handleConnection(connection: Connection): Promise<void> {
    return connection.join(connection.userId === FRIEND ? GARDEN : PIT);
  }

  @OnMessage(inner, 'echo')
  echo({ text }: Words): Words {
    return { text };
  }

  @OnMessage(inner, 'misbehave')
  misbehave({ name }: Deed): Anything {
    return (MISDEEDS[name] as () => Anything)();
  }
}

const witness = new Witness();
const app = await createRealtimeTestApp(
  {
    imports: [
      RealtimeModule.forRoot({
        redis: `redis://127.0.0.1:${numberArgument('redis-port', 0)}`,
        authenticate: ({ token }) => (token === undefined ? null : { userId: token }),
        logConnections: false,
      }),
    ],
    providers: [InnerGateway],
  },
  { logger: witness.logger },
);
attend(app, witness);
const broadcaster = app.get<Broadcaster<typeof inner>>(Broadcaster);
let ticks = 0;
let timer: NodeJS.Timeout | undefined;
/** Sends to the client that means well, on the other node. */
onAsked('tick', () => {
  timer = setInterval(() => {
    void broadcaster.sendToRoom(GARDEN, { type: 'tick', payload: { text: `${++ticks}` } });
  }, PUBLISH_EVERY_MS);
});
onAsked('stop ticking', () => {
  clearInterval(timer);
  return ticks;
});
say('listening', app.port);
