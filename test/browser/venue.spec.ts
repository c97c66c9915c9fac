import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { namelessControls } from './accessible-names.js';
import { buildVenue, VenueProcess } from '../rig/process/venue-process.js';
import { launchChromium } from './chromium.js';
import { VenueWindow } from './venue-window.js';

// The windows stay open for all tests, so each test uses its own tables.
describe('the venue in two windows', { timeout: 60_000 }, () => {
  let venue: VenueProcess;
  let browser: Browser;
  let maria: VenueWindow;
  let tomas: VenueWindow;

  beforeAll(async () => {
    await buildVenue();
    [venue, browser] = await Promise.all([VenueProcess.start(), launchChromium()]);
    [maria, tomas] = await Promise.all([
      VenueWindow.open(browser, venue.url, 'Maria Conti'),
      VenueWindow.open(browser, venue.url, 'Tomás Reyes'),
    ]);
  }, 90_000);

  afterAll(async () => {
    await browser?.close();
    await venue?.stop();
  });

  it('shows a table that is seated in one window as occupied in the other, and free again', async () => {
    await maria.table(1).click();
    await maria.page.getByRole('button', { name: 'Seat guests' }).click();
    await tomas.table(1, 'occupied').waitFor();
    await tomas.table(1).click();
    await tomas.page.getByRole('button', { name: 'Free table' }).click();
    await maria.table(1, 'free').waitFor();
  });

  it('takes a reservation by keyboard alone and shows it in both windows', async () => {
    const { page } = maria;
    await maria.reload();
    await maria.tabTo(page.getByLabel('Table', { exact: true }));
    await page.keyboard.type('Table 5');
    await maria.tabTo(page.getByLabel('Guest'));
    await page.keyboard.type('Ada Lovelace');
    await maria.tabTo(page.getByLabel('Party'));
    await page.keyboard.press('ControlOrMeta+A');
    await page.keyboard.type('3');
    await page.keyboard.press('Enter');
    for (const window of [maria, tomas]) {
      await window.reservationOf('Ada Lovelace').getByText('Table 5 · 3 guests').waitFor();
    }
  });

  it('seats a party from the list, and its table with it, in both windows', async () => {
    await maria.page.getByRole('button', { name: /^Seat Okafor/ }).click();
    for (const window of [maria, tomas]) {
      await window.reservationOf('Okafor').getByText('Seated').waitFor();
      await window.table(4, 'occupied').waitFor();
    }
  });

  it('refuses a double booking with a sentence', async () => {
    await maria.reserve('Table 15 · 4 seats', 'Grace Hopper', '2');
    await maria.reservationOf('Grace Hopper').waitFor();
    await maria.reserve('Table 15 · 4 seats', 'Alan Turing', '2');
    await maria.page.getByRole('alert').getByText('Table 15 is already booked for Grace Hopper').waitFor();
    expect(await maria.reservationOf('Alan Turing').count()).toBe(0);
  });

  it('shows what is wrong with a field at that field, with the message of the contract', async () => {
    await maria.reserve('Table 3 · 2 seats', '', '2');
    await maria.page.getByText('the guest needs a name of 1 to 60 characters').waitFor();
    const guest = maria.page.getByLabel('Guest');
    expect(await guest.getAttribute('aria-invalid')).toBe('true');
    expect(await guest.evaluate((field) => field === document.activeElement)).toBe(true);
  });

  it('shows a notification sent over HTTP to its user alone', async () => {
    const receipt = await venue.post('/users/tomas/notifications', { text: 'For Tomás' });
    expect(await receipt.json()).toMatchObject({ delivered: 1 });
    await venue.post('/users/maria/notifications', { text: 'For Maria' });
    await tomas.messages.getByText('For Tomás').waitFor();
    await maria.messages.getByText('For Maria').waitFor();
    expect(await maria.messages.getByText('For Tomás').count()).toBe(0);
  });

  it('delivers a message between colleagues, and says when the recipient is not connected', async () => {
    await maria.write('Tomás Reyes', 'Table 6 wants the bill');
    await maria.page.getByText('Tomás Reyes has received it.').waitFor();
    await tomas.page.getByRole('status').getByText('Table 6 wants the bill').waitFor();
    await maria.write('Jonas Weber', 'Hello?');
    await maria.page.getByText('Jonas Weber is not connected right now.').waitFor();
  });

  it("shows a guest's name as text, never as HTML", async () => {
    await maria.reserve('Table 7 · 4 seats', '<img src=x onerror=alert(1)>', '2');
    await tomas.reservationOf('<img src=x onerror=alert(1)>').waitFor();
  });

  it('returns the focus to the table when Escape closes its panel', async () => {
    await maria.table(12).focus();
    await maria.page.keyboard.press('Enter');
    await maria.page.getByRole('heading', { name: 'Table 12' }).waitFor();
    await maria.page.keyboard.press('Escape');
    expect(await maria.table(12).evaluate((table) => table === document.activeElement)).toBe(true);
  });

  it('gives every control an accessible name, on the sign-in page too', async () => {
    const page = await browser.newPage();
    await page.goto(venue.url);
    await page.getByLabel('Somebody else').waitFor();
    expect(await namelessControls(page)).toEqual([]);
    await page.close();
    await maria.table(1).click();
    expect(await namelessControls(maria.page)).toEqual([]);
  });

  it.each([390, 360])('does not scroll sideways at %i px', async (width) => {
    await tomas.page.setViewportSize({ width, height: 844 });
    await tomas.table(9).click();
    expect(await tomas.page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
  });

  it('shows that it reconnects when the server dies, and reads the floor again when it is back', async () => {
    const server = await VenueProcess.start();
    const aiko = await VenueWindow.open(browser, server.url, 'Aiko Tanaka');
    await aiko.table(11).click();
    await aiko.page.getByRole('button', { name: 'Seat guests' }).click();
    await aiko.table(11, 'occupied').waitFor();
    await server.stop('SIGKILL');
    await aiko.page.getByText(/^Reconnecting in \d+ s$/).waitFor();
    const reopened = await VenueProcess.start(server.port);
    await aiko.isLive();
    // The new process has read its file again; a window that only received events would still show occupied.
    await aiko.table(11, 'free').waitFor();
    await reopened.stop();
  });
});
