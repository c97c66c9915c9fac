import type { Random } from '../../random.js';
import type { Crowd, CrowdUser } from './crowd.js';
import type { CrowdConnection } from '../crowd-connection.js';
import type { DeliveryOracle } from './delivery-oracle.js';
import type { PilotedNode } from '../piloted-node.js';
import { until } from '../../../rig/clock/until.js';

/** Everything that changes who is entitled: joins, leaves, reconnects, and server-side moves and disconnects. */
export class CrowdMoves {
  constructor(
    private readonly crowd: Crowd,
    private readonly nodes: readonly PilotedNode[],
    private readonly oracle: DeliveryOracle,
    private readonly random: Random,
  ) {}

  /** Adds a member to a room below its size, otherwise adds or removes one at random. */
  async wander(): Promise<void> {
    const room = this.random.pick(this.crowd.rooms);
    const members = this.crowd.membersOf(room);
    if (members.length >= room.size && members.length > 0) {
      const leaver = this.random.pick(members);
      await this.#alone(this.crowd.userOf(leaver.userId), async () => {
        if (isSettledIn(leaver)) await this.crowd.move(leaver, 'leave', room.name);
      });
    } else {
      await this.#withSomeone(async (_user, open) => {
        const joiner = this.random.pick(open);
        if (joiner.rooms.get(room.name)?.isIn !== true) await this.crowd.move(joiner, 'join', room.name);
      });
    }
  }

  async reconnect(): Promise<void> {
    await this.#withSomeone(async (user, open) => {
      const leaver = this.random.pick(open);
      const how = this.random.next() < 0.75 ? 'close' : 'terminate';
      if (how === 'terminate') this.oracle.cutOff(leaver);
      await leaver.leave(how);
      await this.#return(user, leaver.sessionId);
    });
  }

  async joinRoom(): Promise<void> {
    await this.#userMove('joinRoom', 'in');
  }

  async leaveRoom(): Promise<void> {
    await this.#userMove('leaveRoom', 'out');
  }

  async disconnectUser(): Promise<void> {
    await this.#withSomeone((user, open) => this.#disconnect('disconnectUser', user.id, user, open));
  }

  async disconnectSession(): Promise<void> {
    await this.#withSomeone((user, open) => {
      const { sessionId } = this.random.pick(open);
      const meant = open.filter((connection) => connection.sessionId === sessionId);
      return this.#disconnect('disconnectSession', sessionId, user, meant);
    });
  }

  async disconnectConnection(): Promise<void> {
    await this.#withSomeone((user, open) => {
      const meant = this.random.pick(open);
      return this.#disconnect('disconnectConnection', meant.id, user, [meant]);
    });
  }

  async #userMove(verb: 'joinRoom' | 'leaveRoom', outcome: 'in' | 'out'): Promise<void> {
    await this.#withSomeone(async (user, open) => {
      const { name } = this.random.pick(this.crowd.rooms);
      const presences = open.map((connection) => this.crowd.presence(connection, name));
      for (const presence of presences) presence.become('changing');
      const receipt = await this.random.pick(this.nodes).receipt(verb, user.id, name);
      this.#audit(verb, user, open.length, receipt);
      // A node that did not confirm in time may still do it, so the rooms of these connections are unknown.
      if (receipt.missingNodes > 0) return;
      for (const presence of presences) presence.become(outcome);
    });
  }

  async #disconnect(
    verb: 'disconnectUser' | 'disconnectSession' | 'disconnectConnection',
    key: string,
    user: CrowdUser,
    meant: readonly CrowdConnection[],
  ): Promise<void> {
    for (const connection of meant) {
      connection.isLeaving = true;
      connection.presence.become('changing');
    }
    const receipt = await this.random.pick(this.nodes).receipt(verb, key);
    this.#audit(verb, user, meant.length, receipt);
    await until(
      `${verb} has closed all its connections`,
      () => meant.every(({ isClosed }) => isClosed),
      30_000,
    );
    for (const { sessionId } of meant) await this.#return(user, sessionId);
  }

  /** A client sees its close a moment before the server does, which may still count the connection. */
  #audit(
    verb: string,
    user: CrowdUser,
    meant: number,
    receipt: { delivered: number; missingNodes: number },
  ): void {
    const closed = [...user.connections].filter(({ isClosed, presence }) => isClosed && !presence.isIn);
    const { delivered, missingNodes } = receipt;
    if (missingNodes > 0) this.oracle.partial();
    const isTrue = delivered <= meant + closed.length && (delivered >= meant || missingNodes > 0);
    this.oracle.claim(isTrue, () => `${verb} ${JSON.stringify(receipt)}, meant ${meant}`);
  }

  async #return(user: CrowdUser, sessionId: string): Promise<void> {
    const back = await this.crowd.open(user, this.random.pick(this.nodes));
    if (this.random.next() < 0.5) await back.resume(sessionId);
  }

  async #withSomeone(act: (user: CrowdUser, open: CrowdConnection[]) => Promise<void>): Promise<void> {
    const user = this.random.pick(this.crowd.users);
    await this.#alone(user, async () => {
      const open = [...user.connections].filter(isSettledIn);
      if (open.length > 0) await act(user, open);
    });
  }

  async #alone(user: CrowdUser, act: () => Promise<void>): Promise<void> {
    if (user.isBusy) return;
    user.isBusy = true;
    try {
      await act();
    } finally {
      user.isBusy = false;
    }
  }
}

function isSettledIn({ presence, isLeaving }: CrowdConnection): boolean {
  return presence.isIn && !isLeaving;
}
