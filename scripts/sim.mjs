// npm run sim -- [N [FROM]] | --seed SEED | --mutations | --help: the controllers in a simulated world (test/sim).
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { scratch } from './scratch.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
// Inside the project, so that the bundle finds esbuild, which it needs to make the workers.
const outfile = join(scratch, `sim-${process.pid}.mjs`);
await build({
  entryPoints: [join(root, 'test/sim/run.ts')],
  bundle: true,
  platform: 'node',
  format: 'esm',
  packages: 'external',
  outfile,
  logLevel: 'error',
});
const run = spawnSync(process.execPath, [outfile, ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });
rmSync(outfile, { force: true });
process.exitCode = run.status ?? 1;
