// npm run chaos:faults: three nodes serve without pause, each with its own proxy to one Redis; one fault at a time.
import { RedisServer } from '../../../rig/redis/redis-server.js';
import { numberArgument, Checks } from '../../checks.js';
import { FaultyProxy } from '../../../rig/network/faulty-proxy.js';
import { reportTrial } from './fault-report.js';
import { FaultTraffic } from './fault-traffic.js';
import { runTrial } from './fault-trial.js';
import { pathFaults } from './path-faults.js';
import { PilotedNode } from '../piloted-node.js';
import { redisFaults } from './redis-faults.js';

const NODES = 3;
const clientsPerNode = numberArgument('clients', 30);
/** `--only text`: only faults whose name contains the text; may be repeated. */
const only = process.argv.filter((_, i) => process.argv[i - 1] === '--only');

const begun = performance.now();
const server = await RedisServer.start('--enable-debug-command', 'yes');
const paths = Array.from({ length: NODES }, () => new FaultyProxy(server.port));
const nodes: PilotedNode[] = [];
const traffic = new FaultTraffic(nodes, clientsPerNode);
const checks = new Checks();
try {
  for (const [i, path] of paths.entries()) {
    nodes.push(await PilotedNode.start(i, `redis://127.0.0.1:${await path.listen()}`, '--per-user', '50'));
  }
  await traffic.start();
  const stage = { server, paths, nodes, traffic };
  const faults = [...redisFaults(stage), ...pathFaults(stage)].filter(
    ({ name }) => only.length === 0 || only.some((text) => name.includes(text)),
  );
  console.log(`${NODES} nodes, ${traffic.size} clients, ${faults.length} faults`);
  for (const fault of faults) reportTrial(await runTrial(fault, nodes, traffic), traffic.size, checks);
} finally {
  traffic.stop();
  await Promise.all(traffic.connections.map((connection) => connection.leave('terminate')));
  await Promise.all(nodes.map((node) => node.kill()));
  await Promise.all(paths.map((path) => path.close()));
  await server.kill();
}
console.log(`took ${((performance.now() - begun) / 1_000).toFixed(0)} s`);
// All child processes have ended, but a socket paused by a proxy may still be open.
process.exit(checks.exitCode);
