import { clientFrame, Opcode } from '../../rig/sockets/client-bytes.js';
import { ended, message, pause, ping, sent, type Attacker } from './attacker.js';

const OVERSIZED = clientFrame('x'.repeat(70_000));
const ANNOUNCED = Buffer.from([0x81, 0xff, 0, 0, 0, 0x40, 0, 0, 0, 0, 1, 2, 3, 4]);

/** Frames above the size limit, by their bytes or by their length header. */
export async function oversizedFrames(attacker: Attacker): Promise<void> {
  while (!attacker.isOver) {
    const socket = await attacker.open();
    await sent(socket, attacker.random.below(2) === 0 ? OVERSIZED : ANNOUNCED);
    attacker.count('oversized frames');
    await ended(socket);
    await pause(10);
  }
}

/** Messages in an endless series of tiny fragments. */
export async function fragmentedFrames(attacker: Attacker): Promise<void> {
  const first = clientFrame('{', { fin: false });
  const more = clientFrame(' ', { opcode: Opcode.CONTINUATION, fin: false });
  const fragments = Buffer.concat([first, ...Array.from({ length: 99 }, () => more)]);
  while (!attacker.isOver) {
    const socket = await attacker.open();
    await sent(socket, fragments);
    attacker.count('fragments', 100);
    await ended(socket);
    await pause(10);
  }
}

/** More pings than the rate limit allows, until the server closes the connection. */
export async function pingFlood(attacker: Attacker): Promise<void> {
  const pings = Buffer.concat(Array.from({ length: 100 }, () => ping));
  while (!attacker.isOver) {
    const socket = await attacker.open();
    socket.resume();
    while (!attacker.isOver && (await sent(socket, pings))) {
      attacker.count('pings', 100);
      await pause(1);
    }
    socket.resetAndDestroy();
    await pause(500);
  }
}

/** Requests large replies and reads nothing. */
export async function neverReading(attacker: Attacker): Promise<void> {
  const question = message('y'.repeat(30_000), 1);
  while (!attacker.isOver) {
    const socket = await attacker.open();
    socket.pause();
    for (let i = 0; i < 400 && (await sent(socket, question)); i++) {
      attacker.count('never-read requests');
      await pause(5);
    }
    socket.resetAndDestroy();
  }
}

/** More messages than the rate limit allows. */
export async function messageFlood(attacker: Attacker): Promise<void> {
  const messages = Buffer.concat(Array.from({ length: 50 }, () => message('again', 1)));
  while (!attacker.isOver) {
    const socket = await attacker.open();
    socket.resume();
    while (!attacker.isOver && (await sent(socket, messages))) {
      attacker.count('messages above the rate', 50);
      await pause(10);
    }
    socket.resetAndDestroy();
  }
}
