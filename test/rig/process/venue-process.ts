import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const sample = (path: string) => fileURLToPath(new URL(`../../../sample/01-venue/${path}`, import.meta.url));

/** Builds the sample unless it is up to date, since a test that runs in parallel serves pages from it. */
export async function buildVenue(): Promise<void> {
  const sources = ['src', 'web', 'venue.json', 'build.mjs', '../../dist'].map(sample);
  if (newest(sources) < newest([sample('dist/public/index.html')])) return;
  const build = spawn(process.execPath, [sample('build.mjs')], { stdio: 'inherit' });
  const [code] = await once(build, 'exit');
  if (code !== 0) throw new Error(`sample/01-venue/build.mjs ended with ${code}.`);
}

/** The last modification time below these paths; 0 if there is nothing. */
function newest(paths: readonly string[]): number {
  const times = paths.map((path) => {
    const found = statSync(path, { throwIfNoEntry: false });
    const inside = found?.isDirectory() ? readdirSync(path) : [];
    return Math.max(found?.mtimeMs ?? 0, newest(inside.map((name) => join(path, name))));
  });
  return Math.max(0, ...times);
}

/** The built sample in a process of its own, as `node sample/01-venue/dist/main.js` starts it. */
export class VenueProcess {
  private constructor(
    readonly url: string,
    private readonly process: ChildProcess,
  ) {}

  static async start(port = '0', settings: Record<string, string> = {}): Promise<VenueProcess> {
    const child = spawn(process.execPath, [sample('dist/main.js')], {
      env: { ...process.env, ...settings, PORT: port },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const line of createInterface({ input: child.stdout })) {
      const url = /^Venue is open: (http:\S+)$/.exec(line)?.[1];
      if (url) return new VenueProcess(url, child);
    }
    throw new Error('The venue ended before it was open.');
  }

  get port(): string {
    return new URL(this.url).port;
  }

  async get<Reply>(path: string): Promise<Reply> {
    return (await fetch(`${this.url}${path}`)).json() as Promise<Reply>;
  }

  async post(path: string, body: object): Promise<Response> {
    return fetch(`${this.url}${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  /** SIGKILL acts as a crash. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const exited = once(this.process, 'exit');
    this.process.kill(signal);
    await exited;
  }
}
