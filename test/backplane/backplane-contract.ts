import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BackplaneError } from '../../lib/backplane/backplane-error.js';
import type { Backplane } from '../../lib/backplane/backplane.js';
import type { Publication } from '../../lib/backplane/publication.js';
import { message, TestNode } from './test-node.js';
import { until } from '../rig/clock/until.js';

/** What a driver's nodes stand on. */
export interface Ground {
  /** One more node. */
  backplane(nodeId: string): Backplane;
  /** Takes away, and gives back, what is between the nodes; absent where nothing is. */
  readonly outage?: { begin(): Promise<void>; end(): Promise<void> };
  /** Connections that nodes hold; absent where there are none. */
  connections?(): Promise<number>;
  stop(): Promise<void>;
}

const ODD_NAMES = [
  'room:caf\u00e9 \u6771\u4eac \u{1f37d}',
  'room:two words\tand a tab',
  'room:{braces}{more}',
  'room:}{',
  'room:{}',
  'room:line\nbreak',
  'room:*',
  `room:${'long'.repeat(60)}`,
  `room:${'\u{1f37d}'.repeat(64)}`,
];

/** What `Backplane` promises in words, for every driver of it. */
export function backplaneContract(
  driver: string,
  prepare: () => Promise<Ground>,
  { canBeAway } = { canBeAway: true },
): void {
  describe(`${driver}, as a Backplane`, () => {
    let ground: Ground;
    let count = 0;
    const nodes: TestNode[] = [];

    async function node(): Promise<TestNode> {
      const made = new TestNode(ground.backplane(`node-${count++}`));
      nodes.push(made);
      return made.start();
    }

    beforeAll(async () => {
      ground = await prepare();
    }, 60_000);
    afterEach(async () => {
      await Promise.all(nodes.splice(0).map(({ backplane }) => backplane.stop()));
    });
    afterAll(async () => {
      await ground.stop();
    });

    it('delivers every publication made after subscribe has resolved', async () => {
      const [publisher, subscriber] = [await node(), await node()];
      for (let i = 0; i < 100; i++) {
        await subscriber.subscribe(`user:${i}`);
        expect(await publisher.say(`user:${i}`, `to-${i}`)).toEqual({ nodes: 1 });
      }
      await subscriber.isSubscribed(100);
      expect(new Set(subscriber.types)).toEqual(new Set(Array.from({ length: 100 }, (_, i) => `to-${i}`)));
      expect(subscriber.types).toHaveLength(100);
    });

    it('delivers a thousand of one channel once, and in the same order to all nodes', async () => {
      const [left, right, first, second] = [await node(), await node(), await node(), await node()];
      await Promise.all([first.subscribe('room:1'), second.subscribe('room:1')]);
      await Promise.all(
        Array.from({ length: 500 }, async (_, i) => {
          await Promise.all([left.say('room:1', `left-${i}`), right.say('room:1', `right-${i}`)]);
        }),
      );
      await Promise.all([first.isSubscribed(1_000), second.isSubscribed(1_000)]);
      expect(first.types).toEqual(second.types);
      expect(new Set(first.types).size).toBe(1_000);
      for (const side of ['left', 'right']) {
        const said = first.types.filter((type) => type.startsWith(side));
        expect(said).toEqual(Array.from({ length: 500 }, (_, i) => `${side}-${i}`));
      }
    });

    it("does not bring a publication back to the publisher's node", async () => {
      const [publisher, other] = [await node(), await node()];
      await Promise.all([publisher.subscribe('room:own'), other.subscribe('room:own')]);
      await publisher.say('room:own', 'mine');
      await other.say('room:own', 'theirs');
      await Promise.all([publisher.isSubscribed(1), other.isSubscribed(1)]);
      expect(publisher.types).toEqual(['theirs']);
      expect(other.types).toEqual(['mine']);
    });

    it('counts the other nodes that got it', async () => {
      const [publisher, one, two] = [await node(), await node(), await node()];
      expect(await publisher.say('room:count', 'none')).toEqual({ nodes: 0 });
      await publisher.subscribe('room:count');
      expect(await publisher.say('room:count', 'only-me')).toEqual({ nodes: 0 });
      await one.subscribe('room:count');
      await two.subscribe('room:count');
      expect(await publisher.say('room:count', 'both')).toEqual({ nodes: 2 });
      expect(await one.say('room:count', 'the others')).toEqual({ nodes: 2 });
    });

    it('subscribes once however often it is asked', async () => {
      const [publisher, subscriber] = [await node(), await node()];
      await subscriber.subscribe('room:often', 'room:often', 'room:often');
      await subscriber.subscribe('room:often');
      expect(await publisher.say('room:often', 'once')).toEqual({ nodes: 1 });
      await publisher.say('room:often', 'last');
      await subscriber.isSubscribed(2);
      expect(subscriber.types).toEqual(['once', 'last']);
    });

    it('goes quiet some seconds after unsubscribe, and misses nothing when it comes back before', async () => {
      const [publisher, subscriber] = [await node(), await node()];
      await subscriber.subscribe('room:left', 'room:back');
      subscriber.backplane.unsubscribe('room:left');
      subscriber.backplane.unsubscribe('room:back');
      await subscriber.subscribe('room:back');
      await until('nobody receives the channel', async () => {
        expect(await publisher.say('room:back', 'back')).toEqual({ nodes: 1 });
        return (await publisher.say('room:left', 'left')).nodes === 0;
      });
      const heard = subscriber.types.filter((type) => type === 'left').length;
      await publisher.say('room:left', 'left');
      await publisher.say('room:back', 'last');
      await until('the last one has come', () => subscriber.types.at(-1) === 'last');
      expect(subscriber.types.filter((type) => type === 'left')).toHaveLength(heard);
    });

    it.each(ODD_NAMES)('takes %j as a channel, and names it on receipt', async (name) => {
      const [publisher, subscriber] = [await node(), await node()];
      await subscriber.subscribe(name);
      await subscriber.subscribe(`${name}.`);
      expect(await publisher.say(name, 'odd')).toEqual({ nodes: 1 });
      await subscriber.isSubscribed(1);
      expect(subscriber.types).toEqual(['odd']);
      expect(subscriber.channels).toEqual([name]);
    });

    it('carries 256 KB unchanged', async () => {
      const [publisher, subscriber] = [await node(), await node()];
      await subscriber.subscribe('room:large');
      const text = JSON.stringify('\u6771\n'.repeat(64 * 1024)).slice(0, 256 * 1024);
      await publisher.say('room:large', 'large', text);
      await subscriber.isSubscribed(1);
      const [publication] = subscriber.received;
      expect(publication?.kind === 'message' && String(publication.text) === text).toBe(true);
    });

    it('carries each kind of publication unchanged', async () => {
      const [publisher, subscriber] = [await node(), await node()];
      await subscriber.subscribe('node:x');
      const to = { kind: 'user', key: 'u \u{1f37d}' } as const;
      const replyTo = { node: 'n', id: '1' };
      const said: Publication[] = [
        { ...message('m'), to, except: ['c', 's'], delivery: 'volatile', replyTo },
        { kind: 'disconnect', to, code: 4_500, reason: 'line\nbreak', replyTo },
        { kind: 'join', to, room: 'r', replyTo },
        { kind: 'leave', to, room: 'r' },
        { kind: 'request', to, type: 'q', payload: { deep: [1, null] }, timeoutMs: 5, replyTo },
        {
          kind: 'reply',
          id: '1',
          node: 'two',
          delivered: 2,
          dropped: 1,
          answer: { ok: true, payload: 'yes' },
        },
      ];
      for (const publication of said) await publisher.backplane.publish('node:x', publication);
      await subscriber.isSubscribed(said.length);
      const heard = subscriber.received.map((it) => ('text' in it ? { ...it, text: String(it.text) } : it));
      expect(heard).toEqual(said);
    });

    it('gives back everything when it stops', async () => {
      const before = await ground.connections?.();
      const sockets = openSockets();
      const [publisher, subscriber] = [await node(), await node()];
      await subscriber.subscribe('room:stop');
      await Promise.all(nodes.splice(0).map(({ backplane }) => backplane.stop()));
      // What a stopped client has destroyed is gone from the loop a moment later.
      await until('its sockets are gone', () => openSockets() <= sockets);
      if (before !== undefined) {
        await until('its connections are closed', async () => (await ground.connections?.()) === before);
      }
      const witness = await node();
      expect(await witness.say('room:stop', 'anyone?')).toEqual({ nodes: 0 });
      expect([...publisher.received, ...subscriber.received]).toEqual([]);
    });

    // One process has nobody between its nodes who could be away.
    if (!canBeAway) return;
    it('rejects a publish with a reason, in bounded time, while the others are out of reach', async () => {
      const outage = ground.outage as NonNullable<Ground['outage']>;
      const [publisher, subscriber] = [await node(), await node()];
      await subscriber.subscribe('room:outage');
      await outage.begin();
      const [begun, failures] = [performance.now(), new Set<string>()];
      for (let i = 0; i < 20; i++) {
        const failure: unknown = await publisher.say('room:outage', 'lost').catch((error: unknown) => error);
        expect(failure).toBeInstanceOf(BackplaneError);
        failures.add((failure as BackplaneError).reason);
      }
      expect(performance.now() - begun).toBeLessThan(15_000);
      expect([...failures].every((reason) => reason === 'unavailable' || reason === 'timeout')).toBe(true);
      await outage.end();
      await until('publications arrive again', async () => {
        await publisher.say('room:outage', 'again').catch(() => {});
        return subscriber.types.includes('again');
      });
      expect(subscriber.types).not.toContain('lost');
    }, 60_000);
  });
}

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === 'TCPSocketWrap').length;
}
