import { chromium, type Browser, type Page } from 'playwright-core';
import { ControlServer } from './control-server.js';
import type { Runtime } from './runtime.js';
import type { Stage } from './stage.js';

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium', args: ARGS });
}

/** A page in Chromium, or a worker of one. */
export class ChromiumRuntime implements Runtime {
  #control: ControlServer | undefined;
  #browser: Browser | undefined;
  #page: Page | undefined;

  constructor(
    readonly name: string,
    private readonly start: 'runScenario' | 'runInWorker',
  ) {}

  async run(title: string, stage: Stage): Promise<void> {
    this.#control ??= await ControlServer.start();
    const page = (this.#page ??= await this.#open(this.#control.url));
    await page.evaluate(`${this.start}(${this.#control.argumentsFor(title, stage)})`);
  }

  async close(): Promise<void> {
    await this.#browser?.close();
    this.#control?.close();
  }

  async #open(url: string): Promise<Page> {
    this.#browser = await launchChromium();
    const page = await this.#browser.newPage();
    await page.goto(url);
    await page.waitForFunction('typeof runScenario === "function"');
    return page;
  }
}
