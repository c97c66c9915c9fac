import { defineContract, RealtimeGateway, type Connection } from 'nestjs-realtime';
import { RealtimeModule } from 'nestjs-realtime';
import { createRealtimeTestApp } from 'nestjs-realtime/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { GatewayPath } from '../../lib/gateway/routing/gateway-path.js';

const paramsOf = (path: string, pathname: string) => new GatewayPath(path).paramsOf(pathname);

describe('the params of a path', () => {
  const cases: [path: string, pathname: string, params: object | undefined][] = [
    ['/ws', '/ws', {}],
    ['/ws', '/WS', undefined],
    ['/venues/:venueId', '/venues/7', { venueId: '7' }],
    ['/venues/:venueId', '/venues/:venueId', { venueId: ':venueId' }],
    ['/venues/:venueId', '/venues/a%2Fb', { venueId: 'a/b' }],
    ['/venues/:venueId', '/venues/', undefined],
    ['/files/*path', '/files/a/b%20c', { path: 'a/b c' }],
    ['/files/*path', '/files/*path', { path: '*path' }],
    ['/files/*path', '/files/a%2Fb', undefined],
    ['/venues{/:venueId}', '/venues', {}],
    ['/venues{/:venueId}', '/venues/7', { venueId: '7' }],
    ['/venues{/:venueId}', '/venues{/:venueId}', undefined],
    ['/ws{/v2}', '/ws{/v2}', undefined],
    ['/ws{/v2}', '/ws/v2', {}],
    ['/venues\\:open', '/venues:open', {}],
    ['/venues\\:open', '/venues\\:open', undefined],
  ];
  it.each(cases)('%s of %s', (path, pathname, params) => {
    expect(paramsOf(path, pathname)).toEqual(params);
  });

  it('report a gateway path that cannot be parsed, with examples', () => {
    expect(() => new GatewayPath('/files/*')).toThrow(
      'Expected the path of a @RealtimeGateway to be like "/ws", "/venues/:venueId" or "/files/*rest", got "/files/*": Missing parameter name',
    );
  });
});

it('a URL equal to the pattern has params like any other', async () => {
  const seen: Connection['params'][] = [];
  @RealtimeGateway({ path: '/venues/:venueId', contract: defineContract({}) })
  class VenueGateway {
    handleConnection({ params }: Connection): void {
      seen.push(params);
    }
  }
  const app = await createRealtimeTestApp({ imports: [RealtimeModule.forRoot()], providers: [VenueGateway] });
  onTestFinished(() => app.close());
  await app.connect('/venues/:venueId');
  expect(seen).toEqual([{ venueId: ':venueId' }]);
});
