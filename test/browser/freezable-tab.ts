import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium, type Page } from 'playwright-core';
import { CHROMIUM, FLAGS } from './chromium.js';

/**
 * A tab that Chromium can freeze. Chromium freezes only background tabs, and Playwright's own tabs always report that
 * they are in the foreground.
 */
export class FreezableTab {
  private constructor(
    readonly page: Page,
    readonly close: () => Promise<void>,
  ) {}

  static async open(): Promise<FreezableTab> {
    const profile = await mkdtemp(join(tmpdir(), 'venue-tab-'));
    const flags = ['--headless', '--remote-debugging-port=0', `--user-data-dir=${profile}`, ...FLAGS];
    const child = spawn(CHROMIUM, flags, { stdio: ['ignore', 'ignore', 'pipe'] });
    const exited = once(child, 'exit');
    const endpoint = await endpointIn(child.stderr);
    const browser = await chromium.connectOverCDP(endpoint, { noDefaults: true, timeout: 0 });
    const context = browser.contexts()[0]!;
    context.setDefaultTimeout(40_000);
    return new FreezableTab(context.pages()[0] ?? (await context.newPage()), async () => {
      await browser.close();
      child.kill();
      await exited;
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    });
  }

  /** Hides the tab and stops its timers and events; rejects if the page does not see the `freeze` event. */
  async freeze(): Promise<void> {
    const noticed = await this.page.evaluateHandle(() => {
      const seen: string[] = [];
      for (const type of ['freeze', 'resume']) document.addEventListener(type, () => seen.push(type));
      return seen;
    });
    await this.#set('frozen');
    if (!(await noticed.jsonValue()).includes('freeze')) throw new Error('This tab was not frozen.');
  }

  async resume(): Promise<void> {
    await this.#set('active');
  }

  async #set(state: 'frozen' | 'active'): Promise<void> {
    const chrome = await this.page.context().newCDPSession(this.page);
    await chrome.send('Page.setWebLifecycleState', { state });
  }
}

async function endpointIn(output: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: output })) {
    const [, endpoint] = /^DevTools listening on (ws:\S+)$/.exec(line) ?? [];
    if (endpoint === undefined) continue;
    output.resume();
    return endpoint;
  }
  throw new Error('Chromium ended before it was ready.');
}
