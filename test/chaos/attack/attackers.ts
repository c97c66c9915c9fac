// Runs all attacks at once, in their own process, until the parent ends them.
import { numberArgument } from '../checks.js';
import { onRequest, send } from '../../rig/process/forked-process.js';
import { Random } from '../random.js';
import { Attacker } from './attacker.js';
import { fragmentedFrames, messageFlood, neverReading, oversizedFrames, pingFlood } from './frame-attacks.js';
import { fuzzedFrames, fuzzedRequests } from './fuzzer.js';
import {
  halfOpenUpgrades,
  refusedUpgrades,
  slowLoris,
  unauthenticatedFlood,
  vanishingUpgrades,
} from './handshake-attacks.js';

/** How many of each run at a time. */
const ATTACKS: [attack: (attacker: Attacker) => Promise<void>, times: number][] = [
  [halfOpenUpgrades, 4],
  [vanishingUpgrades, 2],
  [slowLoris, 50],
  [refusedUpgrades, 4],
  [unauthenticatedFlood, 200],
  [oversizedFrames, 3],
  [fragmentedFrames, 3],
  [pingFlood, 2],
  [neverReading, 5],
  [messageFlood, 2],
  [fuzzedRequests, 4],
  [fuzzedFrames, 6],
];

const attacker = new Attacker(numberArgument('port', 0), new Random(numberArgument('seed', 1)));
onRequest('begin', () => {
  for (const [attack, times] of ATTACKS) for (let i = 0; i < times; i++) void attack(attacker);
});
onRequest('end', () => {
  attacker.end();
  setTimeout(() => process.exit(0), 200);
  return [...attacker.inputs];
});
send('ready', null);
