// A node on Redis whose handlers misbehave on request.
import 'reflect-metadata';
import { Broadcaster, OnMessage, RealtimeGateway, RealtimeModule, type Connection } from 'nestjs-realtime';
import { createRealtimeTestApp } from 'nestjs-realtime/testing';
import { onRequest, send } from '../../../rig/process/forked-process.js';
import { numberArgument } from '../../checks.js';
import { HEALTHY_TOKEN, Words } from '../protocol.js';
import { serveReports, ProcessLog } from '../process-report.js';
import { Anything, Behaviour, HEALTHY_ROOM, inner, ATTACKED_ROOM } from './contract.js';
import { HOSTILE_HANDLERS } from './hostile-handlers.js';

const PUBLISH_EVERY_MS = 100;

@RealtimeGateway({ path: '/ws', contract: inner })
class InnerGateway {
  handleConnection(connection: Connection): Promise<void> {
    return connection.join(connection.userId === HEALTHY_TOKEN ? HEALTHY_ROOM : ATTACKED_ROOM);
  }

  @OnMessage(inner, 'echo')
  echo({ text }: Words): Words {
    return { text };
  }

  @OnMessage(inner, 'misbehave')
  misbehave({ name }: Behaviour): Anything {
    return (HOSTILE_HANDLERS[name] as () => Anything)();
  }
}

const processLog = new ProcessLog();
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
  { logger: processLog.logger },
);
serveReports(app, processLog);
const broadcaster = app.get<Broadcaster<typeof inner>>(Broadcaster);
let ticks = 0;
let timer: NodeJS.Timeout | undefined;
/** Sends to the well-behaved client on the other node. */
onRequest('tick', () => {
  timer = setInterval(() => {
    void broadcaster.sendToRoom(HEALTHY_ROOM, { type: 'tick', payload: { text: `${++ticks}` } });
  }, PUBLISH_EVERY_MS);
});
onRequest('stop ticking', () => {
  clearInterval(timer);
  return ticks;
});
send('listening', app.port);
