import { defineContract, RealtimeGateway, RealtimeModule } from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp } from 'nestjs-realtime/testing';
import { afterEach, describe, expect, it } from 'vitest';

const silent = defineContract({ server: { note: { payload: null } } });

@RealtimeGateway({ path: '/ws', contract: silent })
class HangingGateway {
  handleConnection(): Promise<void> {
    return new Promise(() => {});
  }
}

describe('handleConnection', () => {
  let app: RealtimeTestApp;
  afterEach(() => app.close());

  it('closes with 1013 when it does not end in time', async () => {
    app = await createRealtimeTestApp({
      imports: [RealtimeModule.forRoot({ handshakeTimeoutMs: 50, drain: { timeoutMs: 500 } })],
      providers: [HangingGateway],
    });
    const { code, reason } = await app.open('/ws').closed;
    expect({ code, reason }).toEqual({ code: 1013, reason: 'retry=5000' });
  });
});
