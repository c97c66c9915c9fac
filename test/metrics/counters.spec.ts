import { RealtimeException, type Gauge } from 'nestjs-realtime';
import { describe, expect, it } from 'vitest';
import { openLobby, type Lobby } from '../gateway/lobby.js';
import { upgrade } from '../rig/sockets/upgrade-request.js';

const gauge = ({ metrics }: Lobby, name: string) =>
  (metrics.all.find((metric) => metric.name === name) as Gauge).samples()[0]?.value;

describe('gauges', () => {
  it('follow the connections, users and rooms', async () => {
    const lobby = await openLobby({
      authenticate: ({ token }) => (token === undefined ? null : { userId: token }),
    });
    lobby.visits.onConnect = (connection) => connection.join(`room of ${connection.userId}`);
    const look = () =>
      ['realtime_connections', 'realtime_users', 'realtime_rooms', 'realtime_unauthenticated'].map((name) =>
        gauge(lobby, name),
      );
    expect(look()).toEqual([0, 0, 0, 0]);
    const first = await lobby.app.connect('/lobby', { token: 'ann' });
    await lobby.app.connect('/lobby', { token: 'ann' });
    await lobby.app.connect('/lobby', { token: 'bob' });
    const anonymous = lobby.app.open('/lobby');
    anonymous.send({ type: 'ping' });
    await anonymous.next();
    expect(look()).toEqual([3, 2, 2, 1]);
    const gone = lobby.visits.departure();
    await first.close();
    await gone;
    expect(look()).toEqual([2, 2, 2, 1]);
  });

  it('report that the node is draining', async () => {
    const lobby = await openLobby();
    expect(gauge(lobby, 'realtime_draining')).toBe(0);
    await lobby.app.close();
    expect(gauge(lobby, 'realtime_draining')).toBe(1);
  });
});

describe('counters', () => {
  it('count opened and closed connections, and received and sent messages', async () => {
    const { app, metrics, visits } = await openLobby();
    const client = await app.connect('/lobby');
    expect([
      metrics.connectionsOpened.total,
      metrics.messagesReceived.total,
      metrics.messagesSent.total,
    ]).toEqual([1, 0, 1]);
    await client.request('say', { text: 'a' });
    client.sendText('no JSON');
    await client.nextOfType('$error');
    expect([metrics.messagesReceived.total, metrics.messagesSent.total]).toEqual([2, 3]);
    const gone = visits.departure();
    client.socket.close(4321);
    await gone;
    expect(metrics.connectionsClosed.samples()).toEqual([{ labels: { code: 'other' }, value: 1 }]);
    expect(metrics.connectionDuration.count).toBe(1);
  });

  it('count refused messages by the code the client got, with codes of the app as "other"', async () => {
    const { app, metrics, visits } = await openLobby();
    const client = await app.connect('/lobby');
    visits.onHold = (text) => {
      throw new RealtimeException(text);
    };
    const refused: [type: string, payload: unknown][] = [
      ['hold', { text: 'TABLE_TAKEN' }],
      ['hold', { text: 'FORBIDDEN' }],
      ['say', { text: 7 }],
      ['unknown', null],
    ];
    for (const [type, payload] of refused) await client.request(type, payload).catch(() => {});
    const counted = metrics.messagesRefused.samples().map(({ labels, value }) => [labels['code'], value]);
    expect(Object.fromEntries(counted)).toEqual({
      other: 1,
      FORBIDDEN: 1,
      VALIDATION_FAILED: 1,
      UNKNOWN_TYPE: 1,
    });
    expect(metrics.handlerDuration.count).toBe(3);
  });

  it('count hooks that threw, by name', async () => {
    const { app, metrics, visits } = await openLobby();
    visits.onConnect = () => {
      throw new Error('no');
    };
    await app.open('/lobby').closed;
    visits.onConnect = () => {};
    const gone = new Promise<void>((resolve) => {
      visits.onDisconnect = () => {
        resolve();
        throw new Error('no');
      };
    });
    await (await app.connect('/lobby')).close();
    await gone;
    await new Promise(setImmediate);
    const counted = metrics.hookFailures.samples().map(({ labels, value }) => [labels['hook'], value]);
    expect(counted).toEqual([
      ['handleConnection', 1],
      ['handleDisconnect', 1],
    ]);
  });

  it('count volatile messages dropped for a slow client, and its close as too slow', async () => {
    const { app, metrics, visits, broadcaster, registry } = await openLobby({ closeTimeoutMs: 50 });
    const client = await app.connect('/lobby');
    const gone = visits.departure();
    const [connection] = registry;
    client.socket.pause();
    const text = 'a'.repeat(50_000);
    for (let sent = 0; metrics.messagesDropped.total === 0 && sent < 2_000; sent++) {
      await broadcaster.broadcast({ type: 'said', payload: { text } });
      if ((connection?.queuedBytes ?? 0) <= 200_000) continue;
      await broadcaster.broadcast({ type: 'whispered', payload: { text } });
    }
    expect(metrics.messagesDropped.total).toBe(1);
    expect(metrics.slowConsumers.total).toBe(0);
    while (connection?.isOpen === true) await broadcaster.broadcast({ type: 'said', payload: { text } });
    await gone;
    expect(metrics.slowConsumers.total).toBe(1);
    client.socket.terminate();
  });
});

describe('labels', () => {
  it('of close codes are bounded: 2,000 codes of clients share one', { timeout: 60_000 }, async () => {
    const { app, metrics } = await openLobby({ logConnections: false, rateLimit: false });
    for (let from = 3_000; from < 5_000; from += 100) {
      await Promise.all(
        Array.from({ length: 100 }, async (_, i) => {
          const client = await app.connect('/lobby');
          client.socket.close(from + i);
          await client.closed;
        }),
      );
    }
    await app.close();
    const labels = metrics.connectionsClosed.samples().map(({ labels }) => labels['code']);
    expect(labels.length).toBeLessThanOrEqual(12);
    expect(metrics.connectionsClosed.of('other')).toBeGreaterThan(1_900);
    expect(metrics.connectionsClosed.total).toBe(2_000);
  });

  it('of refusals do not grow with client input', async () => {
    const { app, metrics } = await openLobby({ maxProtocolErrors: 1_000 });
    const client = await app.connect('/lobby');
    for (let i = 0; i < 100; i++) {
      await client.request(`type ${i}`, {}).catch(() => {});
      await upgrade(app.port, {
        path: `/lobby?ticket=${i}`,
        headers: { Origin: `https://evil${i}.example` },
      });
    }
    expect(metrics.messagesRefused.samples()).toHaveLength(1);
    expect(metrics.upgradesRefused.samples()).toEqual([{ labels: { reason: 'origin' }, value: 100 }]);
  });
});
