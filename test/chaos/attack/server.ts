// The server under attack: default options and an `authenticate`.
import 'reflect-metadata';
import { OnMessage, RealtimeGateway, RealtimeModule } from 'nestjs-realtime';
import { createRealtimeTestApp } from 'nestjs-realtime/testing';
import { send } from '../../rig/process/forked-process.js';
import { fortress, HEALTHY_TOKEN, INTRUDER, Words } from './protocol.js';
import { serveReports, ProcessLog } from './process-report.js';

@RealtimeGateway({ path: '/ws', contract: fortress })
class AttackedGateway {
  @OnMessage(fortress, 'echo')
  echo({ text }: Words): Words {
    return { text };
  }
}

const processLog = new ProcessLog();

const app = await createRealtimeTestApp(
  {
    imports: [
      RealtimeModule.forRoot({
        authenticate: ({ token }) =>
          token === HEALTHY_TOKEN || token === INTRUDER ? { userId: token } : null,
      }),
    ],
    providers: [AttackedGateway],
  },
  { logger: processLog.logger },
);
serveReports(app, processLog);
send('listening', app.port);
