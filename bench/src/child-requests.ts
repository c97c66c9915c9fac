import type { ChildProcess } from 'node:child_process';

interface Envelope {
  readonly id: number;
  readonly name: string;
  readonly value: unknown;
  readonly failure?: string;
}

/** The request handlers of a child process. */
export type RequestHandlers = Record<string, (value: never) => unknown>;

/** Serves the requests of the parent process. */
export function serveRequests(handlers: RequestHandlers): void {
  process.on('message', ({ id, name, value }: Envelope) => {
    const reply = handlers[name] as ((value: unknown) => unknown) | undefined;
    Promise.resolve()
      .then(() => reply?.(value))
      .then(
        (result) => process.send?.({ id, value: result }),
        (error: Error) => process.send?.({ id, failure: error.stack }),
      );
  });
  process.on('disconnect', () => process.exit());
}

/** Sends requests to a child process, also concurrently. */
export class ChildRequests {
  readonly #waiting = new Map<number, { resolve(value: never): void; reject(error: Error): void }>();
  #count = 0;

  constructor(
    private readonly name: string,
    private readonly child: ChildProcess,
  ) {
    child.on('message', ({ id, value, failure }: Envelope) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (failure === undefined) waiting?.resolve(value as never);
      else waiting?.reject(new Error(`${this.name}: ${failure}`));
    });
    child.on('exit', (code) => {
      const error = new Error(`${this.name} has ended with ${code}`);
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    });
  }

  request<T>(name: string, value?: unknown): Promise<T> {
    const id = ++this.#count;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.child.send({ id, name, value });
    });
  }
}
