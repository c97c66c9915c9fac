import { Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { RealtimeHealth } from './realtime-health.js';

/**
 * For `@nestjs/terminus`: `health.check([() => realtime.isHealthy()])`. Down while the node drains, so that a load
 * balancer stops routing new clients to it.
 */
@Injectable()
export class RealtimeHealthIndicator {
  constructor(
    private readonly health: RealtimeHealth,
    private readonly indicators: HealthIndicatorService,
  ) {}

  /** The indicator result, under the given key. */
  isHealthy<Key extends string = 'realtime'>(key: Key = 'realtime' as Key): HealthIndicatorResult<Key> {
    const { status, connections, pendingSubscriptions } = this.health.report();
    const indicator = this.indicators.check(key);
    const details = { state: status, connections, pendingSubscriptions };
    return status === 'up' ? indicator.up(details) : indicator.down(details);
  }
}
