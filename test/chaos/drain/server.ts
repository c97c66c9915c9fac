// A node with default options that shuts down on SIGTERM as any Nest app does.
import 'reflect-metadata';
import { ConnectionRegistry, OnMessage, RealtimeGateway, RealtimeModule } from 'nestjs-realtime';
import { createRealtimeTestApp } from 'nestjs-realtime/testing';
import { onRequest, send } from '../../rig/process/forked-process.js';
import { Work, workshop } from './protocol.js';

@RealtimeGateway({ path: '/ws', contract: workshop })
class WorkshopGateway {
  @OnMessage(workshop, 'work')
  async work({ takesMs }: Work): Promise<Work> {
    await new Promise((resolve) => setTimeout(resolve, takesMs));
    return { takesMs };
  }
}

const app = await createRealtimeTestApp(
  { imports: [RealtimeModule.forRoot()], providers: [WorkshopGateway] },
  { configure: (nest) => nest.enableShutdownHooks() },
);
onRequest('connections', () => app.get(ConnectionRegistry).size);
send('listening', app.port);
