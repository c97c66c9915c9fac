import { afterAll, beforeEach, describe, it } from 'vitest';
import { WebSocket } from 'ws';
import { ChromiumRuntime } from './chromium-runtime.js';
import { ProcessRuntime } from './process-runtime.js';
import { NodeRuntime, type Runtime } from './runtime.js';
import { scenarios } from './scenarios.js';
import { Stage } from './stage.js';

const { BUN_PATH, DENO_PATH } = process.env;

const runtimes: Runtime[] = [
  new NodeRuntime('Node with the WebSocket of ws', WebSocket),
  // Node has one of its own from 22 on.
  ...('WebSocket' in globalThis ? [new NodeRuntime('Node with its own WebSocket')] : []),
  new ChromiumRuntime('a page in Chromium', 'runScenario'),
  new ChromiumRuntime('a worker in Chromium', 'runInWorker'),
  ...(BUN_PATH ? [new ProcessRuntime('Bun', [BUN_PATH, 'run'])] : []),
  ...(DENO_PATH ? [new ProcessRuntime('Deno', [DENO_PATH, 'run', '--allow-net'])] : []),
];

describe.each(runtimes)('in $name the client', (runtime) => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await Stage.open();
    return () => stage.close();
  });
  afterAll(() => runtime.close());

  it.each(Object.keys(scenarios))('%s', (title) => runtime.run(title, stage));
});
