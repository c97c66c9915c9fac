import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { RealtimeGateway, RealtimeModule, defineContract, type Handshake } from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp } from 'nestjs-realtime/testing';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { launchChromium } from './chromium.js';

const nothing = defineContract({});

@RealtimeGateway({ path: '/ws', contract: nothing })
class EmptyGateway {}

let browser: Browser;
let ours: Server;
let theirs: Server;
let app: RealtimeTestApp;
beforeAll(async () => {
  [browser, ours, theirs] = await Promise.all([launchChromium(), pageServer(), pageServer()]);
}, 60_000);
afterEach(() => app.close());
afterAll(async () => {
  await browser?.close();
  for (const server of [ours, theirs]) server?.close();
});

/** Serves an empty page. Another port is another origin but the same site, so a SameSite cookie is sent. */
async function pageServer(): Promise<Server> {
  const server = createServer((_request, response) => {
    response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>page</title>');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const originOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

/** An app that authenticates by a cookie, and the origins its `authenticate` was called with. */
async function openDoor(origins: 'ours' | false) {
  const seen: Pick<Handshake, 'origin' | 'token'>[] = [];
  app = await createRealtimeTestApp({
    imports: [
      RealtimeModule.forRoot({
        origins: origins === 'ours' ? [originOf(ours)] : false,
        tokenCookie: 'session',
        authenticate: ({ origin, token }) => {
          seen.push({ origin, token });
          return token === 'ann' ? { userId: 'ann' } : null;
        },
      }),
    ],
    providers: [EmptyGateway],
  });
  return seen;
}

/** The outcome of a WebSocket from a page of that server to the app, in a browser that holds the user's cookie. */
async function visit(server: Server): Promise<string> {
  const context = await browser.newContext();
  await context.addCookies([{ name: 'session', value: 'ann', domain: '127.0.0.1', path: '/' }]);
  const page = await context.newPage();
  await page.goto(originOf(server));
  const got = await page.evaluate(
    (url) =>
      new Promise<string>((resolve) => {
        const socket = new WebSocket(url);
        socket.addEventListener('message', ({ data }) => resolve(String(data)));
        socket.addEventListener('close', ({ code }) => resolve(`closed with ${code}`));
      }),
    `ws://127.0.0.1:${app.port}/ws`,
  );
  await context.close();
  return got;
}

it('a page of another origin cannot connect, and authenticate is not called', async () => {
  const seen = await openDoor('ours');
  expect(await visit(theirs)).toBe('closed with 1006');
  expect(seen).toEqual([]);
});

it('the same page on the allowed origin can connect', async () => {
  const seen = await openDoor('ours');
  expect(await visit(ours)).toMatch(/"type":"\$hello".*"userId":"ann"/);
  expect(seen).toEqual([{ origin: originOf(ours), token: 'ann' }]);
});

it('only the origin check refuses the other page: its cookie would be accepted', async () => {
  const seen = await openDoor(false);
  expect(await visit(theirs)).toMatch(/"userId":"ann"/);
  expect(seen).toEqual([{ origin: originOf(theirs), token: 'ann' }]);
});
