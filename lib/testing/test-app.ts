import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Module, type INestApplication, type ModuleMetadata, type Type } from '@nestjs/common';
import { NestFactory, type AbstractHttpAdapter } from '@nestjs/core';
import type { AnyContract } from '../contract/contract-types.js';
import { TestClient, type TestClientOptions } from './test-client.js';

export interface RealtimeTestAppOptions {
  /** The HTTP platform, e.g. `new FastifyAdapter()`. @default Express */
  readonly adapter?: AbstractHttpAdapter;
  /** Called before the app listens: global pipes, guards, shutdown hooks. */
  readonly configure?: (app: INestApplication) => void;
  /** Nest's log. @default false */
  readonly logger?: Parameters<INestApplication['useLogger']>[0];
}

/** A Nest app on a free port, and the clients that a test opens to it. */
export class RealtimeTestApp {
  readonly #clients: Pick<TestClient, 'socket' | 'closed'>[] = [];

  constructor(
    readonly app: INestApplication,
    readonly port: number,
  ) {}

  /** The address for `fetch`. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Any provider of the app. */
  get<T>(token: Type<T> | string | symbol): T {
    return this.app.get<T>(token, { strict: false });
  }

  /** Opens a client without waiting: the upgrade may be refused. */
  open<C extends AnyContract = AnyContract>(path: string, options?: TestClientOptions): TestClient<C> {
    const client = new TestClient<C>(`ws://127.0.0.1:${this.port}${path}`, options);
    this.#clients.push(client);
    return client;
  }

  /** Opens a client and waits for `$hello`, which is taken off the queue. */
  async connect<C extends AnyContract = AnyContract>(
    path: string,
    options?: TestClientOptions,
  ): Promise<TestClient<C>> {
    const client = this.open<C>(path, options);
    await client.hello();
    return client;
  }

  /**
   * Closes the open clients with 1000, and then the app. `app.app.close()` closes the app as a shutdown does, with its
   * clients connected.
   */
  async close(): Promise<void> {
    for (const { socket } of this.#clients) {
      // A paused client would not read its close frame.
      socket.resume();
      socket.close(1000);
    }
    await this.app.close();
    await Promise.all(this.#clients.map(({ closed }) => closed));
  }
}

/** Starts a Nest app of the given module (or module metadata) on port 0. Close it when the test is over. */
export async function createRealtimeTestApp(
  root: Type<unknown> | ModuleMetadata,
  { adapter, configure, logger = false }: RealtimeTestAppOptions = {},
): Promise<RealtimeTestApp> {
  const module = typeof root === 'function' ? root : moduleOf(root);
  const options = { logger, abortOnError: false };
  const app =
    adapter === undefined
      ? await NestFactory.create(module, options)
      : await NestFactory.create(module, adapter, options);
  configure?.(app);
  try {
    await app.listen(0, '127.0.0.1');
  } catch (error) {
    await app.close();
    throw error;
  }
  const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
  return new RealtimeTestApp(app, port);
}

function moduleOf(metadata: ModuleMetadata): Type<unknown> {
  class TestModule {}
  Module(metadata)(TestModule);
  return TestModule;
}
