import type { Browser, Page } from 'playwright-core';
import { launchChromium } from '../../browser/chromium.js';
import { ControlServer } from './control-server.js';
import type { Runtime } from './runtime.js';
import type { Stage } from './stage.js';

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
