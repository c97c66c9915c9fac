import { Test } from '@nestjs/testing';
import type { INestApplication } from '@nestjs/common';
import type { AddressInfo } from 'node:net';
import { MemoryBackplane, MemoryHub, RealtimeModule, type Publication } from 'nestjs-realtime';
import { TestClient } from 'nestjs-realtime/testing';
import { expect, it, onTestFinished } from 'vitest';
import { encodeReply } from '../../lib/protocol/codec.js';
import { ALL_CHANNEL } from '../../lib/protocol/channel.js';
import { REALTIME_FEATURES, type Feature } from '../../lib/realtime.features.js';
import { until } from '../rig/clock/until.js';
import { LobbyGateway, Visits } from './lobby.js';

/** A publication of the kind that this feature adds. */
interface Joined {
  readonly kind: 'probe:joined';
  readonly room: string;
}

/** `$joins { room }` replies with the joins of the room on all nodes: a feature of entries in lists, and of nothing else. */
const joins: Feature = ({ backplane, logger }) => {
  const counts = new Map<string, number>();
  const add = (room: string) => counts.set(room, (counts.get(room) ?? 0) + 1);
  const publication = (room: string) => ({ kind: 'probe:joined', room }) satisfies Joined;
  return {
    protocolMessages: [
      [
        '$joins',
        {
          receive(connection, { id, payload }) {
            const { room } = (payload ?? {}) as { room?: unknown };
            if (id === undefined) return;
            connection.sendText(encodeReply(id, { joins: counts.get(String(room)) ?? 0 }));
          },
        },
      ],
    ],
    publications: [
      [
        'probe:joined',
        (received) => {
          const { room } = received as Joined;
          if (typeof room === 'string') add(room);
        },
      ],
    ],
    membershipListeners: [
      {
        joined(_connection, room) {
          add(room);
          backplane
            .publish(ALL_CHANNEL, publication(room) as unknown as Publication)
            .catch((error: unknown) => logger.error(error));
        },
      },
    ],
  };
};

/** What the seams have called, in order. */
const record =
  (calls: string[]): Feature =>
  () => ({
    observers: [
      {
        accepted: () => calls.push('accepted'),
        closed: (_connection, { code }) => calls.push(`closed ${code}`),
      },
    ],
    recoveries: [
      {
        identified: () => calls.push('identified'),
        recover: async (connection) => {
          calls.push(`recover in ${[...connection.rooms].join()}`);
          connection.send({ type: 'said', payload: { text: 'missed' } });
          return { positions: { all: 'p1' } };
        },
      },
    ],
    services: [
      {
        start: () => void calls.push('start'),
        drain: () => void calls.push('drain'),
        stop: () => void calls.push('stop'),
      },
    ],
  });

async function startNode(hub: MemoryHub, features: readonly Feature[]) {
  const visits = new Visits();
  visits.onConnect = (connection) => connection.join('floor');
  const module = await Test.createTestingModule({
    imports: [RealtimeModule.forRoot({ backplane: new MemoryBackplane(hub), drain: false })],
    providers: [LobbyGateway, { provide: Visits, useValue: visits }],
  })
    .overrideProvider(REALTIME_FEATURES)
    .useValue(features)
    .compile();
  const app: INestApplication = module.createNestApplication({ logger: false });
  await app.listen(0, '127.0.0.1');
  onTestFinished(() => app.close());
  const { port } = app.getHttpServer().address() as AddressInfo;
  return { app, open: () => new TestClient(`ws://127.0.0.1:${port}/lobby`) };
}

it('a protocol message counts joins per room over two nodes with entries in lists alone', async () => {
  const hub = new MemoryHub();
  const [one, two] = [await startNode(hub, [joins]), await startNode(hub, [joins])];
  const [ann, bob, cyd] = [one.open(), two.open(), two.open()];
  for (const client of [ann, bob, cyd]) await client.hello();
  for (const client of [ann, bob]) {
    expect(await client.request('$joins', { room: 'floor' })).toEqual({ joins: 3 });
    expect(await client.request('$joins', { room: 'roof' })).toEqual({ joins: 0 });
  }
});

it('observers, recoveries and services are called in their order around the life of a connection', async () => {
  const calls: string[] = [];
  const { app, open } = await startNode(new MemoryHub(), [record(calls)]);
  const client = open();
  expect(await client.hello()).toMatchObject({ recovered: false, positions: { all: 'p1' } });
  expect(await client.next()).toMatchObject({ type: 'said', payload: { text: 'missed' } });
  await client.close();
  await until('the connection has closed', () => calls.some((call) => call.startsWith('closed')));
  await app.close();
  expect(calls).toEqual([
    'start',
    'accepted',
    'identified',
    'recover in floor',
    'closed 1000',
    'drain',
    'stop',
  ]);
});
