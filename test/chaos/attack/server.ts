// The server under attack: default options and an `authenticate`, and nothing else.
import 'reflect-metadata';
import type { Server } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { LoggerService } from '@nestjs/common';
import {
  ConnectionRegistry,
  OnMessage,
  RealtimeGateway,
  RealtimeMetrics,
  RealtimeModule,
  type Counter,
} from 'nestjs-realtime';
import { createRealtimeTestApp } from 'nestjs-realtime/testing';
import { onAsked, say } from '../forked-process.js';
import { fortress, FRIEND, INTRUDER, Words, type Report } from './protocol.js';

@RealtimeGateway({ path: '/ws', contract: fortress })
class FortressGateway {
  @OnMessage(fortress, 'echo')
  echo({ text }: Words): Words {
    return { text };
  }
}

const logLines: Record<string, number> = {};
const errors: string[] = [];
const uncaught: string[] = [];

const count = (level: string) => () => void (logLines[level] = (logLines[level] ?? 0) + 1);
const logger: LoggerService = {
  log: count('log'),
  warn: count('warn'),
  debug: count('debug'),
  verbose: count('verbose'),
  fatal: count('fatal'),
  error: (error: unknown) => {
    count('error')();
    if (errors.length < 5) errors.push(String(error));
  },
};
const noteUncaught = (error: unknown) =>
  void uncaught.push(error instanceof Error ? String(error.stack) : String(error));
process.on('uncaughtException', noteUncaught).on('unhandledRejection', noteUncaught);

const app = await createRealtimeTestApp(
  {
    imports: [
      RealtimeModule.forRoot({
        authenticate: ({ token }) => (token === FRIEND || token === INTRUDER ? { userId: token } : null),
      }),
    ],
    providers: [FortressGateway],
  },
  { logger },
);
const metrics = app.get(RealtimeMetrics);
const registry = app.get(ConnectionRegistry);
const server = app.app.getHttpServer() as Server;

const byLabel = (counter: Counter) =>
  Object.fromEntries(counter.samples().map(({ labels, value }) => [String(Object.values(labels)[0]), value]));

async function report(): Promise<Report> {
  // Twice: what finalizers let go of is collected by the second.
  for (let i = 0; i < 2; i++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  const sockets = await new Promise<number>((resolve) => server.getConnections((_error, n) => resolve(n)));
  return {
    rssBytes: rss,
    heapBytes: heapUsed,
    externalBytes: external,
    connections: registry.size,
    sockets,
    refusedUpgrades: byLabel(metrics.upgradesRefused),
    refusedMessages: byLabel(metrics.messagesRefused),
    closed: byLabel(metrics.connectionsClosed),
    messagesReceived: metrics.messagesReceived.total,
    loopDelayMs: [loopDelay.percentile(99) / 1e6, loopDelay.max / 1e6],
    slowConsumers: metrics.slowConsumers.total,
    uncaught,
    logLines,
    errors,
  };
}

const loopDelay = monitorEventLoopDelay({ resolution: 5 });
onAsked('watch', () => {
  loopDelay.enable();
  loopDelay.reset();
});
onAsked('report', report);
onAsked('memory', () => process.memoryUsage());
onAsked('sockets', () => new Promise((resolve) => server.getConnections((_error, n) => resolve(n))));
onAsked('close', async () => {
  setTimeout(() => process.disconnect(), 100);
  await app.close();
});
say('listening', app.port);
