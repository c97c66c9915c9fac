import { build } from 'esbuild';
import { gzipSync } from 'node:zlib';
import fs from 'node:fs';
for (const c of [
  "export {CoreClient} from './lib/client/index.ts'",
  "export {RealtimeClient} from './lib/client/index.ts'",
  "export * from './lib/client/index.ts'",
]) {
  const r = await build({
    stdin: { contents: c, resolveDir: '/work/main', loader: 'ts' },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    write: false,
    metafile: true,
  });
  const o = Object.values(r.metafile.outputs)[0];
  if (c.includes('Core')) {
    for (const [k, v] of Object.entries(o.inputs).sort((a, b) => b[1].bytesInOutput - a[1].bytesInOutput))
      console.log(v.bytesInOutput, k);
    fs.writeFileSync('/tmp/o.js', r.outputFiles[0].text);
  }
  console.log(r.outputFiles[0].contents.length, gzipSync(r.outputFiles[0].contents, { level: 9 }).length);
}
