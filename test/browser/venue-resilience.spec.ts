import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { FreezableTab } from './freezable-tab.js';
import { FaultyProxy } from '../rig/network/faulty-proxy.js';
import { buildVenue, VenueProcess } from '../rig/process/venue-process.js';
import { launchChromium } from './chromium.js';
import { VenueWindow } from './venue-window.js';

interface Booked {
  readonly guestName: string;
}

let browser: Browser;
beforeAll(async () => {
  await buildVenue();
  browser = await launchChromium();
}, 90_000);
afterAll(() => browser?.close());

/** A server for each test, behind a proxy that can fail. */
async function openVenue(settings?: Record<string, string>) {
  const venue = await VenueProcess.start('0', settings);
  const path = new FaultyProxy(Number(venue.port), 'localhost');
  await path.listen();
  onTestFinished(async () => {
    await path.close();
    await venue.stop();
  });
  return { venue, path, url: `http://localhost:${path.port}` };
}

/** The same with a window that connects through the proxy. */
async function open(settings?: Record<string, string>) {
  const { venue, path, url } = await openVenue(settings);
  const maria = await VenueWindow.open(browser, url, 'Maria Conti');
  // The delay between retries grows while the server starts.
  maria.page.setDefaultTimeout(40_000);
  onTestFinished(() => maria.page.context().close());
  return { venue, path, maria };
}

async function openFreezable() {
  const { venue, path, url } = await openVenue();
  const tab = await FreezableTab.open();
  onTestFinished(() => tab.close());
  const maria = await VenueWindow.enter(tab.page, url, 'Maria Conti');
  return { venue, path, maria, tab, states: await maria.recordStates() };
}

/** Changes the floor without using the window's proxy. */
const permit = (venue: VenueProcess, number: number) =>
  fetch(`${venue.url}/tables/t${number}`, {
    method: 'PATCH',
    headers: { 'Content-Type': 'application/json' },
    body: '{"status":"occupied"}',
  });

async function timesBooked(venue: VenueProcess, guest: string): Promise<number> {
  const reservations = await venue.get<Booked[]>('/reservations');
  return reservations.filter(({ guestName }) => guestName === guest).length;
}

/** The server has it once, the form confirms it, and the list shows it once. */
async function isBookedOnce(venue: VenueProcess, window: VenueWindow, guest: string): Promise<void> {
  await window.page.getByRole('alert').getByText(`${guest} is expected at`).waitFor();
  expect(await timesBooked(venue, guest)).toBe(1);
  await window.reservationOf(guest).waitFor();
  expect(await window.reservationOf(guest).count()).toBe(1);
}

