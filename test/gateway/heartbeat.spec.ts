import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { clientFrame, Opcode, upgradeText } from '../rig/sockets/client-bytes.js';
import { Gate } from '../rig/clock/gate.js';
import { openLobby } from './lobby.js';
import { readUntil, tcpConnection } from '../rig/sockets/upgrade-request.js';

const INTERVAL_MS = 1_000;
const TIMEOUT_MS = 400;
const TICK_MS = INTERVAL_MS / 25;
const heartbeat = { intervalMs: INTERVAL_MS, timeoutMs: TIMEOUT_MS };

it('a frozen peer is removed from the registry within interval + timeout, and handleDisconnect runs', async () => {
  const settings = { intervalMs: 400, timeoutMs: 200 };
  const { app, registry, visits, metrics } = await openLobby({ heartbeat: settings });
  const peer = spawn(process.execPath, [
    fileURLToPath(new URL('./frozen-peer.mjs', import.meta.url)),
    `ws://127.0.0.1:${app.port}/lobby`,
  ]);
  onTestFinished(() => void peer.kill('SIGKILL'));
  await once(peer.stdout, 'data');
  const gone = new Promise<[boolean, number]>((resolve) => {
    visits.onDisconnect = ({ isOpen }, { code }) => resolve([isOpen, code]);
  });
  expect(registry.size).toBe(1);
  peer.kill('SIGSTOP');
  const startedAt = performance.now();
  expect(await gone).toEqual([false, 1006]);
  // Two ticks, with time for a busy machine.
  expect(performance.now() - startedAt).toBeLessThan(settings.intervalMs + settings.timeoutMs + 200);
  expect(registry.size).toBe(0);
  expect(metrics.heartbeatsMissed.total).toBe(1);
});

/** An app on a fake clock, and peers on plain sockets that send nothing by themselves. */
async function silentLobby(options: { heartbeat?: typeof heartbeat | false } = { heartbeat }) {
  const lobby = await openLobby(options);
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const open = async () => {
    const socket = tcpConnection(lobby.app.port);
    const hello = readUntil(socket, '$hello');
    socket.write(upgradeText());
    await hello;
    const pingsAt: number[] = [];
    socket.on('data', (bytes: Buffer) => {
      if (bytes[0] === 0x89) pingsAt.push(performance.now());
    });
    return { socket, pingsAt };
  };
  /** Advances the clock tick by tick, and lets the sockets deliver in between. */
  const pass = async (ms: number, each: () => void = () => {}) => {
    for (let passed = 0; passed < ms; passed += TICK_MS) {
      await vi.advanceTimersByTimeAsync(TICK_MS);
      each();
      for (let turn = 0; turn < 8; turn++) await new Promise(setImmediate);
    }
  };
  return { ...lobby, open, pass };
}

describe('a peer', () => {
  const signs: [sign: string, frame: () => Buffer][] = [
    ['a pong', () => clientFrame('', { opcode: Opcode.PONG })],
    ['a ping', () => clientFrame('', { opcode: Opcode.PING })],
    ['a message', () => clientFrame('{"type":"ping"}')],
    ['a frame that is no message', () => clientFrame('{', { opcode: Opcode.TEXT })],
  ];

  it.each(signs)('that sends only %s stays connected', async (_sign, frame) => {
    const { registry, open, pass } = await silentLobby();
    const { socket } = await open();
    let count = 0;
    await pass(4 * INTERVAL_MS, () => {
      if (++count % 10 === 0 && count < 190) socket.write(frame());
    });
    expect(registry.size).toBe(1);
  });

  it('that sends nothing is terminated timeoutMs after its ping, not before', async () => {
    const { registry, open, pass } = await silentLobby();
    const { pingsAt } = await open();
    await pass(INTERVAL_MS);
    expect(pingsAt).toHaveLength(1);
    const silentUntil = (pingsAt[0] as number) + TIMEOUT_MS;
    await pass(silentUntil - performance.now() - TICK_MS);
    expect(registry.size).toBe(1);
    await pass(2 * TICK_MS);
    expect(registry.size).toBe(0);
  });

  it('with a paused socket, whose messages wait for a handler, stays connected', async () => {
    const { registry, open, pass, visits } = await silentLobby();
    const gate = new Gate();
    visits.onHold = () => gate.opened;
    const { socket } = await open();
    const message = clientFrame('{"type":"hold","payload":{"text":"a"}}');
    socket.write(Buffer.concat(Array.from({ length: 300 }, () => message)));
    await pass(4 * INTERVAL_MS, () => void socket.write(clientFrame('', { opcode: Opcode.PONG })));
    expect(registry.size).toBe(1);
    gate.open();
    await pass(4 * INTERVAL_MS, () => void socket.write(clientFrame('', { opcode: Opcode.PONG })));
    expect(registry.size).toBe(1);
    expect(visits.messages).toHaveLength(300);
  });
});

it('pings are spread over the interval, and each peer gets one per interval', async () => {
  const { open, pass } = await silentLobby({
    heartbeat: { intervalMs: INTERVAL_MS, timeoutMs: 60_000 } as never,
  });
  const peers = await Promise.all(Array.from({ length: 50 }, () => open()));
  await pass(2 * INTERVAL_MS);
  expect(peers.map(({ pingsAt }) => pingsAt.length)).toEqual(Array.from({ length: 50 }, () => 2));
  const ticks = peers.map(({ pingsAt }) => Math.round((pingsAt[0] as number) / TICK_MS));
  const perTick = new Map<number, number>();
  for (const tick of ticks) perTick.set(tick, (perTick.get(tick) ?? 0) + 1);
  expect(perTick.size).toBe(25);
  expect(Math.max(...perTick.values())).toBe(2);
});

it('$hello announces the heartbeat, or that there is none', async () => {
  const { app } = await openLobby({ heartbeat });
  expect((await app.open('/lobby').hello()).heartbeat).toEqual(heartbeat);
  const quiet = await openLobby({ heartbeat: false });
  expect((await quiet.app.open('/lobby').hello()).heartbeat).toBeNull();
});

it('false sends no pings and closes no connection', async () => {
  const { registry, open, pass } = await silentLobby({ heartbeat: false });
  const { pingsAt } = await open();
  await pass(10 * INTERVAL_MS);
  expect([pingsAt.length, registry.size]).toEqual([0, 1]);
});

it('a browser sends the message ping and gets pong, with its id if it has one', async () => {
  const { app } = await openLobby({ heartbeat: false });
  const client = await app.connect('/lobby');
  client.send({ type: 'ping' });
  expect(await client.next()).toEqual({ type: 'pong' });
  client.send({ type: 'ping', id: 7 });
  expect(await client.next()).toEqual({ type: 'pong', id: 7 });
});

it('a process that was suspended itself closes none of its peers', async () => {
  const { registry, open, pass } = await silentLobby();
  const { socket, pingsAt } = await open();
  await pass(INTERVAL_MS);
  expect(pingsAt).toHaveLength(1);
  await pass((pingsAt[0] as number) + TIMEOUT_MS - performance.now() - TICK_MS);
  // The next tick comes late, as after a suspend, and the pong is read only after it.
  const now = performance.now();
  vi.spyOn(performance, 'now').mockReturnValue(now + 10 * INTERVAL_MS);
  await pass(2 * TICK_MS);
  vi.mocked(performance.now).mockRestore();
  expect(registry.size).toBe(1);
  socket.write(clientFrame('', { opcode: Opcode.PONG }));
  await pass(INTERVAL_MS / 2);
  expect(registry.size).toBe(1);
});
