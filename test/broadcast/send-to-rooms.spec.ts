import { MemoryBackplane, MemoryHub, type Publication } from 'nestjs-realtime';
import { describe, expect, it } from 'vitest';
import { openLobby, type Lobby } from '../gateway/lobby.js';

const said = { type: 'said', payload: { text: 'hello' } } as const;
const end = { type: 'said', payload: { text: 'end' } } as const;

/** The publications of a send to these rooms, as another node receives them. */
async function publicationsTo(rooms: readonly string[]): Promise<Publication[]> {
  const hub = new MemoryHub();
  const { broadcaster } = await openLobby({ backplane: new MemoryBackplane(hub) });
  const other = new MemoryBackplane(hub);
  const received: Publication[] = [];
  await other.start({
    receive: (_channel, publication) => void received.push(publication),
    stateChanged: () => {},
    interrupted: () => {},
  });
  for (const room of rooms) other.subscribe(`room:${room}`);
  expect(await broadcaster.sendToRooms(rooms, said)).toMatchObject({ nodes: 1 });
  return received;
}

/** A client on a node that receives the publications in these rooms; returns how often it gets the message. */
async function timesReceived(
  { app, broadcaster, registry }: Lobby,
  deliver: () => Promise<unknown>,
): Promise<number> {
  const client = await app.connect('/lobby');
  for (const connection of registry) for (const room of ['bar', 'floor']) await connection.join(room);
  await deliver();
  await broadcaster.broadcast(end);
  for (let times = 0; ; times++) {
    const { payload } = await client.next();
    if ((payload as { text: string }).text === 'end') return times;
  }
}

describe('sendToRooms', () => {
  it('publishes no more per room to 100 rooms than to 2', async () => {
    const names = Array.from({ length: 100 }, (_, i) => `room ${100 + i}`);
    const sizes = (publications: readonly Publication[]) =>
      new Set(publications.map((publication) => JSON.stringify(publication).length));
    const [two, hundred] = [await publicationsTo(names.slice(0, 2)), await publicationsTo(names)];
    expect(hundred).toHaveLength(100);
    expect(sizes(hundred)).toEqual(sizes(two));
  });

  it('delivers a publication of one send once to a connection in several of its rooms', async () => {
    const hub = new MemoryHub();
    const lobby = await openLobby({ backplane: new MemoryBackplane(hub) });
    const other = new MemoryBackplane(hub);
    const publications = await publicationsTo(['bar', 'floor']);
    const publish = async (...rooms: readonly string[]) => {
      for (const publication of publications) {
        if (!('to' in publication) || !rooms.includes(publication.to.key)) continue;
        await other.publish(`room:${publication.to.key}`, publication);
      }
    };
    expect(await timesReceived(lobby, () => publish('bar', 'floor'))).toBe(1);
  });

  it('delivers in a later room when the publication to an earlier one was lost', async () => {
    const hub = new MemoryHub();
    const lobby = await openLobby({ backplane: new MemoryBackplane(hub) });
    const other = new MemoryBackplane(hub);
    const [, floor] = (await publicationsTo(['bar', 'floor'])) as [Publication, Publication];
    expect(await timesReceived(lobby, () => other.publish('room:floor', floor))).toBe(1);
  });
});
