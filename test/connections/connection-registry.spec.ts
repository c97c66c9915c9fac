import { describe, expect, it } from 'vitest';
import type { Connection } from '../../lib/connections/connection.js';
import { ConnectionRegistry } from '../../lib/connections/connection-registry.js';
import { excludes } from '../../lib/connections/exclusions.js';
import type { ChannelSubscriptions, MembershipListener } from '../../lib/connections/membership-listener.js';

/** The part of a connection that the registry uses. */
function connection(id: string, sessionId: string, userId?: string): Connection {
  const rooms = new Set<string>();
  const fake = {
    id,
    sessionId,
    userId,
    rooms,
    enterRoom: (room: string) => rooms.size !== rooms.add(room).size,
    exitRoom: (room: string) => rooms.delete(room),
    resumeSession: (resumed: string) => (fake.sessionId = resumed),
  };
  return fake as unknown as Connection;
}

/** Records what the registry calls, in order. */
class Recorder implements ChannelSubscriptions, MembershipListener {
  readonly calls: string[] = [];
  refused: string | undefined;

  ready(channel: string): Promise<void> | undefined {
    this.calls.push(`ready ${channel}`);
    return channel === this.refused ? Promise.reject(new Error('refused')) : undefined;
  }

  release(channel: string): void {
    this.calls.push(`release ${channel}`);
  }

  isPending(channel: string): boolean {
    return channel === 'room:pending';
  }

  opened({ id }: Connection): void {
    this.calls.push(`opened ${id}`);
  }

  closed({ id, rooms }: Connection): void {
    this.calls.push(`closed ${id} in ${[...rooms].join()}`);
  }

  joined({ id }: Connection, room: string): void {
    this.calls.push(`joined ${id} ${room}`);
  }

  left({ id }: Connection, room: string): void {
    this.calls.push(`left ${id} ${room}`);
  }

  take(): string[] {
    return this.calls.splice(0);
  }
}

function open() {
  const recorder = new Recorder();
  return { recorder, registry: new ConnectionRegistry(recorder, [recorder, {}]) };
}

describe('a ConnectionRegistry', () => {
  it('finds connections by id, user, session and room, until they are removed', async () => {
    const { registry } = open();
    const [one, two, anonymous] = [
      connection('1', 's', 'ann'),
      connection('2', 's', 'ann'),
      connection('3', 't'),
    ];
    for (const each of [one, two, anonymous]) await registry.add(each);
    await registry.join(one, 'hall');
    await registry.join(anonymous, 'hall');
    expect([registry.get('1'), registry.get('4')]).toEqual([one, undefined]);
    expect(registry.ofUser('ann')).toEqual([one, two]);
    expect(registry.ofSession('s')).toEqual([one, two]);
    expect(registry.inRoom('hall')).toEqual([one, anonymous]);
    expect([...registry]).toEqual([one, two, anonymous]);
    expect(registry.counts).toEqual({ connections: 3, users: 1, sessions: 2, rooms: 1 });
    for (const each of [one, two, anonymous]) registry.remove(each);
    expect(registry.counts).toEqual({ connections: 0, users: 0, sessions: 0, rooms: 0 });
    expect([registry.ofUser('ann'), registry.inRoom('hall')]).toEqual([[], []]);
  });

  it('reports connections and memberships to its listeners, once each', async () => {
    const { registry, recorder } = open();
    const one = connection('1', 's', 'ann');
    await registry.add(one);
    expect(recorder.take()).toEqual(['opened 1', 'ready user:ann']);
    await registry.join(one, 'hall');
    await registry.join(one, 'hall');
    expect(recorder.take()).toEqual(['joined 1 hall', 'ready room:hall', 'ready room:hall']);
    registry.leave(one, 'hall');
    registry.leave(one, 'hall');
    expect(recorder.take()).toEqual(['release room:hall', 'left 1 hall']);
    await registry.join(one, 'bar');
    recorder.take();
    registry.remove(one);
    registry.remove(one);
    expect(recorder.take()).toEqual(['release user:ann', 'release room:bar', 'closed 1 in bar']);
  });

  it('releases a channel only with its last member', async () => {
    const { registry, recorder } = open();
    const [one, two] = [connection('1', 's', 'ann'), connection('2', 't', 'ann')];
    for (const each of [one, two]) {
      await registry.add(each);
      await registry.join(each, 'hall');
    }
    recorder.take();
    registry.remove(one);
    expect(recorder.take()).toEqual(['closed 1 in hall']);
    registry.remove(two);
    expect(recorder.take()).toEqual(['release user:ann', 'release room:hall', 'closed 2 in hall']);
  });

  it('reports a join that the backplane refuses as a leave', async () => {
    const { registry, recorder } = open();
    const one = connection('1', 's');
    await registry.add(one);
    recorder.refused = 'room:hall';
    await expect(registry.join(one, 'hall')).rejects.toThrow('refused');
    expect(recorder.take()).toEqual([
      'opened 1',
      'joined 1 hall',
      'ready room:hall',
      'release room:hall',
      'left 1 hall',
    ]);
    expect(one.rooms.size).toBe(0);
  });

  it('puts no connection that it does not have into a room, and refuses a bad room name', async () => {
    const { registry, recorder } = open();
    await registry.join(connection('1', 's'), 'hall');
    expect([recorder.take(), registry.inRoom('hall')]).toEqual([[], []]);
    await expect(registry.join(connection('1', 's'), '')).rejects.toThrow(TypeError);
  });

  it('lets a connection resume a session unless another user has it', async () => {
    const { registry } = open();
    const [one, two, three] = [
      connection('1', 's', 'ann'),
      connection('2', 't', 'ann'),
      connection('3', 'u', 'bob'),
    ];
    for (const each of [one, two, three]) await registry.add(each);
    registry.resumeSession(two, 's');
    registry.resumeSession(three, 's');
    expect(registry.ofSession('s')).toEqual([one, two]);
    expect(registry.ofSession('u')).toEqual([three]);
  });

  it('knows which rooms do not get the messages of other nodes yet', () => {
    const { registry } = open();
    expect([registry.isPending('pending'), registry.isPending('hall')]).toEqual([true, false]);
  });
});

describe('excludes', () => {
  const one = connection('1', 's');
  (one.rooms as Set<string>).add('hall');
  const none = new Set<string>();

  it.each([
    [{ except: none, exceptRooms: none }, false],
    [{ except: new Set(['1']), exceptRooms: none }, true],
    [{ except: new Set(['s']), exceptRooms: none }, true],
    [{ except: new Set(['2', 't']), exceptRooms: none }, false],
    [{ except: none, exceptRooms: new Set(['bar', 'hall', 'attic']) }, true],
    [{ except: none, exceptRooms: new Set(['bar']) }, false],
  ])('is decided by connection, session and rooms: %o', (exclusions, isExcluded) => {
    expect(excludes(one, exclusions)).toBe(isExcluded);
  });
});
