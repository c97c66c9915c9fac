import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RealtimeClient } from '../../lib/client/index.js';
import { useConnectionState, useRealtime } from '../../lib/client/react.js';
import { launchChromium } from '../browser/chromium.js';
import { Stage } from './runtimes/stage.js';

let browser: Browser;
let script: string;
beforeAll(async () => {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./react-page.ts', import.meta.url))],
    bundle: true,
    write: false,
    format: 'iife',
    target: 'es2022',
    define: { 'process.env.NODE_ENV': '"development"' },
  });
  script = outputFiles[0]?.text ?? '';
  browser = await launchChromium();
});
afterAll(() => browser.close());

describe('in StrictMode', () => {
  let stage: Stage;
  let page: Page;
  let problems: string[];
  beforeEach(async () => {
    stage = await Stage.open();
    page = await browser.newPage();
    problems = [];
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
    await page.setContent('<div id="root"></div>');
    await page.addScriptTag({ content: script });
    await page.evaluate(`mount(${JSON.stringify(stage.address)})`);
    await shows('status', 'connected');
  });
  afterEach(async () => {
    await page.close();
    await stage.close();
  });

  const shows = (id: string, text: string) =>
    page.waitForFunction(`document.getElementById('${id}').textContent === ${JSON.stringify(text)}`);
  const statuses = () => page.evaluate('clients.map(({ state }) => state.status)');

  it('a provider connects one client and closes it when it is unmounted', async () => {
    expect(await statuses()).toEqual(['connected', 'idle']);
    await page.evaluate('unmount()');
    await page.waitForFunction("clients[0].state.status === 'closed'");
    expect(problems).toEqual([]);
  });

  it('a provider that <Activity> hides closes its client, and shown again has one that works', async () => {
    for (const n of [1, 2]) {
      await page.evaluate("show('hidden')");
      await page.waitForFunction("clients[0].state.status === 'closed'");
      await page.evaluate("show('visible')");
      await shows('status', 'connected');
      await stage.control('say', n);
      await shows('received', n === 1 ? '1' : '1,2');
      await page.click('#add');
      await shows('total', String(n));
    }
    expect(await statuses()).toEqual(['connected', 'idle']);
    expect(problems).toEqual([]);
  });

  it('a provider that is mounted anew has a client of its own', async () => {
    await page.evaluate('remount()');
    await page.waitForFunction("clients[0].state.status === 'closed'");
    await shows('status', 'connected');
    await stage.control('say', 1);
    await shows('received', '1');
    expect(problems).toEqual([]);
  });

  it('useMessage delivers each message once, to the newest function', async () => {
    await stage.control('say', 1);
    await shows('received', '1');
    await stage.control('say', 2);
    await shows('received', '1,2');
  });

  it('useRequest shows the reply or the refusal', async () => {
    await page.click('#add');
    await shows('total', '1');
    await page.click('#refuse');
    await shows('refusal', 'TABLE_TAKEN');
    expect((await stage.control('ledger')).added).toEqual([1]);
    expect(problems).toEqual([]);
  });

  it('useConnectionState follows a connection that is lost and found', async () => {
    await stage.control('kill');
    await shows('status', 'reconnecting');
    await page.click('#add');
    await shows('total', 'pending');
    await stage.control('start');
    await shows('status', 'connected');
    await shows('total', '1');
  });
});

describe('on a server', () => {
  it('a page is rendered idle, and nothing is connected', () => {
    const client = new RealtimeClient('ws://test', { WebSocket: class {} as never });
    const Badge = () => createElement('b', null, useConnectionState(useRealtime(client)).status);
    expect(renderToString(createElement(Badge))).toBe('<b>idle</b>');
    expect(client.state.status).toBe('idle');
  });

  it('useRealtime without a client throws an error that names the fix', () => {
    const Lost = () => createElement('b', null, useRealtime().state.status);
    expect(() => renderToString(createElement(Lost))).toThrow('useRealtime found no client');
  });
});
