// A node to be shut down by a signal: `shutdown-node.ts express` or `fastify`, with a deadline of one second.
import 'reflect-metadata';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { OnMessage, RealtimeGateway, RealtimeModule } from 'nestjs-realtime';
import { createRealtimeTestApp } from 'nestjs-realtime/testing';
import { Work, workshop } from '../chaos/drain/protocol.js';
import { send } from '../rig/process/forked-process.js';

@Injectable()
class Tools implements OnModuleDestroy {
  areThere = true;

  onModuleDestroy(): void {
    this.areThere = false;
  }
}

@RealtimeGateway({ path: '/ws', contract: workshop })
class WorkshopGateway {
  constructor(private readonly tools: Tools) {}

  @OnMessage(workshop, 'work')
  async work({ takesMs }: Work): Promise<Work> {
    await new Promise((resolve) => setTimeout(resolve, takesMs));
    if (!this.tools.areThere) throw new Error('the tools are gone');
    return { takesMs };
  }
}

const app = await createRealtimeTestApp(
  {
    imports: [RealtimeModule.forRoot({ drain: { timeoutMs: 1_000 }, closeTimeoutMs: 60_000 })],
    providers: [WorkshopGateway, Tools],
  },
  {
    ...(process.argv[2] === 'fastify' ? { adapter: new FastifyAdapter() } : {}),
    configure: (nest) => nest.enableShutdownHooks(),
  },
);
send('listening', app.port);
