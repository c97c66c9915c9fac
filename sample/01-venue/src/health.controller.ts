import { Controller, Get } from '@nestjs/common';
import { ConnectionRegistry } from 'nestjs-realtime';

@Controller('health')
export class HealthController {
  constructor(private readonly connections: ConnectionRegistry) {}

  @Get()
  health(): { status: 'ok'; connections: number } {
    return { status: 'ok', connections: this.connections.size };
  }
}
