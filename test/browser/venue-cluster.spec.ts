import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VenueCluster, type VenueNode } from './venue-cluster.js';
import { buildVenue } from '../rig/process/venue-process.js';
import { launchChromium } from './chromium.js';
import { VenueWindow } from './venue-window.js';

const post = (node: VenueNode, path: string, body: object) =>
  fetch(`${node.url}${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });

describe('the venue on three nodes', { timeout: 60_000 }, () => {
  let cluster: VenueCluster;
  let browser: Browser;
  let maria: VenueWindow;
  let tomas: VenueWindow;

  const nodeOf = async (window: VenueWindow) => cluster.nodeNamed(await window.nodeName());

  beforeAll(async () => {
    await buildVenue();
    [cluster, browser] = await Promise.all([VenueCluster.start(), launchChromium()]);
    maria = await VenueWindow.open(browser, cluster.url, 'Maria Conti');
    tomas = await VenueWindow.open(browser, cluster.url, 'Tomás Reyes');
    // The proxy is round-robin by connection, and a page opens several connections.
    for (let i = 0; i < 20 && (await nodeOf(tomas)) === (await nodeOf(maria)); i++) {
      await cluster.skipTurn();
      await tomas.reload();
    }
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await cluster?.stop();
  });

  it('serves two windows from two nodes, and each window shows its node', async () => {
    const [hers, his] = [await nodeOf(maria), await nodeOf(tomas)];
    expect(hers.pid).not.toBe(his.pid);
  });

  it('shows a change made on one node on every node', async () => {
    await maria.table(1).click();
    await maria.page.getByRole('button', { name: 'Seat guests' }).click();
    await tomas.table(1, 'occupied').waitFor();
    await tomas.table(1).click();
    await tomas.page.getByRole('button', { name: 'Free table' }).click();
    await maria.table(1, 'free').waitFor();
  });

  it('shows a reservation made on either node in both windows', async () => {
    await maria.reserve('Table 5 · 4 seats', 'Ada Lovelace', '3');
    await tomas.reservationOf('Ada Lovelace').getByText('Table 5 · 3 guests').waitFor();
    await tomas.reserve('Table 15 · 4 seats', 'Grace Hopper', '2');
    await maria.reservationOf('Grace Hopper').getByText('Table 15 · 2 guests').waitFor();
  });

  it('gives a table to one of six hosts that book it at the same moment on three nodes', async () => {
    const at = new Date(Date.now() + 90 * 24 * 3_600_000).toISOString();
    const wishes = Array.from({ length: 6 }, (_, i) =>
      post(cluster.nodes[i % 3] as VenueNode, '/reservations', {
        tableId: 't14',
        guestName: `Guest ${i}`,
        partySize: 2,
        at,
      }),
    );
    const statuses = (await Promise.all(wishes)).map(({ status }) => status).sort((a, b) => a - b);
    expect(statuses).toEqual([201, 409, 409, 409, 409, 409]);
  });

  it('delivers a notification that one node receives over HTTP to a user on another node', async () => {
    const [hers, his] = [await nodeOf(maria), await nodeOf(tomas)];
    const third = cluster.nodes.find((node) => node !== hers && node !== his) as VenueNode;
    const receipt = await post(third, '/users/maria/notifications', { text: 'From the third node' });
    expect(await receipt.json()).toMatchObject({ delivered: 1, nodes: 1, missingNodes: 0, failure: null });
    await maria.messages.getByText('From the third node').waitFor();
  });

  it('tells the sender that a colleague on another node received the message', async () => {
    await maria.write('Tomás Reyes', 'Table 6 wants the bill');
    await maria.page.getByText('Tomás Reyes has received it.').waitFor();
    await tomas.messages.getByText('Table 6 wants the bill').waitFor();
  });

  it('accepts a token that another node has signed', async () => {
    const [first, second] = cluster.nodes as [VenueNode, VenueNode];
    const { token } = (await (await post(first, '/login', { userId: 'maria' })).json()) as { token: string };
    const answer = await fetch(`${second.url}/tables`, { headers: { Authorization: `Bearer ${token}` } });
    expect(answer.status).toBe(200);
  });

  it('reconnects a window to another node with the current floor when its node is killed', async () => {
    const [hers, his] = [await nodeOf(maria), await nodeOf(tomas)];
    const states = await maria.recordStates();
    cluster.kill(hers);
    await expect.poll(states, { timeout: 10_000 }).toContain('reconnecting');
    await tomas.table(11).click();
    await tomas.page.getByRole('button', { name: 'Seat guests' }).click();
    await maria.isLive();
    await maria.table(11, 'occupied').waitFor();
    expect((await nodeOf(maria)).pid).not.toBe(hers.pid);
    expect((await nodeOf(tomas)).pid).toBe(his.pid);
    await maria.table(12).click();
    await maria.page.getByRole('button', { name: 'Seat guests' }).click();
    await tomas.table(12, 'occupied').waitFor();
  });

  it('leaves no key of the killed node in Redis', async () => {
    const { redis } = cluster;
    const keys = (await redis.call('KEYS', '*')) as string[];
    for (const key of keys) expect(await redis.call('TTL', key), key).toBeGreaterThan(0);
    expect(await redis.call('PUBSUB', 'CHANNELS', '*:c:node:*')).toHaveLength(2);
  });

  it('accepts new windows while a node is down', async () => {
    for (let i = 0; i < 3; i++) {
      const aiko = await VenueWindow.open(browser, cluster.url, 'Aiko Tanaka');
      await aiko.table(11, 'occupied').waitFor();
      await aiko.page.close();
    }
  });
});
