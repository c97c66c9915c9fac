import { Broadcaster, ConnectionRegistry } from 'nestjs-realtime';
import { describe, expect, it } from 'vitest';
import { openLobby } from '../gateway/lobby.js';

const said = { type: 'said', payload: { text: 'hello' } } as const;

/** An untyped broadcaster, and a client that must receive nothing. */
async function open() {
  const { app, broadcaster } = await openLobby({ authenticate: () => ({ userId: 'ann' }) });
  const client = await app.connect('/lobby');
  return { client, app, typed: broadcaster, broadcaster: broadcaster as unknown as Untyped };
}
type Untyped = Record<keyof Broadcaster, (...args: unknown[]) => Promise<unknown>>;

const noIds: [unknown, string][] = [
  [undefined, 'undefined'],
  [null, 'null'],
  ['', 'an empty text'],
  [42, '42'],
  [{ id: 'ann' }, 'a value of type object'],
  [['ann'], 'a list'],
];

describe.each([
  ['sendToUser', 'a user id'],
  ['sendToConnection', 'a connection id'],
  ['requestFromUser', 'a user id'],
  ['requestFromConnection', 'a connection id'],
  ['disconnectUser', 'a user id'],
  ['disconnectSession', 'a session id'],
  ['disconnectConnection', 'a connection id'],
  ['joinRoom', 'a user id'],
  ['leaveRoom', 'a user id'],
] as const)('%s()', (method, what) => {
  it('refuses an invalid id and names what it expected and got', async () => {
    const { broadcaster } = await open();
    for (const [id, got] of noIds) {
      await expect(broadcaster[method](id, said)).rejects.toThrow(
        `Expected ${what}, a text that is not empty, got ${got}.`,
      );
    }
  });
});

const noRooms: [unknown, string][] = [
  [undefined, 'a value of type undefined'],
  [null, 'null'],
  ['', 'an empty text'],
  [7, 'a value of type number'],
  ['x'.repeat(257), '257 characters'],
  ['🍕'.repeat(128) + '\u0000', '257 characters'],
  ['€'.repeat(200), '600 bytes of UTF-8, which is more than 512'],
  ['a\nb', 'one with control characters'],
  ['a\u0085b', 'one with control characters'],
  ['a\ud800b', 'one with a lone surrogate'],
];

describe('an invalid room name', () => {
  it.each(noRooms)('is refused by every method: %#', async (room, fault) => {
    const { app, broadcaster } = await open();
    const [connection] = [...app.get(ConnectionRegistry)];
    const sentence = `Expected a room name of 1 to 256 characters, got ${fault}.`;
    for (const refused of [
      broadcaster.sendToRoom(room, said),
      broadcaster.sendToRooms(['floor', room], said),
      broadcaster.joinRoom('ann', room),
      broadcaster.joinRoom('carol', room),
      broadcaster.leaveRoom('ann', room),
      connection?.join(room as string),
    ]) {
      await expect(refused).rejects.toThrow(sentence);
    }
    expect(app.get(ConnectionRegistry).counts.rooms).toBe(0);
  });

  it.each(['venue:1', 'chat/42', 'a b', 'Zürich/Café 🍕', 'x'.repeat(256), '🍕'.repeat(128)])(
    'is not %s',
    async (room) => {
      const { typed, app } = await open();
      const [connection] = [...app.get(ConnectionRegistry)];
      await connection?.join(room);
      expect(await typed.sendToRoom(room, said)).toMatchObject({ delivered: 1 });
    },
  );
});

describe('a send', () => {
  it('of a type without a contract lists the known types and reaches no client', async () => {
    const { broadcaster, client } = await open();
    const wrong = { type: 'sayd', payload: { text: 'x' } };
    for (const refused of [
      broadcaster.broadcast(wrong),
      broadcaster.sendToUser('ann', wrong),
      broadcaster.requestFromUser('ann', wrong),
    ]) {
      await expect(refused).rejects.toThrow(
        /^Expected a server message that a contract knows, got the type "sayd": declare it .* Known are: said, whispered\.$/,
      );
    }
    await expect(client.request('nothing')).rejects.toMatchObject({ code: 'UNKNOWN_TYPE' });
    expect(client.frames).toEqual([]);
  });

  it.each([undefined, null, 'said', { payload: 1 }, { type: 7 }])(
    'of an invalid message is refused: %#',
    async (message) => {
      const { broadcaster } = await open();
      await expect(broadcaster.broadcast(message)).rejects.toThrow('Expected a message { type, payload }');
    },
  );

  it('to a string in place of a list is refused', async () => {
    const { broadcaster } = await open();
    await expect(broadcaster.sendToUsers('ann', said)).rejects.toThrow('Expected a list of user ids, got');
    await expect(broadcaster.sendToRooms('floor', said)).rejects.toThrow('Expected a list of rooms, got');
  });

  it.each([[{ id: 'x' }], [[1]], [7]])('except %j is refused', async (except) => {
    const { broadcaster } = await open();
    await expect(broadcaster.broadcast(said, { except })).rejects.toThrow('Expected the option except');
  });

  it('except more ids than other nodes accept is refused, and reaches no client', async () => {
    const { broadcaster, client } = await open();
    const except = Array.from({ length: 10_001 }, (_, i) => `c${i}`);
    await expect(broadcaster.broadcast(said, { except })).rejects.toThrow(
      'Expected at most 10000 ids in the option except, got 10001',
    );
    await expect(client.request('nothing')).rejects.toMatchObject({ code: 'UNKNOWN_TYPE' });
    expect(client.frames).toEqual([]);
  });

  it.each([Infinity, 0, Number.NaN])(
    'that waits %s ms for confirmation is refused',
    async (confirmWithinMs) => {
      const { broadcaster } = await open();
      await expect(broadcaster.broadcast(said, { confirmWithinMs })).rejects.toThrow(RangeError);
    },
  );

  it('that requests a reply which the contract does not declare is refused', async () => {
    const { broadcaster } = await open();
    await expect(broadcaster.requestFromUser('ann', said)).rejects.toThrow(
      'Expected a server message with a reply in its contract, got "said"',
    );
  });
});

describe('sendToRooms', () => {
  const names = (count: number) => Array.from({ length: count }, (_, i) => `room ${i}`);

  it('accepts 100 rooms, and reaches a client in all of them once', async () => {
    const { typed, app, client } = await open();
    const [connection] = [...app.get(ConnectionRegistry)];
    for (const name of names(100)) await connection?.join(name);
    expect(await typed.sendToRooms([...names(100), ...names(100)], said)).toMatchObject({ delivered: 1 });
    await expect(client.request('nothing')).rejects.toMatchObject({ code: 'UNKNOWN_TYPE' });
    expect(client.frames).toEqual([said]);
  });

  it('refuses more than 100 rooms', async () => {
    const { broadcaster } = await open();
    const sent = broadcaster.sendToRooms(names(101), said);
    await expect(sent).rejects.toThrow(RangeError);
    await expect(sent).rejects.toThrow(
      'Expected at most 100 rooms in one send, got 101: send in several parts',
    );
  });
});
