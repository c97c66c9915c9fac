import { BackplaneError, type Backplane, type BackplaneListener, type Connection } from 'nestjs-realtime';
import { describe, expect, it } from 'vitest';
import { openLobby } from '../gateway/lobby.js';

type Answer = { resolve: () => void; reject: (error: Error) => void };

/** A backplane that takes every channel at once but those of `hall`, whose answers a test gives. */
class DoubtfulBackplane implements Backplane {
  readonly answers: Answer[] = [];
  readonly left: string[] = [];

  async start(listener: BackplaneListener): Promise<void> {
    listener.stateChanged('up');
  }

  subscribe(channel: string): Promise<void> | undefined {
    if (channel !== 'room:hall') return undefined;
    return new Promise((resolve, reject) => this.answers.push({ resolve, reject }));
  }

  unsubscribe(channel: string): void {
    this.left.push(channel);
  }

  async publish(): Promise<{ nodes: number }> {
    return { nodes: 0 };
  }

  async stop(): Promise<void> {}
}

const refusal = () => new BackplaneError('refused', 'check its ACL');

async function connect(): Promise<{ backplane: DoubtfulBackplane; connection: Connection }> {
  const backplane = new DoubtfulBackplane();
  const { app, visits } = await openLobby({ backplane });
  await app.connect('/lobby');
  return { backplane, connection: visits.connected[0] as Connection };
}

describe('join', () => {
  it('that is refused leaves a connection in a room it had joined before', async () => {
    const { backplane, connection } = await connect();
    const first = connection.join('hall');
    backplane.answers[0]?.resolve();
    await first;
    const second = connection.join('hall');
    backplane.answers[1]?.reject(refusal());
    await expect(second).rejects.toMatchObject({ reason: 'refused' });
    expect([...connection.rooms]).toEqual(['hall']);
    expect(backplane.left).toEqual([]);
  });

  it('that is refused takes the connection out of the room it entered with it', async () => {
    const { backplane, connection } = await connect();
    const join = connection.join('hall');
    backplane.answers[0]?.reject(refusal());
    await expect(join).rejects.toMatchObject({ reason: 'refused' });
    expect([...connection.rooms]).toEqual([]);
    expect(backplane.left).toEqual(['room:hall']);
  });

  it.each([true, false])('twice at a time ends the same for both (confirmed: %s)', async (isConfirmed) => {
    const { backplane, connection } = await connect();
    const joins = [connection.join('hall'), connection.join('hall')];
    const [first, ...others] = backplane.answers;
    if (isConfirmed) first?.resolve();
    else first?.reject(refusal());
    for (const { reject } of others) reject(refusal());
    const outcomes = (await Promise.allSettled(joins)).map(({ status }) => status);
    expect(new Set(outcomes)).toEqual(new Set([isConfirmed ? 'fulfilled' : 'rejected']));
    expect(connection.rooms.has('hall')).toBe(isConfirmed);
  });

  it('that is refused does not undo a join made after the connection had left', async () => {
    const { backplane, connection } = await connect();
    const first = connection.join('hall');
    connection.leave('hall');
    const second = connection.join('hall');
    backplane.answers[0]?.reject(refusal());
    await expect(first).rejects.toMatchObject({ reason: 'refused' });
    expect(connection.rooms.has('hall')).toBe(true);
    backplane.answers[1]?.resolve();
    await second;
    expect(connection.rooms.has('hall')).toBe(true);
  });
});
