import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SocketDouble } from './socket-double.js';
import { Testbed } from './testbed.js';

let bed: Testbed;
let socket: SocketDouble;
beforeEach(async () => {
  bed = new Testbed();
  socket = await bed.connected({ heartbeat: { intervalMs: 25_000, timeoutMs: 10_000 } });
});
afterEach(() => {
  bed.client.close();
  expect(bed.clock.pending, 'timers that were left').toBe(0);
});

const probes = () => socket.ofType('ping').length;

describe('a silent server', () => {
  it('is probed after the interval and abandoned within interval and timeout', async () => {
    await bed.clock.advance(24_999);
    expect(probes()).toBe(0);
    await bed.clock.advance(1);
    expect(probes()).toBe(1);
    await bed.clock.advance(9_999);
    expect(bed.client.state.status).toBe('connected');
    await bed.clock.advance(1);
    expect(bed.client.state).toMatchObject({
      status: 'reconnecting',
      code: 1006,
      reason: 'no frame in time',
    });
  });

  it('is not waited for: later frames of its socket are ignored', async () => {
    const received: unknown[] = [];
    bed.client.on('news', (news) => received.push(news));
    await bed.clock.advance(35_000);
    expect(socket.left?.code).toBe(4000);
    const states = bed.states.length;
    socket.deliver('news', { n: 1 });
    socket.end(1006);
    expect(received).toEqual([]);
    expect(bed.states.length).toBe(states);
  });

  it.each(['pong', 'news', '$error'])('is alive again with any frame: %s', async (type) => {
    await bed.clock.advance(34_000);
    socket.deliver(type, {});
    await bed.clock.advance(24_999);
    expect(bed.client.state.status).toBe('connected');
    expect(probes()).toBe(1);
    await bed.clock.advance(1);
    expect(probes()).toBe(2);
  });

  it('that talks is never probed', async () => {
    for (let times = 0; times < 20; times++) {
      await bed.clock.advance(20_000);
      socket.deliver('news', {});
    }
    expect(probes()).toBe(0);
  });
});

describe('a machine that slept', () => {
  it('sends one more short probe before it gives up on a reply that it may not have read yet', async () => {
    await bed.clock.advance(25_000);
    await bed.clock.sleep(3_600_000);
    expect(bed.client.state.status).toBe('connected');
    expect(probes()).toBe(2);
    socket.deliver('pong');
    await bed.clock.advance(2_000);
    expect(bed.client.state.status).toBe('connected');
  });

  it('notices within wakeTimeoutMs that the connection did not survive', async () => {
    await bed.clock.sleep(3_600_000);
    expect(probes()).toBe(1);
    await bed.clock.advance(1_999);
    expect(bed.client.state.status).toBe('connected');
    await bed.clock.advance(1);
    expect(bed.client.state.status).toBe('reconnecting');
  });

  it('does not probe for ever where every timer is late', async () => {
    for (let times = 0; times < 4; times++) await bed.clock.sleep(60_000);
    expect(bed.client.state.status).toBe('reconnecting');
  });

  it('probes at wake() without waiting for a timer', async () => {
    await bed.clock.advance(1_000);
    bed.client.wake();
    bed.client.wake();
    expect(probes()).toBe(1);
    await bed.clock.advance(2_000);
    expect(bed.client.state.status).toBe('reconnecting');
  });
});

describe('a server without heartbeats', () => {
  it('may be silent as long as it likes, but not at a wake-up', async () => {
    const quiet = new Testbed();
    const other = await quiet.connected({ heartbeat: null });
    await quiet.clock.advance(86_400_000);
    expect(quiet.client.state.status).toBe('connected');
    expect(other.sent).toEqual([]);
    quiet.client.wake();
    await quiet.clock.advance(2_000);
    expect(quiet.client.state.status).toBe('reconnecting');
    quiet.client.close();
  });
});
