import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { HealthReport, Receipt } from 'nestjs-realtime';
import type { Ended, NodeReport, Verb } from './crowd-contract.js';

const HERE = new URL('.', import.meta.url);

type Settle = (ended: Ended) => void;

/** A node in its own process, as seen by the rig. Commands run concurrently and are issued in the order given. */
export class PilotedNode {
  port = 0;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Settle>();
  #count = 0;
  #hasEnded = false;

  private constructor(
    readonly index: number,
    args: readonly string[],
    folder: URL,
  ) {
    this.#child = fork(fileURLToPath(new URL('./crowd-node.ts', folder)), args, {
      execArgv: ['--expose-gc', '--import', new URL('../../rig/process/typescript.mjs', folder).href],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('message', ({ kind, value }: { kind: string; value: unknown }) => {
      if (kind === 'listening') this.port = value as number;
      else if (kind === 'ended') this.#ended(value as Ended);
    });
    this.#child.on('exit', () => {
      this.#hasEnded = true;
      for (const id of this.#waiting.keys()) this.#ended({ id, ok: false, error: 'the node has ended' });
    });
  }

  /** Resolves when it is listening. */
  static start(index: number, redisUrl: string, ...args: string[]): Promise<PilotedNode> {
    return PilotedNode.#start(index, ['--redis', redisUrl, ...args], HERE);
  }

  /** A node of another version, run from the given copy of this folder. */
  static startFrom(folder: URL, index: number, redisUrl: string): Promise<PilotedNode> {
    return PilotedNode.#start(index, ['--redis', redisUrl], folder);
  }

  static async #start(index: number, args: readonly string[], folder: URL): Promise<PilotedNode> {
    const node = new PilotedNode(index, args, folder);
    while (node.port === 0) {
      if (node.#hasEnded) throw new Error(`Node ${index} ended before it listened.`);
      await Promise.race([once(node.#child, 'message'), once(node.#child, 'exit')]);
    }
    return node;
  }

  do(verb: Verb | 'report' | 'health', ...args: readonly unknown[]): Promise<Ended> {
    const id = ++this.#count;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      if (this.#hasEnded) this.#ended({ id, ok: false, error: 'the node has ended' });
      else this.#child.send({ kind: 'command', value: { id, verb, args } });
    });
  }

  /** Runs a command that never rejects. */
  async receipt(verb: Verb, ...args: readonly unknown[]): Promise<Receipt> {
    const ended = await this.do(verb, ...args);
    if (!ended.ok) throw new Error(`${verb} rejected on node ${this.index}: ${ended.error}`);
    return ended.value as Receipt;
  }

  report(): Promise<NodeReport> {
    return this.#look<NodeReport>('report');
  }

  health(): Promise<HealthReport> {
    return this.#look<HealthReport>('health');
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** SIGKILL, without waiting for a clean exit. */
  async kill(): Promise<void> {
    if (this.#hasEnded) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  async #look<T>(verb: 'report' | 'health'): Promise<T> {
    const ended = await this.do(verb);
    if (!ended.ok) throw new Error(`Node ${this.index}: ${ended.error}`);
    return ended.value as T;
  }

  #ended(ended: Ended): void {
    const settle = this.#waiting.get(ended.id);
    this.#waiting.delete(ended.id);
    settle?.(ended);
  }
}
