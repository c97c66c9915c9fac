import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { constants, setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';

const LOADER = new URL('./typescript.mjs', import.meta.url).href;

interface Envelope {
  readonly kind: string;
  readonly value: unknown;
}

/** A TypeScript file in its own process, with requests and events over IPC. */
export class ForkedProcess {
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly #child: ChildProcess;

  constructor(file: URL, args: readonly string[] = [], nodeArgs: readonly string[] = []) {
    this.#child = fork(fileURLToPath(file), args, {
      execArgv: ['--import', LOADER, ...nodeArgs],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.exited = once(this.#child, 'exit').then(([code, signal]) => ({ code, signal }) as never);
  }

  /** The next value of a kind that it sends; rejects if it exits before. */
  next<T>(kind: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const onMessage = (message: Envelope) => {
        if (message.kind !== kind) return;
        this.#child.off('message', onMessage);
        resolve(message.value as T);
      };
      this.#child.on('message', onMessage);
      void this.exited.then(({ code, signal }) =>
        reject(new Error(`The process ended with ${code ?? signal} before ${kind}.`)),
      );
    });
  }

  request<T>(kind: string, value?: unknown): Promise<T> {
    const reply = this.next<T>(kind);
    this.#child.send({ kind, value });
    return reply;
  }

  /** As `request`, for a process that may hang: kills it after that time, which rejects the request. */
  async requestOrKill<T>(kind: string, withinMs: number): Promise<T> {
    const timer = setTimeout(() => this.signal('SIGKILL'), withinMs);
    try {
      return await this.request<T>(kind);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Calls back for every value of a kind that it sends. */
  each(kind: string, listener: (value: never) => void): void {
    this.#child.on('message', (message: Envelope) => {
      if (message.kind === kind) listener(message.value as never);
    });
  }

  /** Gives the process the lowest scheduling priority. */
  yieldProcessor(): void {
    setPriority(this.#child.pid ?? 0, constants.priority.PRIORITY_LOW);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}

// A child exits after its parent.
if (process.send !== undefined)
  process.once('disconnect', () => setTimeout(() => process.exit(), 30_000).unref());

/** The child's side of the IPC. */
export function send(kind: string, value: unknown): void {
  process.send?.({ kind, value } satisfies Envelope);
}

/** Registers the handler for one kind of request from the parent. */
export function onRequest(kind: string, handler: (value: never) => unknown): void {
  process.on('message', (message: Envelope) => {
    if (message.kind !== kind) return;
    void Promise.resolve(handler(message.value as never)).then((value) => send(kind, value));
  });
}
