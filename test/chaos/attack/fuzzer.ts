import { clientFrame, Opcode, upgradeText } from '../../rig/sockets/client-bytes.js';
import type { Random } from '../random.js';
import { ended, pause, sent, type Attacker } from './attacker.js';

const TYPES = [
  'echo',
  'ping',
  '$auth',
  '$reply',
  '$error',
  '$cancel',
  '$resume',
  '__proto__',
  'constructor',
  '$',
  '',
];
const TEXTS = [
  '',
  'x',
  '\u0000',
  '\ud800',
  '"',
  '\\',
  '../',
  '${7*7}',
  '<script>',
  'toString',
  '\u202e',
  '9'.repeat(400),
];

/** Bytes that are not HTTP, and upgrade requests with some bytes changed. */
export async function fuzzedRequests(attacker: Attacker): Promise<void> {
  const { random } = attacker;
  while (!attacker.isOver) {
    const socket = await attacker.dial();
    socket.resume();
    const bytes =
      random.below(3) === 0 ? random.bytes(1 + random.below(300)) : mutated(random, upgradeText('/ws'));
    await sent(socket, bytes);
    attacker.count('fuzzed requests');
    if (random.below(4) === 0) socket.end();
    await pause(1);
    socket.resetAndDestroy();
  }
}

/** Random frames on open connections: malformed frames, and well-formed ones with random JSON. */
export async function fuzzedFrames(attacker: Attacker): Promise<void> {
  const { random } = attacker;
  while (!attacker.isOver) {
    const socket = await attacker.open();
    socket.resume();
    let isOpen = true;
    void ended(socket).then(() => (isOpen = false));
    while (isOpen && !attacker.isOver) {
      const batch = Array.from({ length: 10 }, () => frame(random));
      // A malformed frame ends the connection, so it is sent rarely enough for the others to be read.
      if (random.below(20) === 0) batch.push(random.bytes(1 + random.below(200)));
      attacker.count('fuzzed frames', batch.length);
      if (!(await sent(socket, Buffer.concat(batch)))) break;
      await pause(1);
    }
    socket.resetAndDestroy();
  }
}

function mutated(random: Random, text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  for (let changes = 1 + random.below(8); changes > 0; changes--)
    bytes[random.below(bytes.length)] = random.below(256);
  return bytes.subarray(0, random.below(4) === 0 ? random.below(bytes.length) : bytes.length);
}

function frame(random: Random): Buffer {
  const kind = random.below(20);
  if (kind === 0) return clientFrame(random.bytes(random.below(126)), { opcode: Opcode.PING });
  if (kind === 1) return clientFrame(random.bytes(random.below(300)), { opcode: Opcode.BINARY });
  if (kind === 2) return clientFrame('', { opcode: Opcode.PONG });
  const text = JSON.stringify({ type: random.pick(TYPES), id: value(random, 3), payload: value(random, 0) });
  // A valid message in between keeps the connection from being closed for too many invalid ones.
  if (kind < 6) return clientFrame('{"type":"echo","id":1,"payload":{"text":"fine"}}');
  return clientFrame(kind === 6 ? text.slice(0, random.below(text.length)) : text);
}

function value(random: Random, depth: number): unknown {
  switch (random.below(depth > 3 ? 6 : 9)) {
    case 0:
      return null;
    case 1:
      return random.below(2) === 0;
    case 2:
      return random.pick([0, -1, 1e308, 1e-320, Number.MAX_SAFE_INTEGER, random.next()]);
    case 3:
    case 4:
      return random.pick(TEXTS);
    case 5:
      return random.below(1_000);
    case 6:
      return Array.from({ length: random.below(5) }, () => value(random, depth + 1));
    default:
      return Object.fromEntries(
        Array.from({ length: random.below(5) }, () => [
          random.pick([
            'text',
            'token',
            'sessionId',
            'positions',
            '__proto__',
            'constructor',
            'length',
            'then',
          ]),
          value(random, depth + 1),
        ]),
      );
  }
}
