import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { hasValidSubprotocols } from '../../lib/gateway/identity/handshake.js';
import { openLobby } from './lobby.js';
import { upgradeText } from '../rig/sockets/client-bytes.js';
import { readUntil, tcpConnection, upgrade, type UpgradeRequest } from '../rig/sockets/upgrade-request.js';

const names = (count: number) => Array.from({ length: count }, (_, i) => `p${i}`).join();

describe('an upgrade request', () => {
  const cases: [fault: string, request: UpgradeRequest][] = [
    ['with the method POST', { method: 'POST', headers: { 'Content-Length': '0' } }],
    ['to another protocol', { headers: { Upgrade: 'h2c' } }],
    ['without a key', { headers: { 'Sec-WebSocket-Key': undefined } }],
    ['with a short key', { headers: { 'Sec-WebSocket-Key': 'c2hvcnQ=' } }],
    ['with a key that is no base64', { headers: { 'Sec-WebSocket-Key': '!!!!!!!!!!!!!!!!!!!!!!==' } }],
    ['without a version', { headers: { 'Sec-WebSocket-Version': undefined } }],
    ['of version 12', { headers: { 'Sec-WebSocket-Version': '12' } }],
    ['with broken subprotocols', { headers: { 'Sec-WebSocket-Protocol': 'a,,b' } }],
    ['with one subprotocol twice', { headers: { 'Sec-WebSocket-Protocol': 'a, a' } }],
    ['with 33 subprotocols', { headers: { 'Sec-WebSocket-Protocol': names(33) } }],
    ['with subprotocols as long as Node takes them', { headers: { 'Sec-WebSocket-Protocol': names(2_000) } }],
  ];

  it.each(cases)('%s is answered with 400, and authenticate is not called', async (_fault, request) => {
    let calls = 0;
    const { app, metrics, visits } = await openLobby({
      authenticate: () => {
        calls++;
        return {};
      },
    });
    const { status, headers } = await upgrade(app.port, request);
    expect([status, headers.connection]).toEqual([400, 'close']);
    expect(calls).toBe(0);
    expect(visits.connected).toEqual([]);
    expect(metrics.upgradesRefused.of('bad_request')).toBe(1);
  });

  it('without Upgrade is a plain request, and no gateway answers it', async () => {
    const { app, metrics } = await openLobby();
    const { status } = await upgrade(app.port, { headers: { Upgrade: undefined, Connection: 'close' } });
    expect(status).toBe(404);
    expect(metrics.connectionsOpened.total).toBe(0);
  });

  it('is answered with 400 even if refusals open and close', async () => {
    const { app } = await openLobby({ rejectWith: 'close' });
    expect((await upgrade(app.port, { headers: { 'Sec-WebSocket-Version': '7' } })).status).toBe(400);
  });

  it('with a wrong version is answered with the supported version', async () => {
    const { app } = await openLobby();
    const { headers } = await upgrade(app.port, { headers: { 'Sec-WebSocket-Version': '12' } });
    expect(headers['sec-websocket-version']).toBe('13');
  });
});

it('a list of subprotocols of 16 KB takes no time before authentication', () => {
  const headers = {
    'sec-websocket-protocol': Array.from({ length: 8_000 }, (_, i) => i.toString(36)).join(),
  };
  const request = { headers } as IncomingMessage;
  const startedAt = performance.now();
  for (let i = 0; i < 1_000; i++) hasValidSubprotocols(request);
  // Compared pairwise for duplicates they took 14 s.
  expect(performance.now() - startedAt).toBeLessThan(1_000);
});

it('32 subprotocols are accepted', async () => {
  const { app } = await openLobby();
  const { status } = await upgrade(app.port, { headers: { 'Sec-WebSocket-Protocol': names(32) } });
  expect(status).toBe(101);
});

it('a client that resets its socket during a refusal affects no other client', async () => {
  const { app, metrics } = await openLobby({ authenticate: () => null, authTimeoutMs: false });
  for (let i = 0; i < 20; i++) {
    const socket = tcpConnection(app.port);
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.write(upgradeText(), () => socket.resetAndDestroy());
    await closed;
  }
  const socket = tcpConnection(app.port);
  socket.write(upgradeText());
  expect(await readUntil(socket, '\r\n')).toContain('HTTP/1.1 401 Unauthorized');
  expect(metrics.connectionsOpened.total).toBe(0);
});
