// What runs in a page, a worker or another process: the scenarios, with the stage at the other end of HTTP.
import { scenarios, type Command, type World } from './scenarios.js';

interface Port {
  postMessage(message: unknown, options: object): void;
  onmessage: ((event: { data: unknown }) => void) | null;
}
interface Scope extends Port {
  fetch(url: string): Promise<{ ok: boolean; text(): Promise<string> }>;
  readonly document?: unknown;
  readonly Worker?: new (url: string, options: object) => Port;
  runScenario?: typeof runScenario;
  runInWorker?: typeof runInWorker;
}
const scope = globalThis as unknown as Scope;

async function runScenario(title: string, address: string, controlUrl: string): Promise<void> {
  const scenario = scenarios[title];
  if (scenario === undefined) throw new Error(`There is no scenario "${title}".`);
  const control = async (command: Command, argument?: number): Promise<unknown> => {
    const query = argument === undefined ? '' : `&argument=${argument}`;
    const response = await scope.fetch(`${controlUrl}?command=${command}${query}`);
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    return JSON.parse(text);
  };
  await scenario({ address, control: control as World['control'] });
}

function runInWorker(...scenario: Parameters<typeof runScenario>): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new scope.Worker!('/remote.js', { type: 'module' });
    worker.onmessage = ({ data }) => (data === 'passed' ? resolve() : reject(new Error(String(data))));
    worker.postMessage(scenario, {});
  });
}

scope.runScenario = runScenario;
scope.runInWorker = runInWorker;
if (scope.document === undefined && 'WorkerGlobalScope' in globalThis) {
  scope.onmessage = ({ data }) => {
    runScenario(...(data as Parameters<typeof runScenario>)).then(
      () => scope.postMessage('passed', {}),
      (error: unknown) => scope.postMessage(String(error), {}),
    );
  };
}
