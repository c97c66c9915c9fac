import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { once } from 'node:events';
import { ForkedProcess } from '../rig/process/forked-process.js';

let node: ForkedProcess | undefined;
afterEach(() => node?.signal('SIGKILL'));

/** A node with `enableShutdownHooks()` in its own process, and a client that records its frames. */
async function openNode(platform: string) {
  node = new ForkedProcess(new URL('./shutdown-node.ts', import.meta.url), [platform]);
  const port = await node.next<number>('listening');
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
  const types: string[] = [];
  socket.on('message', (data) => types.push((JSON.parse(String(data)) as { type: string }).type));
  await once(socket, 'message');
  return { node, socket, types };
}

describe.each(['express', 'fastify'])('a node on %s', { timeout: 60_000 }, (platform) => {
  it.each(['SIGTERM', 'SIGINT'] as const)('that gets %s drains and exits by that signal', async (signal) => {
    const { node, socket, types } = await openNode(platform);
    socket.send('{"type":"work","id":1,"payload":{"takesMs":200}}');
    socket.send('{"type":"ping"}');
    while (!types.includes('pong')) await once(socket, 'message');
    const startedAt = performance.now();
    node.signal(signal);
    const [code] = (await once(socket, 'close')) as [number];
    expect(await node.exited).toEqual({ code: null, signal });
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    expect([code, types]).toEqual([1012, ['$hello', 'pong', '$goaway', '$reply']]);
  });

  it('terminates a client that never completes the close at the deadline, and exits', async () => {
    const { node, socket } = await openNode(platform);
    socket.pause();
    const startedAt = performance.now();
    node.signal('SIGTERM');
    expect(await node.exited).toEqual({ code: null, signal: 'SIGTERM' });
    expect(performance.now() - startedAt).toBeGreaterThan(900);
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    socket.terminate();
  });
});
