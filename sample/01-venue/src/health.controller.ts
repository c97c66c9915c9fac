import { Controller, Get, ServiceUnavailableException } from '@nestjs/common';
import { type HealthReport, RealtimeHealth } from 'nestjs-realtime';

@Controller('health')
export class HealthController {
  constructor(private readonly realtime: RealtimeHealth) {}

  /** 503 while this node drains, and while Redis is down. */
  @Get()
  health(): HealthReport {
    const report = this.realtime.report();
    if (!this.realtime.isReady) throw new ServiceUnavailableException(report);
    return report;
  }
}
