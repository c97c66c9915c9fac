import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Testbed } from './testbed.js';

/** What a page has and Node has not. */
class Page {
  readonly window = new EventTarget();
  readonly document = Object.assign(new EventTarget(), { visibilityState: 'visible' });

  install(): void {
    Object.assign(globalThis, {
      document: this.document,
      addEventListener: this.window.addEventListener.bind(this.window),
      removeEventListener: this.window.removeEventListener.bind(this.window),
    });
  }

  remove(): void {
    for (const name of ['document', 'addEventListener', 'removeEventListener']) {
      Reflect.deleteProperty(globalThis, name);
    }
  }
}

let page: Page;
let bed: Testbed;
beforeEach(() => {
  page = new Page();
  page.install();
  bed = new Testbed();
});
afterEach(() => {
  bed.client.close();
  page.remove();
});

describe('while connected', () => {
  it.each([
    ['online', 'window'],
    ['offline', 'window'],
    ['pageshow', 'window'],
    ['resume', 'document'],
    ['visibilitychange', 'document'],
  ] as const)('%s makes the client look whether the connection lives', async (type, target) => {
    const socket = await bed.connected();
    page[target].dispatchEvent(new Event(type));
    expect(socket.ofType('ping')).toHaveLength(1);
    await bed.clock.advance(2_000);
    expect(bed.client.state.status).toBe('reconnecting');
  });

  it('a page that goes out of sight changes nothing', async () => {
    const socket = await bed.connected();
    page.document.visibilityState = 'hidden';
    page.document.dispatchEvent(new Event('visibilitychange'));
    expect(socket.sent).toEqual([]);
  });
});

describe('while away', () => {
  it('online and a page that shows again bring the next attempt forward', async () => {
    (await bed.connected()).end();
    expect(bed.client.state).toMatchObject({ retryInMs: 2_500 });
    page.window.dispatchEvent(new Event('online'));
    expect(bed.client.state).toMatchObject({ retryInMs: 250 });
  });

  it('offline does not', async () => {
    (await bed.connected()).end();
    page.window.dispatchEvent(new Event('offline'));
    expect(bed.client.state).toMatchObject({ retryInMs: 2_500 });
  });
});

it('a closed client listens to no signal', async () => {
  const socket = await bed.connected();
  bed.client.close();
  page.window.dispatchEvent(new Event('online'));
  expect(socket.sent).toEqual([]);
});
