// A node that is shut down by a signal: `shutdown-node.ts express` or `fastify`, with a deadline of one second.
import 'reflect-metadata';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { OnMessage, RealtimeGateway, RealtimeModule } from 'nestjs-realtime';
import { createRealtimeTestApp } from 'nestjs-realtime/testing';
import { Work, workshop } from '../chaos/drain/protocol.js';
import { say } from '../chaos/forked-process.js';

@RealtimeGateway({ path: '/ws', contract: workshop })
class WorkshopGateway {
  @OnMessage(workshop, 'work')
  async work({ takesMs }: Work): Promise<Work> {
    await new Promise((resolve) => setTimeout(resolve, takesMs));
    return { takesMs };
  }
}

const app = await createRealtimeTestApp(
  {
    imports: [RealtimeModule.forRoot({ drain: { timeoutMs: 1_000 }, closeTimeoutMs: 60_000 })],
    providers: [WorkshopGateway],
  },
  {
    ...(process.argv[2] === 'fastify' ? { adapter: new FastifyAdapter() } : {}),
    configure: (nest) => nest.enableShutdownHooks(),
  },
);
say('listening', app.port);
