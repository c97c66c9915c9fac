import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ControlServer, remoteScript } from './control-server.js';
import type { Runtime } from './runtime.js';
import type { Stage } from './stage.js';

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
    await writeFile(
      file,
      await remoteScript(`await runScenario(${this.#control.argumentsFor(title, stage)});`),
    );
    const [binary, ...args] = this.command;
    const child = spawn(binary, [...args, file], { stdio: ['ignore', 'ignore', 'pipe'] });
    let errors = '';
    child.stderr.on('data', (chunk) => (errors += String(chunk)));
    const [code] = (await once(child, 'close')) as [number | null];
    await rm(folder, { recursive: true });
    if (code !== 0) throw new Error(`${this.name} ended with ${code}: ${errors}`);
  }

  async close(): Promise<void> {
    this.#control?.close();
  }
}
