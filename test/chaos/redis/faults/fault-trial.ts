import { until } from '../../../rig/clock/until.js';
import type { NodeReport } from '../crowd-contract.js';
import type { FaultTraffic, TrafficCounts } from './fault-traffic.js';
import type { PilotedNode } from '../piloted-node.js';

/** One fault: how it begins and ends, and what must be observed during it. */
export interface Fault {
  readonly name: string;
  /** Nodes that cannot reply during the fault. */
  readonly frozen?: readonly number[];
  /** Whether health must report down; omitted for faults too short or too mild to decide. */
  readonly takesDown: boolean;
  /** Resolves when the fault has lasted long enough; by default it lasts until health reports down. */
  hurt(): Promise<void>;
  heal(): Promise<void>;
  /** A condition that must hold afterwards, for example that the fault really happened. */
  proof?(): Promise<string | undefined>;
}

/** The measurements. */
export interface TrialResult {
  readonly name: string;
  readonly counts: TrafficCounts;
  readonly downMs: number | undefined;
  readonly normalMs: number;
  readonly upMs: number;
  readonly open: number;
  readonly before: readonly NodeReport[];
  readonly after: readonly NodeReport[];
  readonly shortfalls: readonly string[];
}

const HEALTH_WITHIN_MS = 15_000;
const NORMAL_WITHIN_MS = 20_000;
const LOCAL_WITHIN_MS = 3_000;
const CALM_WITHIN_MS = 15_000;
const MAX_HEAP_GROWTH = 16 * 1024 * 1024;
const MAX_HANDLE_GROWTH = 10;
const MAX_PENDING = 10;
const MAX_WAIT_MS = 6_000;

/** Runs one fault while the nodes serve. */
export async function runTrial(
  fault: Fault,
  nodes: readonly PilotedNode[],
  traffic: FaultTraffic,
): Promise<TrialResult> {
  const shortfalls: string[] = [];
  const responsive = nodes.filter(({ index }) => fault.frozen?.includes(index) !== true);
  /** Measures how long a condition takes to hold; a timeout is a shortfall, and the trial continues. */
  const timed = async (fact: string, condition: () => boolean | Promise<boolean>, withinMs: number) => {
    const begun = performance.now();
    await until(fact, condition, withinMs).catch((error: Error) => shortfalls.push(error.message));
    return Math.round(performance.now() - begun);
  };
  const areAll = async (status: 'up' | 'down', which: readonly PilotedNode[]) =>
    (await Promise.all(which.map((node) => node.health()))).every((health) => health.status === status);

  await timed('every node reaches all clients before it', () => traffic.isNormal(), NORMAL_WITHIN_MS);
  const before = await Promise.all(nodes.map((node) => node.report()));
  const counts = traffic.begin();
  let downMs: number | undefined;
  try {
    const begun = performance.now();
    await fault.hurt();
    if (fault.takesDown) {
      await timed('health reports down', () => areAll('down', responsive), HEALTH_WITHIN_MS);
      downMs = Math.round(performance.now() - begun);
    }
    const due = counts.localExpected;
    await timed('local delivery goes on during it', () => counts.localSeen >= due, LOCAL_WITHIN_MS);
  } finally {
    await fault.heal();
  }
  const healedAt = performance.now();
  await timed('every node reaches all clients again', () => traffic.isNormal(), NORMAL_WITHIN_MS);
  const normalMs = Math.round(performance.now() - healedAt);
  await timed('health reports up', () => areAll('up', nodes), HEALTH_WITHIN_MS);
  const upMs = Math.round(performance.now() - healedAt);
  // Messages sent from here on do not count.
  traffic.begin();
  await traffic.drained();
  await timed(
    'all local deliveries have arrived',
    () => counts.localSeen >= counts.localExpected,
    LOCAL_WITHIN_MS,
  );

  let after: NodeReport[] = [];
  await timed(
    'heap, handles and pending commands are as before',
    async () => {
      after = await Promise.all(nodes.map((node) => node.report()));
      return after.every((report, i) => isAsBefore(before[i] as NodeReport, report));
    },
    CALM_WITHIN_MS,
  );
  const unproven = await fault.proof?.();
  if (unproven !== undefined) shortfalls.push(unproven);
  if (counts.longestMs > MAX_WAIT_MS && fault.frozen === undefined)
    shortfalls.push(`a send took ${counts.longestMs} ms`);
  const { name } = fault;
  return { name, counts, downMs, normalMs, upMs, open: traffic.open, before, after, shortfalls };
}

function isAsBefore(before: NodeReport, after: NodeReport): boolean {
  return (
    after.heapBytes - before.heapBytes <= MAX_HEAP_GROWTH &&
    after.handles - before.handles <= MAX_HANDLE_GROWTH &&
    after.channels === before.channels &&
    after.pending <= MAX_PENDING
  );
}
