// npm run faults [-- NAME …] [--runs N] [--verbose]: faults on a pair of lab hosts while a client writes (test/lab/faults).
// All of them, or those whose name contains a given word; a run of all writes docs/faults.md.
import { mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { ownAddress } from './own-address.mjs';
import { scratch } from './scratch.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(root);
// Inside the project, so that it finds esbuild, which bundles the client program at run time.
const dir = mkdtempSync(join(scratch, 'faults-'));
const outfile = join(dir, 'faults.mjs');
const entry = join(root, 'test/lab/faults/support/cli.ts');
const banner = {
  js: `import { createRequire } from 'node:module'; const require = createRequire(${JSON.stringify(join(root, 'package.json'))});`,
};
const external = ['pg-native', 'esbuild'];
await build({
  entryPoints: [entry],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  logLevel: 'error',
  banner,
  external,
  plugins: [ownAddress],
});
try {
  const { runFaults } = await import(pathToFileURL(outfile).href);
  process.exitCode = await runFaults(process.argv.slice(2));
} finally {
  rmSync(dir, { recursive: true, force: true });
}