describe('the venue page', { timeout: 150_000 }, () => {
  describe('when its server is killed and started again', () => {
    it('shows that, reconnects by itself with the floor of the new server, and sends a waiting request once', async () => {
      const { venue, maria } = await open();
      await permit(venue, 11);
      await maria.table(11, 'occupied').waitFor();
      await venue.stop('SIGKILL');
      await maria.isAway();
      await maria.reserve('Table 5 · 4 seats', 'Ada Lovelace', '3');
      await maria.page.getByRole('alert').getByText('No connection right now').waitFor();
      const reopened = await VenueProcess.start(venue.port);
      onTestFinished(() => reopened.stop());
      await maria.isLive();
      await maria.table(11, 'free').waitFor();
      await isBookedOnce(reopened, maria, 'Ada Lovelace');
    });

    it('counts down to the next attempt, and retries at once on a click', async () => {
      const { venue, maria } = await open();
      const seconds = await maria.page.evaluateHandle(() => {
        const shown: number[] = [];
        const text = document.querySelector('#connection-text')!;
        new MutationObserver(() => {
          const [, left] = /^Reconnecting in (\d+) s$/.exec(text.textContent ?? '') ?? [];
          if (left !== undefined && Number(left) !== shown.at(-1)) shown.push(Number(left));
        }).observe(text, { childList: true });
        return shown;
      });
      await venue.stop('SIGKILL');
      const counted = async () => {
        const shown = await seconds.jsonValue();
        return shown.some((left, i) => left >= 2 && shown[i + 1] === left - 1 && shown[i + 2] === left - 2);
      };
      await expect.poll(counted, { timeout: 40_000 }).toBe(true);
      const reopened = await VenueProcess.start(venue.port);
      onTestFinished(() => reopened.stop());
      const left = (await seconds.jsonValue()).at(-1)!;
      const retry = maria.page.getByRole('button', { name: 'Try now' });
      if (await retry.isVisible()) await retry.click();
      await maria.isLive();
      // An automatic attempt would have counted down to 1 first.
      if (left >= 4) expect((await seconds.jsonValue()).at(-1)).toBeGreaterThan(1);
    });

    it('keeps the order of waiting requests: a table seated and then held is held', async () => {
      const { venue, maria } = await open();
      await maria.table(3).click();
      await venue.stop('SIGKILL');
      await maria.isAway();
      await maria.page.getByRole('button', { name: 'Seat guests' }).click();
      await maria.page.getByRole('button', { name: 'Hold table' }).click();
      const reopened = await VenueProcess.start(venue.port);
      onTestFinished(() => reopened.stop());
      await maria.isLive();
      await maria.table(3, 'reserved').waitFor();
      expect(await reopened.get('/tables')).toContainEqual(
        expect.objectContaining({ number: 3, status: 'reserved' }),
      );
    });

    it('says that the outcome of a reservation is unknown when its reply was lost with the server', async () => {
      const { venue, path, maria } = await open();
      path.loseReplies();
      await maria.reserve('Table 5 · 4 seats', 'Grace Hopper', '2');
      await expect.poll(() => timesBooked(venue, 'Grace Hopper'), { timeout: 10_000 }).toBe(1);
      await venue.stop('SIGKILL');
      path.refuse();
      const reopened = await VenueProcess.start(venue.port);
      onTestFinished(() => reopened.stop());
      path.restore();
      await maria.page.getByRole('alert').getByText('this may or may not have been done').waitFor();
      await maria.isLive();
      expect(await timesBooked(reopened, 'Grace Hopper')).toBe(0);
    });
  });

  describe('when the network goes offline and online', () => {
    it('detects offline within seconds, is live again when online, and sends a waiting request once', async () => {
      const { venue, path, maria } = await open();
      await maria.page.context().setOffline(true);
      path.blackHole();
      await maria.isAway();
      await permit(venue, 11);
      await maria.reserve('Table 5 · 4 seats', 'Alan Turing', '3');
      await maria.page.getByRole('alert').getByText('No connection right now').waitFor();
      path.restore();
      await maria.page.context().setOffline(false);
      await maria.isLive();
      await maria.table(11, 'occupied').waitFor();
      await isBookedOnce(venue, maria, 'Alan Turing');
    });

    it('reconnects after a connection reset, and sends a waiting request once', async () => {
      const { venue, path, maria } = await open();
      path.refuse();
      await maria.isAway();
      await permit(venue, 11);
      await maria.reserve('Table 5 · 4 seats', 'Edsger Dijkstra', '3');
      path.restore();
      await maria.isLive();
      await maria.table(11, 'occupied').waitFor();
      await isBookedOnce(venue, maria, 'Edsger Dijkstra');
    });
  });

  describe('when its tab is frozen and resumed', () => {
    // A frozen page cannot be clicked.
    const submit = ({ page }: VenueWindow) =>
      page.evaluate(() => document.querySelector<HTMLFormElement>('#reserve-form')!.requestSubmit());
    const fill = async ({ page }: VenueWindow, guest: string) => {
      await page.getByLabel('Table', { exact: true }).selectOption({ label: 'Table 5 · 4 seats' });
      await page.getByLabel('Guest').fill(guest);
    };

    it('shows the current floor, and has sent the request once', async () => {
      const { venue, maria, tab } = await openFreezable();
      await fill(maria, 'Barbara Liskov');
      await tab.freeze();
      await permit(venue, 11);
      await submit(maria);
      await tab.resume();
      await maria.table(11, 'occupied').waitFor();
      await maria.isLive();
      await isBookedOnce(venue, maria, 'Barbara Liskov');
    });

    it('shows on resume that its server is gone, and reconnects', async () => {
      const { venue, maria, tab, states } = await openFreezable();
      await fill(maria, 'Radia Perlman');
      await permit(venue, 11);
      await maria.table(11, 'occupied').waitFor();
      await tab.freeze();
      await venue.stop('SIGKILL');
      const reopened = await VenueProcess.start(venue.port);
      onTestFinished(() => reopened.stop());
      await tab.resume();
      await expect.poll(states, { timeout: 10_000 }).toContain('reconnecting');
      await submit(maria);
      await maria.table(11, 'free').waitFor();
      await maria.isLive();
      await isBookedOnce(reopened, maria, 'Radia Perlman');
    });

    it('detects on resume that its network is gone, long before a heartbeat', async () => {
      const { venue, path, maria, tab } = await openFreezable();
      await fill(maria, 'Leslie Lamport');
      await tab.freeze();
      path.blackHole();
      await permit(venue, 11);
      await submit(maria);
      await tab.resume();
      await maria.isAway();
      path.restore();
      await maria.isLive();
      await maria.table(11, 'occupied').waitFor();
      await isBookedOnce(venue, maria, 'Leslie Lamport');
    });
  });

  describe('when its connection silently drops all bytes', () => {
    const quick = { HEARTBEAT_MS: '1000' };

    it('detects the silence, and sends a lost request once', async () => {
      const { venue, path, maria } = await open(quick);
      path.blackHole();
      await maria.reserve('Table 5 · 4 seats', 'Donald Knuth', '3');
      await maria.isAway();
      await maria.page.getByRole('alert').getByText('No connection right now').waitFor();
      await permit(venue, 11);
      expect(await timesBooked(venue, 'Donald Knuth')).toBe(0);
      path.restore();
      await maria.isLive();
      await maria.table(11, 'occupied').waitFor();
      await isBookedOnce(venue, maria, 'Donald Knuth');
    });

    it('does not book twice when the reply to a booking was lost', async () => {
      const { venue, path, maria } = await open(quick);
      path.loseReplies();
      await maria.reserve('Table 5 · 4 seats', 'Tony Hoare', '3');
      await expect.poll(() => timesBooked(venue, 'Tony Hoare'), { timeout: 10_000 }).toBe(1);
      await maria.isAway();
      await maria.isLive();
      await isBookedOnce(venue, maria, 'Tony Hoare');
    });

    it('seats a table once when its request was sent several times', async () => {
      const { venue, path, maria } = await open(quick);
      await maria.table(12).click();
      path.blackHole();
      await maria.page.getByRole('button', { name: 'Seat guests' }).click();
      await maria.isAway();
      path.restore();
      await maria.isLive();
      await maria.table(12, 'occupied').waitFor();
      expect(await venue.get('/tables')).toContainEqual(
        expect.objectContaining({ number: 12, status: 'occupied' }),
      );
    });
  });
});
