// npm run release -- --keep: what the tests of the next version meet as the last released one, in test/released/: the
// controller of the hosts, and its core alone for the simulation. In: a folder and the version. What was kept before goes.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { controllerText } from './bundle.mjs';

const core = `export { decide } from './src/controller/core/decide.ts';
export { initialState } from './src/controller/core/initial-state.ts';
export { ownView } from './src/controller/core/own-view.ts';`;

async function coreText(root) {
  const made = await build({
    stdin: { contents: core, resolveDir: root, loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'warning',
    write: false,
  });
  return made.outputFiles[0].text;
}

export async function keepRelease(root, folder, version) {
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) if (name.endsWith('.gz')) rmSync(join(folder, name));
  const keep = (name, text) => writeFileSync(join(folder, `${name}.gz`), gzipSync(text, { level: 9 }));
  keep(`mc-${version}.cjs`, await controllerText());
  keep(`core-${version}.mjs`, await coreText(root));
}
