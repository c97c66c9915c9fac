// The server under attack: default options and an `authenticate`.
import 'reflect-metadata';
import { OnMessage, RealtimeGateway, RealtimeModule } from 'nestjs-realtime';
import { createRealtimeTestApp } from 'nestjs-realtime/testing';
import { say } from '../../rig/process/forked-process.js';
import { fortress, FRIEND, INTRUDER, Words } from './protocol.js';
import { attend, Witness } from './witness.js';

@RealtimeGateway({ path: '/ws', contract: fortress })
class FortressGateway {
  @OnMessage(fortress, 'echo')
  echo({ text }: Words): Words {
    return { text };
  }
}

const witness = new Witness();

const app = await createRealtimeTestApp(
  {
    imports: [
      RealtimeModule.forRoot({
        authenticate: ({ token }) => (token === FRIEND || token === INTRUDER ? { userId: token } : null),
      }),
    ],
    providers: [FortressGateway],
  },
  { logger: witness.logger },
);
attend(app, witness);
say('listening', app.port);
