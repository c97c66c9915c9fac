import { pause } from '../failover-report.js';
import type { PilotedNode } from '../piloted-node.js';
import type { Fault } from './fault-trial.js';
import type { Stage } from './redis-faults.js';

const MILD_MS = 4_000;
const FROZEN_MS = 20_000;
const DELAY_MS = 300;
const SLOW_BYTES_PER_SECOND = 50_000;
const RESETS = 5;
/** Bytes per second while a node is frozen: far more than the kernel buffers, so that Redis drops its subscriber. */
const BULK_PER_SECOND = 25;

/** Faults of the network to Redis, and of a node itself. */
export function pathFaults({ server, paths, nodes, traffic }: Stage): readonly Fault[] {
  const onAll = (change: (path: Stage['paths'][number]) => void) => async () => paths.forEach(change);
  const restore = onAll((path) => path.restore());
  const mild = (change: (path: Stage['paths'][number]) => void) => async () => {
    await onAll(change)();
    await pause(MILD_MS);
  };
  const [frozen, sender] = nodes as readonly [PilotedNode, PilotedNode];

  return [
    {
      name: 'black hole both ways',
      takesDown: true,
      hurt: onAll((path) => (path.requests = path.replies = 'hold')),
      heal: restore,
    },
    {
      name: 'replies swallowed',
      takesDown: true,
      hurt: onAll((path) => (path.replies = 'drop')),
      heal: async () => {
        await restore();
        // A connection that has lost replies would answer each command with that of another.
        await onAll((path) => path.reset())();
      },
    },
    {
      name: 'connections reset',
      takesDown: false,
      hurt: async () => {
        for (let i = 0; i < RESETS; i++) {
          await onAll((path) => path.reset())();
          await pause(MILD_MS / RESETS);
        }
      },
      heal: async () => {},
    },
    {
      name: `${DELAY_MS} ms of delay`,
      takesDown: false,
      hurt: mild((path) => (path.delayMs = DELAY_MS)),
      heal: restore,
    },
    {
      name: `replies at ${SLOW_BYTES_PER_SECOND} bytes/s`,
      takesDown: false,
      hurt: mild((path) => (path.replyBytesPerSecond = SLOW_BYTES_PER_SECOND)),
      heal: restore,
    },
    {
      name: 'a node SIGSTOPped for 20 s',
      frozen: [frozen.index],
      takesDown: false,
      hurt: async () => {
        traffic.silent.add(frozen.index);
        await traffic.drained();
        await server.call('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 1048576 0 0');
        frozen.signal('SIGSTOP');
        const endsAt = performance.now() + FROZEN_MS;
        for (; performance.now() < endsAt; await pause(1_000)) await traffic.bulk(sender, BULK_PER_SECOND);
      },
      heal: async () => {
        await server.call('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 33554432 8388608 60');
        frozen.signal('SIGCONT');
        traffic.silent.delete(frozen.index);
      },
    },
  ];
}
