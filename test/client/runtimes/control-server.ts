import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Stage } from './stage.js';

const PAGE = '<!doctype html><title>client</title><script type="module" src="/remote.js"></script>';

/** The scenarios as one script for another runtime. */
export async function remoteScript(footer = ''): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./remote.ts', import.meta.url))],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    footer: { js: footer },
  });
  return outputFiles[0]?.text ?? '';
}

/** Serves the page with the scenarios, and hands their commands to the stage of the moment. */
export class ControlServer {
  stage: Stage | undefined;
  readonly #server = createServer((request, response) => this.#answer(request, response));
  #script = '';

  static async start(): Promise<ControlServer> {
    const control = new ControlServer();
    control.#script = await remoteScript();
    control.#server.listen(0, '127.0.0.1');
    await once(control.#server, 'listening');
    return control;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The arguments of `runScenario`, as source. */
  argumentsFor(title: string, stage: Stage): string {
    this.stage = stage;
    return [title, stage.address, `${this.url}/control`].map((argument) => JSON.stringify(argument)).join();
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url ?? '/', this.url);
    if (pathname === '/remote.js') {
      response.setHeader('Content-Type', 'text/javascript').end(this.#script);
    } else if (pathname === '/control') {
      const argument = searchParams.get('argument');
      const command = searchParams.get('command') as Parameters<Stage['control']>[0];
      this.stage?.control(command, argument === null ? undefined : Number(argument)).then(
        (result: unknown) => response.end(JSON.stringify(result ?? null)),
        (error: unknown) => response.writeHead(500).end(String(error)),
      );
    } else {
      response.setHeader('Content-Type', 'text/html').end(PAGE);
    }
  }
}
