import { upgradeText } from '../../rig/sockets/client-bytes.js';
import { ended, heard, message, pause, sent, type Attacker } from './attacker.js';

/** Upgrade requests that stop half-way; some of their sockets are destroyed after a while. */
export async function halfOpenUpgrades(attacker: Attacker): Promise<void> {
  while (!attacker.isOver) {
    const socket = await attacker.dial();
    const text = upgradeText('/ws');
    await sent(socket, text.slice(0, 1 + attacker.random.below(text.length - 2)));
    attacker.count('half-open upgrades');
    if (attacker.random.below(10) > 0) socket.resetAndDestroy();
    await pause(2);
  }
}

/** Complete upgrade requests of clients that disconnect before the response. */
export async function vanishingUpgrades(attacker: Attacker): Promise<void> {
  while (!attacker.isOver) {
    const socket = await attacker.dial();
    await sent(socket, upgradeText('/ws', { Authorization: 'Bearer intruder' }));
    attacker.count('vanishing upgrades');
    socket.resetAndDestroy();
    await pause(1);
  }
}

/** Headers sent a byte at a time. */
export async function slowLoris(attacker: Attacker): Promise<void> {
  const text = `${upgradeText('/ws').trimEnd()}\r\nX-Padding: ${'x'.repeat(4_000)}`;
  while (!attacker.isOver) {
    const socket = await attacker.dial();
    for (let i = 0; i < text.length && !attacker.isOver && !socket.destroyed; i++) {
      socket.write(text.charAt(i));
      attacker.count('slow-loris bytes');
      await pause(100);
    }
    socket.resetAndDestroy();
  }
}

/** Upgrade requests that must be refused: wrong tokens, origins, keys and paths. */
export async function refusedUpgrades(attacker: Attacker): Promise<void> {
  const headers = [
    { Authorization: 'Bearer wrong' },
    { Origin: 'https://evil.example' },
    { 'Sec-WebSocket-Key': 'short' },
    { 'Sec-WebSocket-Version': '99' },
    { 'Sec-WebSocket-Protocol': 'bearer.wrong' },
  ];
  while (!attacker.isOver) {
    const socket = await attacker.dial();
    const path = attacker.random.below(8) === 0 ? '/nowhere' : '/ws?ticket=made-up';
    socket.write(upgradeText(path, attacker.random.pick(headers)));
    await heard(socket);
    attacker.count('refused upgrades');
    socket.resetAndDestroy();
    await pause(1);
  }
}

/** Sockets that never authenticate: some stay silent, the others send messages until they are closed. */
export async function unauthenticatedFlood(attacker: Attacker): Promise<void> {
  while (!attacker.isOver) {
    const socket = await attacker.open(null);
    attacker.count('unauthenticated sockets');
    if (attacker.random.below(20) > 0) {
      await sent(socket, Buffer.concat(Array.from({ length: 25 }, () => message('let me in', 1))));
      attacker.count('unauthenticated messages', 25);
      await ended(socket);
    }
    await pause(5);
  }
}
