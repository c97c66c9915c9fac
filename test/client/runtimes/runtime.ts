import type { WebSocketConstructor } from '../../../lib/client/index.js';
import { scenarios, type World } from './scenarios.js';
import type { Stage } from './stage.js';

/** A place where the client runs; `run` rejects with what the scenario throws. */
export interface Runtime {
  readonly name: string;
  run(title: string, stage: Stage): Promise<void>;
  close(): Promise<void>;
}

/** This very process. */
export class NodeRuntime implements Runtime {
  constructor(
    readonly name: string,
    private readonly WebSocket?: WebSocketConstructor,
  ) {}

  async run(title: string, stage: Stage): Promise<void> {
    const world: World = { address: stage.address, control: (...command) => stage.control(...command) };
    const { WebSocket } = this;
    await scenarios[title]?.(WebSocket === undefined ? world : { ...world, WebSocket });
  }

  async close(): Promise<void> {}
}
