import type { Browser, Locator, Page } from 'playwright-core';

/** A window with its own browser profile, signed in as one of the staff and live. */
export class VenueWindow {
  private constructor(readonly page: Page) {}

  static async open(browser: Browser, url: string, who: string): Promise<VenueWindow> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 844 } });
    context.setDefaultTimeout(15_000);
    return VenueWindow.enter(await context.newPage(), url, who);
  }

  /** Signs in on a page that is already loaded. */
  static async enter(page: Page, url: string, who: string): Promise<VenueWindow> {
    await page.goto(url);
    await page.getByRole('button', { name: who }).click();
    const window = new VenueWindow(page);
    await window.isLive();
    return window;
  }

  /** It shows that it is not live. */
  isAway(): Promise<void> {
    return this.page.getByText(/^Reconnecting/).waitFor();
  }

  isLive(): Promise<void> {
    return this.page.getByText('Live', { exact: true }).waitFor();
  }

  /** Records every state of the connection from now on, since a state may be too short to poll for. */
  async recordStates(): Promise<() => Promise<string[]>> {
    const recorded = await this.page.evaluateHandle(() => {
      const states: string[] = [];
      const badge = document.querySelector<HTMLElement>('#connection');
      if (badge === null) throw new Error('This page shows no connection.');
      new MutationObserver(() => states.push(badge.dataset['state'] ?? '')).observe(badge, {
        attributes: true,
      });
      return states;
    });
    return () => recorded.jsonValue();
  }

  /** The first characters of the name of the node that serves it. */
  async nodeName(): Promise<string> {
    return (await this.page.getByTitle('The node that serves this window').textContent()) ?? '';
  }

  table(number: number, status?: string): Locator {
    return this.page.getByRole('button', { name: new RegExp(`^Table ${number}, .*${status ?? ''}$`) });
  }

  reservationOf(guest: string): Locator {
    return this.page
      .getByRole('region', { name: 'This evening' })
      .getByRole('listitem')
      .filter({ hasText: guest });
  }

  get messages(): Locator {
    return this.page.getByRole('list', { name: 'Messages to you' });
  }

  async reserve(table: string, guest: string, party: string): Promise<void> {
    await this.page.getByLabel('Table', { exact: true }).selectOption({ label: table });
    await this.page.getByLabel('Guest').fill(guest);
    await this.page.getByLabel('Party').fill(party);
    await this.page.getByRole('button', { name: 'Reserve', exact: true }).click();
  }

  /** Presses Tab until that control has the focus, as a keyboard user does. */
  async tabTo(control: Locator): Promise<void> {
    for (let presses = 0; presses < 100; presses++) {
      await this.page.keyboard.press('Tab');
      if (await control.evaluate((element) => element === document.activeElement)) return;
    }
    throw new Error('The keyboard does not get there.');
  }

  async write(to: string, text: string): Promise<void> {
    await this.page.getByLabel('To', { exact: true }).selectOption({ label: to });
    await this.page.getByLabel('Message', { exact: true }).fill(text);
    await this.page.getByRole('button', { name: 'Send' }).click();
  }

  /** Reloads the page, which signs in as the same person without asking. */
  async reload(): Promise<void> {
    await this.page.reload();
    await this.isLive();
  }
}
