import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ControlServer, remoteScript } from './control-server.js';
import type { Runtime } from './runtime.js';
import type { Stage } from './stage.js';

const LIMIT_MS = 15_000;

/** Another JavaScript runtime with a WebSocket of its own, in a process per scenario. */
export class ProcessRuntime implements Runtime {
  #control: ControlServer | undefined;

  constructor(
    readonly name: string,
    private readonly command: readonly [string, ...string[]],
  ) {}

  async run(title: string, stage: Stage): Promise<void> {
    this.#control ??= await ControlServer.start();
    const folder = await mkdtemp(join(tmpdir(), 'client-'));
    const file = join(folder, 'scenario.mjs');
    const scenario = `runScenario(${this.#control.argumentsFor(title, stage)})`;
    await writeFile(file, await remoteScript(`await ${scenario}; console.log('passed');`));
    const output = await this.#outputOf(file);
    await rm(folder, { recursive: true });
    if (!output.includes('passed')) throw new Error(`In ${this.name}: ${output}`);
  }

  async close(): Promise<void> {
    this.#control?.close();
  }

  async #outputOf(file: string): Promise<string> {
    const [binary, ...args] = this.command;
    const child = spawn(binary, [...args, file], { stdio: ['ignore', 'pipe', 'pipe'], timeout: LIMIT_MS });
    let output = '';
    const collect = (chunk: Buffer) => {
      output += String(chunk);
      // A socket that was abandoned in a dead network keeps the process until its closing handshake times out.
      if (output.includes('passed')) child.kill('SIGKILL');
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    await once(child, 'close');
    return output;
  }
}
