import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { CleanApp } from './clean-app.js';
import { blocks, DOC_PAGES, exportedNames, fileNameOf, readDocument, withImports } from './markdown.js';

const README = readDocument('README.md');
const PAGES = ['README.md', ...DOC_PAGES];

/** What a reader has installed besides the package and its peers. */
const APP_PACKAGES = [
  '@types/node',
  '@types/react',
  '@nestjs/jwt',
  '@nestjs/platform-express',
  '@nestjs/terminus',
  'ioredis',
  'prom-client',
  'react',
  'zod',
];

/** Packages whose names fragments may use without an import. */
const NEST_NAMES: readonly [string, readonly string[]][] = [
  ['@nestjs/common', ['Body', 'Controller', 'Injectable', 'Module', 'Post', 'UseGuards']],
  ['@nestjs/jwt', ['JwtService']],
  ['zod', ['z']],
];

const files = blocks(README, 'ts').filter((block) => fileNameOf(block) !== undefined);
const nameOf = (file: string): string => fileNameOf(file)!;

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
    const [browser = ''] = blocks(README, 'js').filter((block) => block.startsWith('// browser\n'));
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
    speaker.socket.send(JSON.stringify({ type: 'post', id: 7, payload: { text: 'to all' } }));
    expect(await listener.next('posted')).toMatchObject({ payload: { text: 'to all' } });
    speaker.socket.send(JSON.stringify({ type: 'post', id: 8, payload: { text: 42 } }));
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

  it('has at most 150 lines', () => {
    expect(README.trimEnd().split('\n').length).toBeLessThanOrEqual(150);
  });
});

describe('the code of the documents', { timeout: 120_000 }, () => {
  it.each(PAGES)('compiles in %s', (path) => {
    const page = readDocument(path);
    const folder = path.replace(/\W/g, '-');
    const exportsOf = new Map<string, readonly string[]>();
    const written: string[] = [];
    const write = (name: string, text: string): void => {
      app.write(`${folder}/${name}`, text);
      written.push(`${folder}/${name}`);
    };
    for (const block of blocks(page, 'ts', 'tsx')) {
      const name = fileNameOf(block);
      if (name === undefined) continue;
      write(name, block);
      exportsOf.set(`./${name.replace(/\.tsx?$/, '.js')}`, exportedNames(block));
    }
    for (const { name, types } of app.entryPoints) {
      const exported = app.exportedBy(types);
      exportsOf.set(name, [...exported.values, ...exported.types]);
    }
    for (const [specifier, names] of NEST_NAMES) exportsOf.set(specifier, names);
    const fragments = blocks(page, 'ts', 'tsx').filter((block) => fileNameOf(block) === undefined);
    fragments.forEach((fragment, index) => write(`fragment-${index}.ts`, withImports(fragment, exportsOf)));
    if (written.length === 0) return;
    expect(app.tsc(written, { lib: ['ES2023', 'DOM'], jsx: 'react-jsx' })).toEqual({ status: 0, output: '' });
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
