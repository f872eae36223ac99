// Loads TypeScript of the project in a script, since Node 20 reads none by itself. In: a path below the project. Out: the
// module. Libraries are not bundled: they are found from .cache, which is inside the project.
import { rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { ownAddress } from './own-address.mjs';
import { scratch } from './scratch.mjs';

export async function loadTypeScript(path) {
  const root = join(scratch, '..');
  const outfile = join(scratch, `${basename(path, '.ts')}-${process.pid}.mjs`);
  await build({
    absWorkingDir: root,
    entryPoints: [path],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
    plugins: [ownAddress],
  });
  try {
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(outfile, { force: true });
  }
}
