import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { CleanApp } from './clean-app.js';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const README = read('README.md');

/** What a reader of the README has installed besides the package and its peers. */
const APP_PACKAGES = ['@types/node', '@nestjs/jwt', '@nestjs/platform-express'];

function blocks(language: string): string[] {
  return [...README.matchAll(/^```(\w+)\n(.*?)^```$/gms)].flatMap(([, name, text = '']) =>
    name === language ? [text] : [],
  );
}

/** Blocks that begin with `// <file>.ts` are the quick start; the others are fragments. */
const isFile = (block: string): boolean => /^\/\/ \S+\.ts\n/.test(block);
const files = blocks('ts').filter(isFile);
const nameOf = (file: string): string => /^\/\/ (\S+)/.exec(file)![1]!;
const fragments = blocks('ts').filter((block) => !isFile(block));

let app: CleanApp;
beforeAll(() => {
  app = new CleanApp(...APP_PACKAGES);
}, 120_000);
afterAll(() => app?.remove());

describe('the quick start', { timeout: 120_000 }, () => {
  let server: ChildProcess;
  let url: string;
  afterAll(() => server?.kill('SIGKILL'));

  it('compiles against the packed library', () => {
    for (const file of files) app.write(nameOf(file), file);
    expect(app.tsc(files.map(nameOf))).toEqual({ status: 0, output: '' });
  });

  it('starts and prints its address', async () => {
    server = spawn(process.execPath, [app.path('main.js')], {
      env: { ...process.env, PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const line of createInterface({ input: server.stdout! })) {
      const address = /^https?:\/\/\S+$/.exec(line.trim());
      if (address) {
        url = address[0];
        break;
      }
    }
    server.stdout!.resume();
    expect(url).toMatch(/:\d+$/);
  });

  it('replies to the browser block, run unchanged except for the port', async () => {
    const [browser = ''] = blocks('js').filter((block) => block.startsWith('// browser\n'));
    const script = browser.replace('localhost:3000', new URL(url).host);
    expect(script).not.toBe(browser);

    const logged: unknown[] = [];
    const answered = new Promise<void>((resolve) => {
      const log = (entry: { type: string }): void => {
        logged.push(entry);
        if (entry.type === '$reply') resolve();
      };
      runInNewContext(script, { WebSocket, JSON, console: { log } });
    });
    await answered;
    expect(logged).toEqual([
      { type: '$hello', payload: expect.objectContaining({ connectionId: expect.any(String) }) },
      { type: '$reply', id: 1, payload: { text: 'hello', by: expect.any(String) } },
    ]);
  });

  it('notifies the other members of the room, and refuses a wrong payload', async () => {
    const [speaker, listener] = await Promise.all([open(url), open(url)]);
    speaker.socket.send(JSON.stringify({ type: 'say', id: 7, payload: { text: 'to all' } }));
    expect(await listener.next('said')).toMatchObject({ payload: { text: 'to all' } });
    speaker.socket.send(JSON.stringify({ type: 'say', id: 8, payload: { text: 42 } }));
    expect(await speaker.next('$error')).toMatchObject({ id: 8, payload: { code: 'VALIDATION_FAILED' } });
    speaker.socket.terminate();
    listener.socket.terminate();
  });
});

describe('the README', { timeout: 120_000 }, () => {
  it('has a quick start of about thirty lines of code', () => {
    const code = files
      .join('')
      .split('\n')
      .filter((line) => line.trim() !== '' && !/^(\/\/|import )/.test(line));
    expect(code.length).toBeGreaterThan(15);
    expect(code.length).toBeLessThanOrEqual(35);
  });

  it('contains only fragments that compile', () => {
    for (const [index, fragment] of fragments.entries()) {
      const imports =
        "import { JwtService } from '@nestjs/jwt';\n" +
        "import { RealtimeModule } from 'nestjs-realtime';\n" +
        'export const named = [JwtService, RealtimeModule];\n';
      app.write(`fragment-${index}.ts`, imports + fragment);
      expect(app.tsc([`fragment-${index}.ts`])).toEqual({ status: 0, output: '' });
    }
  });

  it('contains the npm commands that CI runs', () => {
    const commands = blocks('sh').flatMap((block) =>
      block.split('\n').filter((line) => line.includes('npm ')),
    );
    expect(commands).toEqual(expect.arrayContaining(['npm ci && npm start', 'npm ci && npm test']));
    for (const command of commands.filter((line) => !line.includes('npm install'))) {
      expect(read('.ci/run')).toContain(`'${command}'`);
    }
  });

  it('links to files that exist', () => {
    const links = [...README.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path = '']) => path);
    for (const link of links) expect(() => read(link), link).not.toThrow();
  });
});

interface Frame {
  readonly type: string;
}

async function open(address: string): Promise<{ socket: WebSocket; next(type: string): Promise<Frame> }> {
  const socket = new WebSocket(`${address.replace('http', 'ws')}/ws`);
  const frames: Frame[] = [];
  socket.on('message', (data: Buffer) => frames.push(JSON.parse(data.toString('utf8')) as Frame));
  const next = async (type: string): Promise<Frame> => {
    for (;;) {
      const frame = frames.find((candidate) => candidate.type === type);
      if (frame) return frame;
      await once(socket, 'message');
    }
  };
  await next('$hello');
  return { socket, next };
}
