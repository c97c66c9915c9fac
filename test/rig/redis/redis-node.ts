import type { LoggerService } from '@nestjs/common';
import { RedisBackplane } from '../../../lib/backplane/redis/redis-backplane.js';
import { RedisLog } from '../../../lib/backplane/redis/redis-log.js';
import type { RedisConfiguration } from '../../../lib/backplane/redis/client/redis-configuration.js';
import { BackplaneMetrics } from '../../../lib/metrics/backplane-metrics.js';
import { RecordingNode } from '../../../lib/testing/recording-node.js';

export const PREFIX = 'realtime';

/** A node on Redis that keeps what it logs and counts. */
export class RedisNode extends RecordingNode {
  readonly lines: string[];
  readonly metrics: BackplaneMetrics;
  override readonly backplane: RedisBackplane;

  constructor(redis: RedisConfiguration, nodeId: string, prefix = PREFIX) {
    const [lines, metrics] = [[] as string[], new BackplaneMetrics()];
    const backplane = new RedisBackplane({ redis, prefix, nodeId }, metrics, new RedisLog(linesTo(lines)));
    super(backplane);
    this.backplane = backplane;
    this.lines = lines;
    this.metrics = metrics;
  }
}

export function linesTo(lines: string[]): LoggerService {
  const write = (line: string) => lines.push(line);
  return { log: write, warn: write, error: write };
}
