import type { RealtimeOptions } from 'nestjs-realtime';
import { describe, expect, it } from 'vitest';
import { openLobby } from './lobby.js';
import { upgrade } from '../rig/sockets/upgrade-request.js';

async function statusOf(options: RealtimeOptions, headers: Record<string, string>): Promise<number> {
  const { app } = await openLobby(options);
  return (await upgrade(app.port, { headers })).status;
}

describe('the same host, by default', () => {
  const cases: [origin: string, host: string, status: number][] = [
    ['http://app.example.com', 'app.example.com', 101],
    ['https://app.example.com', 'app.example.com', 101],
    ['https://app.example.com', 'app.example.com:443', 101],
    ['http://app.example.com', 'app.example.com:80', 101],
    ['http://app.example.com:8080', 'app.example.com:8080', 101],
    ['https://APP.example.com', 'app.EXAMPLE.com', 101],
    ['http://[::1]:3000', '[::1]:3000', 101],
    ['https://app.example.com', 'app.example.com:80', 403],
    ['http://app.example.com:8080', 'app.example.com', 403],
    ['https://evil.example', 'app.example.com', 403],
    ['https://app.example.com.evil.example', 'app.example.com', 403],
    ['https://evilapp.example.com', 'app.example.com', 403],
    ['https://app.example.com@evil.example', 'app.example.com', 403],
    ['null', 'app.example.com', 403],
    ['file://', 'app.example.com', 403],
    ['app.example.com', 'app.example.com', 403],
    ['capacitor://app.example.com', 'app.example.com', 403],
    ['chrome-extension://app.example.com', 'app.example.com', 403],
    ['https://app.example.com, https://evil.example', 'app.example.com', 403],
    ['https://app.example.com/', 'app.example.com', 403],
    ['https://user@app.example.com', 'app.example.com', 403],
    ['https://app.example.com', 'evil@app.example.com', 403],
    ['https://app.example.com', 'app.example.com/evil', 403],
    ['https://[::1]', '[::1]:443', 101],
    ['https://[::1]', '[::2]', 403],
    ['https://app.example.com', 'app.example.com.', 403],
  ];

  it.each(cases)('a page of %s at the host %s is answered with %i', async (Origin, Host, status) => {
    expect(await statusOf({}, { Origin, Host })).toBe(status);
  });
});

describe('a list', () => {
  const origins = ['https://app.example.com', 'http://localhost:5173'];

  it.each([
    ['https://app.example.com', 101],
    ['http://localhost:5173', 101],
    ['http://app.example.com', 403],
    ['https://app.example.com:8443', 403],
    ['https://app.example.com.evil.example', 403],
    ['null', 403],
  ])('lets %s in with %i', async (Origin, status) => {
    expect(await statusOf({ origins }, { Origin })).toBe(status);
  });

  it("refuses the server's own host unless it is listed", async () => {
    expect(await statusOf({ origins }, { Origin: 'http://own.example', Host: 'own.example' })).toBe(403);
  });

  it("accepts 'null' when it is listed", async () => {
    expect(await statusOf({ origins: ['null'] }, { Origin: 'null' })).toBe(101);
  });
});

it.each([['app.example.com'], ['*'], ['https://app.example.com/'], ['https://app.example.com:443'], ['']])(
  'a list with "%s", which no browser ever sends, is refused at start',
  async (origin) => {
    await expect(openLobby({ origins: ['https://a.example', origin] })).rejects.toThrow(
      /the option origins .*got/,
    );
  },
);

it.each([['capacitor://localhost'], ['http://[::1]:8080'], ['null']])(
  'a list may contain %s',
  async (Origin) => {
    expect(await statusOf({ origins: [Origin] }, { Origin })).toBe(101);
  },
);

describe('a function', () => {
  it('gets the origin and the request, and may be asynchronous', async () => {
    const seen: unknown[] = [];
    const { app } = await openLobby({
      origins: async (origin, { url }) => {
        seen.push([origin, url]);
        return origin.endsWith('.example.com');
      },
    });
    const responses = [
      await upgrade(app.port, { path: '/lobby?a=1', headers: { Origin: 'https://a.example.com' } }),
      await upgrade(app.port, { headers: { Origin: 'https://evil.example' } }),
    ];
    expect(responses.map(({ status }) => status)).toEqual([101, 403]);
    expect(seen).toEqual([
      ['https://a.example.com', '/lobby?a=1'],
      ['https://evil.example', '/lobby'],
    ]);
  });

  it.each([undefined, null, 0, 1, 'true', {}])('that returns %j refuses every client', async (result) => {
    for (const origins of [() => result as boolean, async () => result as boolean]) {
      expect(await statusOf({ origins }, { Origin: 'https://a.example.com' })).toBe(403);
    }
  });

  it('that does not answer within handshakeTimeoutMs refuses with 503', async () => {
    const { app, metrics } = await openLobby({
      origins: () => new Promise(() => {}),
      handshakeTimeoutMs: 20,
    });
    const { status } = await upgrade(app.port, { headers: { Origin: 'https://a.example.com' } });
    expect(status).toBe(503);
    expect(metrics.upgradesRefused.of('handshake_timeout')).toBe(1);
  });

  it('that throws refuses with 500 and logs why', async () => {
    const { app, log } = await openLobby({
      origins: () => {
        throw new Error('list unavailable');
      },
    });
    const { status, body } = await upgrade(app.port, { headers: { Origin: 'https://a.example.com' } });
    expect([status, body]).toEqual([500, 'internal error']);
    expect(log.of('error').join()).toContain('list unavailable');
  });
});

describe('a client without Origin', () => {
  it('is accepted by default, and never passed to the function', async () => {
    expect(await statusOf({}, {})).toBe(101);
    expect(await statusOf({ origins: () => false }, {})).toBe(101);
  });

  it('is refused with allowMissingOrigin: false', async () => {
    expect(await statusOf({ allowMissingOrigin: false }, {})).toBe(403);
    expect(await statusOf({ allowMissingOrigin: false, origins: () => true }, {})).toBe(403);
  });
});

it('false accepts every origin', async () => {
  expect(
    await statusOf({ origins: false, allowMissingOrigin: false }, { Origin: 'https://evil.example' }),
  ).toBe(101);
  expect(await statusOf({ origins: false, allowMissingOrigin: false }, {})).toBe(101);
});

it('a refused origin is counted and logged, and authenticate is not called', async () => {
  let calls = 0;
  const { app, log, metrics } = await openLobby({ authenticate: () => void calls++ });
  const { status, body } = await upgrade(app.port, { headers: { Origin: 'https://evil.example' } });
  expect([status, body, calls]).toEqual([403, 'origin not allowed', 0]);
  expect(metrics.upgradesRefused.of('origin')).toBe(1);
  expect(log.text).toContain(
    'refused reason=origin status=403 ip=127.0.0.1 path=/lobby origin=https://evil.example',
  );
});
