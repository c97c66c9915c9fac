// Prints the self time by function of a `.cpuprofile`, without idle time and the bench's own code.
import { readFileSync } from 'node:fs';

const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const byId = new Map(nodes.map((node) => [node.id, node]));
const self = new Map();
let total = 0;
for (const [i, id] of samples.entries()) {
  const { functionName, url, lineNumber } = byId.get(id).callFrame;
  if (functionName === '(idle)' || functionName === '(program)') continue;
  const file = url.replace(/^.*\/(node_modules|dist|build)\//, '');
  const key = `${functionName || '(anonymous)'} ${file}:${lineNumber + 1}`;
  self.set(key, (self.get(key) ?? 0) + timeDeltas[i]);
  total += timeDeltas[i];
}
const sorted = [...self].sort((a, b) => b[1] - a[1]).slice(0, Number(process.argv[3] ?? 20));
for (const [key, micros] of sorted)
  console.log(`${((100 * micros) / total).toFixed(1).padStart(5)} %  ${key}`);
