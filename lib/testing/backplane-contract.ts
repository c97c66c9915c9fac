import assert from 'node:assert/strict';
import { BackplaneError } from '../backplane/backplane-error.js';
import type { Backplane } from '../backplane/backplane.js';
import type { Publication } from '../backplane/publication.js';
import { eventually, message, RecordingNode } from './recording-node.js';

/** What a driver's nodes need; the caller prepares it before the cases and disposes of it after them. */
export interface BackplaneGround {
  /** Makes the backplane of one more node. */
  backplane(nodeId: string): Backplane;
  /** Interrupts, and restores, what connects the nodes; absent where that is impossible. */
  readonly outage?: { begin(): Promise<void>; end(): Promise<void> };
  /** Counts the connections of all nodes; absent where there are none. */
  connections?(): Promise<number>;
}

/** One promise of `Backplane`, as a test of any test runner: `run` rejects when the driver does not keep it. */
export interface BackplaneCase {
  readonly title: string;
  readonly timeoutMs: number;
  run(): Promise<void>;
}

export interface BackplaneContractOptions {
  /** Whether something that can fail connects the nodes; `false` leaves out the case that needs `outage`. @default true */
  readonly canBeInterrupted?: boolean;
}

type NewNode = () => Promise<RecordingNode>;
type Test = (node: NewNode, ground: BackplaneGround) => Promise<void>;

/**
 * The test cases that every driver of `Backplane` has to pass. `ground` is called when a case runs:
 * `for (const { title, run, timeoutMs } of backplaneContract(() => ground)) it(title, run, timeoutMs);`
 */
