// What a server under attack reports about itself.
import type { Server } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { LoggerService } from '@nestjs/common';
import { ConnectionRegistry, RealtimeMetrics, type Counter } from 'nestjs-realtime';
import type { RealtimeTestApp } from 'nestjs-realtime/testing';
import { onRequest } from '../../rig/process/forked-process.js';
import type { Report } from './protocol.js';

const MAX_ERRORS = 5;

/** Counts log lines and records uncaught errors from the start of the process. */
export class ProcessLog {
  readonly logLines: Record<string, number> = {};
  readonly errors: string[] = [];
  readonly uncaught: string[] = [];
  readonly logger: LoggerService;

  constructor() {
    const count = (level: string) => () => void (this.logLines[level] = (this.logLines[level] ?? 0) + 1);
    this.logger = {
      log: count('log'),
      warn: count('warn'),
      debug: count('debug'),
      verbose: count('verbose'),
      fatal: count('fatal'),
      error: (error: unknown) => {
        count('error')();
        if (this.errors.length < MAX_ERRORS) this.errors.push(textOf(error));
      },
    };
    const noteUncaught = (error: unknown) => void this.uncaught.push(textOf(error));
    process.on('uncaughtException', noteUncaught).on('unhandledRejection', noteUncaught);
  }
}

/** Registers the reports that the parent process can request. */
export function serveReports(app: RealtimeTestApp, { logLines, errors, uncaught }: ProcessLog): void {
  const [metrics, registry] = [app.get(RealtimeMetrics), app.get(ConnectionRegistry)];
  const server = app.app.getHttpServer() as Server;
  const loopDelay = monitorEventLoopDelay({ resolution: 5 });

  const sockets = () => new Promise<number>((resolve) => server.getConnections((_error, n) => resolve(n)));

  async function report(): Promise<Report> {
    // Twice: the second run collects what finalizers released in the first.
    for (let i = 0; i < 2; i++) {
      globalThis.gc?.();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const { rss, heapUsed, external } = process.memoryUsage();
    return {
      rssBytes: rss,
      heapBytes: heapUsed,
      externalBytes: external,
      connections: registry.size,
      sockets: await sockets(),
      refusedUpgrades: byLabel(metrics.upgradesRefused),
      refusedMessages: byLabel(metrics.messagesRefused),
      closed: byLabel(metrics.connectionsClosed),
      publications: byLabel(metrics.backplane.received),
      messagesReceived: metrics.messagesReceived.total,
      loopDelayMs: [loopDelay.percentile(99) / 1e6, loopDelay.max / 1e6],
      slowConsumers: metrics.slowConsumers.total,
      uncaught,
      logLines,
      errors,
    };
  }

  onRequest('watch', () => {
    loopDelay.enable();
    loopDelay.reset();
  });
  onRequest('report', report);
  onRequest('memory', () => process.memoryUsage());
  onRequest('sockets', sockets);
  onRequest('close', async () => {
    setTimeout(() => process.disconnect(), 100);
    await app.close();
  });
}

function byLabel(counter: Counter): Record<string, number> {
  return Object.fromEntries(
    counter.samples().map(({ labels, value }) => [String(Object.values(labels)[0]), value]),
  );
}

/** The text of a thrown value, whose own getters may throw. */
function textOf(error: unknown): string {
  try {
    return error instanceof Error ? String(error.stack) : String(error);
  } catch {
    return 'an error that cannot be read';
  }
}
