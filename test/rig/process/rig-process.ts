import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Runs a rig as `npm run` does; returns its exit code and output. */
export async function runRig(
  rig: string,
  args: readonly string[],
): Promise<{ code: number | null; output: string }> {
  const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
  const child = spawn(process.execPath, [
    '--import',
    path('./typescript.mjs'),
    path(`../../chaos/${rig}/main.ts`),
    ...args,
  ]);
  let output = '';
  child.stdout.on('data', (data) => (output += String(data)));
  child.stderr.on('data', (data) => (output += String(data)));
  const [code] = (await once(child, 'exit')) as [number | null];
  return { code, output };
}