export function backplaneContract(
  ground: () => BackplaneGround,
  { canBeInterrupted = true }: BackplaneContractOptions = {},
): readonly BackplaneCase[] {
  let count = 0;
  const toCase = (title: string, test: Test, timeoutMs: number): BackplaneCase => ({
    title,
    timeoutMs,
    run: async () => {
      const nodes: RecordingNode[] = [];
      const newNode = () => {
        const node = new RecordingNode(ground().backplane(`node-${count++}`));
        nodes.push(node);
        return node.start();
      };
      try {
        await test(newNode, ground());
      } finally {
        await Promise.all(nodes.map(({ backplane }) => backplane.stop()));
      }
    },
  });
  const cases = [
    ...Object.entries(CASES).map(([title, test]) => toCase(title, test, 30_000)),
    ...ODD_NAMES.map((name) => {
      const title = `takes ${JSON.stringify(name)} as a channel, and names it on receipt`;
      return toCase(title, (newNode) => takesChannel(newNode, name), 30_000);
    }),
  ];
  if (!canBeInterrupted) return cases;
  const title = 'rejects a publish with a reason, in bounded time, while the others are out of reach';
  return [...cases, toCase(title, rejectsDuringOutage, 60_000)];
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

const CASES: Readonly<Record<string, Test>> = {
  'delivers every publication made after subscribe has resolved': async (newNode) => {
    const [publisher, subscriber] = [await newNode(), await newNode()];
    const types = Array.from({ length: 100 }, (_, i) => `to-${i}`);
    for (const [i, type] of types.entries()) {
      await subscriber.subscribe(`user:${i}`);
      assert.deepEqual(await publisher.publish(`user:${i}`, type), { nodes: 1 });
    }
    await subscriber.hasReceived(100);
    assert.deepEqual(subscriber.types.toSorted(), types.toSorted());
  },

  'delivers a thousand of one channel once, and in the same order to all nodes': async (newNode) => {
    const [left, right, first, second] = [await newNode(), await newNode(), await newNode(), await newNode()];
    await Promise.all([first.subscribe('room:1'), second.subscribe('room:1')]);
    await Promise.all(
      Array.from({ length: 500 }, async (_, i) => {
        await Promise.all([left.publish('room:1', `left-${i}`), right.publish('room:1', `right-${i}`)]);
      }),
    );
    await Promise.all([first.hasReceived(1_000), second.hasReceived(1_000)]);
    assert.deepEqual(first.types, second.types);
    assert.equal(first.types.length, 1_000);
    for (const side of ['left', 'right']) {
      const published = first.types.filter((type) => type.startsWith(side));
      assert.deepEqual(
        published,
        Array.from({ length: 500 }, (_, i) => `${side}-${i}`),
      );
    }
  },

  "does not bring a publication back to the publisher's node": async (newNode) => {
    const [publisher, other] = [await newNode(), await newNode()];
    await Promise.all([publisher.subscribe('room:own'), other.subscribe('room:own')]);
    await publisher.publish('room:own', 'mine');
    await other.publish('room:own', 'theirs');
    await Promise.all([publisher.hasReceived(1), other.hasReceived(1)]);
    assert.deepEqual([publisher.types, other.types], [['theirs'], ['mine']]);
  },

  'counts the other nodes that got it': async (newNode) => {
    const [publisher, one, two] = [await newNode(), await newNode(), await newNode()];
    assert.deepEqual(await publisher.publish('room:count', 'none'), { nodes: 0 });
    await publisher.subscribe('room:count');
    assert.deepEqual(await publisher.publish('room:count', 'only-me'), { nodes: 0 });
    await one.subscribe('room:count');
    await two.subscribe('room:count');
    assert.deepEqual(await publisher.publish('room:count', 'both'), { nodes: 2 });
    assert.deepEqual(await one.publish('room:count', 'the others'), { nodes: 2 });
  },

  'subscribes once however often it is asked': async (newNode) => {
    const [publisher, subscriber] = [await newNode(), await newNode()];
    await subscriber.subscribe('room:often', 'room:often', 'room:often');
    await subscriber.subscribe('room:often');
    assert.deepEqual(await publisher.publish('room:often', 'once'), { nodes: 1 });
    await publisher.publish('room:often', 'last');
    await subscriber.hasReceived(2);
    assert.deepEqual(subscriber.types, ['once', 'last']);
  },

  'ends a subscription some seconds after unsubscribe, and misses nothing when it is wanted again before':
    async (newNode) => {
      const [publisher, subscriber] = [await newNode(), await newNode()];
      await subscriber.subscribe('room:left', 'room:back');
      subscriber.backplane.unsubscribe('room:left');
      subscriber.backplane.unsubscribe('room:back');
      await subscriber.subscribe('room:back');
      await eventually('the channel has no subscriber', async () => {
        assert.deepEqual(await publisher.publish('room:back', 'back'), { nodes: 1 });
        return (await publisher.publish('room:left', 'left')).nodes === 0;
      });
      const left = () => subscriber.types.filter((type) => type === 'left').length;
      const before = left();
      await publisher.publish('room:left', 'left');
      await publisher.publish('room:back', 'last');
      await eventually('the last one has come', () => subscriber.types.at(-1) === 'last');
      assert.equal(left(), before);
    },

  'carries 256 KB unchanged': async (newNode) => {
    const [publisher, subscriber] = [await newNode(), await newNode()];
    await subscriber.subscribe('room:large');
    const text = JSON.stringify('\u6771\n'.repeat(64 * 1024)).slice(0, 256 * 1024);
    await publisher.publish('room:large', 'large', text);
    await subscriber.hasReceived(1);
    const [publication] = subscriber.received;
    assert.ok(publication?.kind === 'message' && String(publication.text) === text, 'the text has changed');
  },

  'carries each kind of publication unchanged': async (newNode) => {
    const [publisher, subscriber] = [await newNode(), await newNode()];
    await subscriber.subscribe('node:x');
    for (const publication of EACH_KIND) await publisher.backplane.publish('node:x', publication);
    await subscriber.hasReceived(EACH_KIND.length);
    const received = subscriber.received.map((it) => ('text' in it ? { ...it, text: String(it.text) } : it));
    assert.deepEqual(received, EACH_KIND);
  },

  'releases everything when it stops': async (newNode, ground) => {
    const before = await ground.connections?.();
    const sockets = openSockets();
    const [publisher, subscriber] = [await newNode(), await newNode()];
    await subscriber.subscribe('room:stop');
    await Promise.all([publisher.backplane.stop(), subscriber.backplane.stop()]);
    // A destroyed socket leaves the event loop a moment later.
    await eventually('its sockets are gone', () => openSockets() <= sockets);
    if (before !== undefined) {
      await eventually('its connections are closed', async () => (await ground.connections?.()) === before);
    }
    const witness = await newNode();
    assert.deepEqual(await witness.publish('room:stop', 'late'), { nodes: 0 });
    assert.deepEqual([...publisher.received, ...subscriber.received], []);
  },
};

const to = { kind: 'user', key: 'u \u{1f37d}' } as const;
const replyTo = { node: 'n', id: '1' };

const EACH_KIND: readonly Publication[] = [
  { ...message('m'), to, except: ['c', 's'], delivery: 'volatile', replyTo },
  { ...message('m'), to, delivery: 'recoverable', sendId: 's1' },
  { kind: 'disconnect', to, code: 4_500, reason: 'line\nbreak', replyTo },
  { kind: 'join', to, room: 'r', replyTo },
  { kind: 'leave', to, room: 'r' },
  { kind: 'request', to, type: 'q', payload: { deep: [1, null] }, timeoutMs: 5, replyTo },
  { kind: 'reply', id: '1', node: 'n', delivered: 2, dropped: 1, answer: { ok: true, payload: 'yes' } },
];

async function takesChannel(newNode: NewNode, name: string): Promise<void> {
  const [publisher, subscriber] = [await newNode(), await newNode()];
  await subscriber.subscribe(name);
  await subscriber.subscribe(`${name}.`);
  assert.deepEqual(await publisher.publish(name, 'odd'), { nodes: 1 });
  await subscriber.hasReceived(1);
  assert.deepEqual(subscriber.types, ['odd']);
  assert.deepEqual(subscriber.channels, [name]);
}

async function rejectsDuringOutage(newNode: NewNode, { outage }: BackplaneGround): Promise<void> {
  assert.ok(outage, 'give the ground an outage, or set canBeInterrupted to false');
  const [publisher, subscriber] = [await newNode(), await newNode()];
  await subscriber.subscribe('room:outage');
  await outage.begin();
  const begun = performance.now();
  for (let i = 0; i < 20; i++) {
    const failure: unknown = await publisher.publish('room:outage', 'lost').catch((error: unknown) => error);
    assert.ok(failure instanceof BackplaneError, `expected a BackplaneError, got ${String(failure)}`);
    assert.ok(failure.reason === 'unavailable' || failure.reason === 'timeout', failure.reason);
  }
  assert.ok(performance.now() - begun < 15_000, 'the publications took longer than 15 s to be rejected');
  await outage.end();
  await eventually('publications arrive again', async () => {
    await publisher.publish('room:outage', 'again').catch(() => {});
    return subscriber.types.includes('again');
  });
  assert.ok(!subscriber.types.includes('lost'), 'a rejected publication has arrived');
  await eventually('the channel is reported as interrupted', () =>
    subscriber.interrupted.includes('room:outage'),
  );
}

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === 'TCPSocketWrap').length;
}
