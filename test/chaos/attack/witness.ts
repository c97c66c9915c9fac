// What a server under attack tells of itself.
import type { Server } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { LoggerService } from '@nestjs/common';
import { ConnectionRegistry, RealtimeMetrics, type Counter } from 'nestjs-realtime';
import type { RealtimeTestApp } from 'nestjs-realtime/testing';
import { onAsked } from '../../rig/process/forked-process.js';
import type { Report } from './protocol.js';

const MAX_ERRORS = 5;

/** Keeps what is logged, and what nothing has caught, from the start of the process on. */
export class Witness {
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
        if (this.errors.length < MAX_ERRORS) this.errors.push(wordsOf(error));
      },
    };
    const noteUncaught = (error: unknown) => void this.uncaught.push(wordsOf(error));
    process.on('uncaughtException', noteUncaught).on('unhandledRejection', noteUncaught);
  }
}

/** Answers the questions of the parent process. */
export function attend(app: RealtimeTestApp, { logLines, errors, uncaught }: Witness): void {
  const [metrics, registry] = [app.get(RealtimeMetrics), app.get(ConnectionRegistry)];
  const server = app.app.getHttpServer() as Server;
  const loopDelay = monitorEventLoopDelay({ resolution: 5 });

  const sockets = () => new Promise<number>((resolve) => server.getConnections((_error, n) => resolve(n)));

  async function report(): Promise<Report> {
    // Twice: what finalizers let go of is collected by the second.
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
      heard: byLabel(metrics.backplane.received),
      messagesReceived: metrics.messagesReceived.total,
      loopDelayMs: [loopDelay.percentile(99) / 1e6, loopDelay.max / 1e6],
      slowConsumers: metrics.slowConsumers.total,
      uncaught,
      logLines,
      errors,
    };
  }

  onAsked('watch', () => {
    loopDelay.enable();
    loopDelay.reset();
  });
  onAsked('report', report);
  onAsked('memory', () => process.memoryUsage());
  onAsked('sockets', sockets);
  onAsked('close', async () => {
    setTimeout(() => process.disconnect(), 100);
    await app.close();
  });
}

function byLabel(counter: Counter): Record<string, number> {
  return Object.fromEntries(
    counter.samples().map(({ labels, value }) => [String(Object.values(labels)[0]), value]),
  );
}

/** Whatever was thrown: its own getters may throw as well. */
function wordsOf(error: unknown): string {
  try {
    return error instanceof Error ? String(error.stack) : String(error);
  } catch {
    return 'an error that cannot be read';
  }
}
