// npm run sim -- --seed N --runs N [--trace] [--all]: the controllers in a simulated world (test/sim), any number of times.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const scratch = mkdtempSync(join(tmpdir(), 'pgduet-sim-'));
const outfile = join(scratch, 'sim.mjs');
await build({
  entryPoints: [join(root, 'test/sim/run.ts')],
  bundle: true,
  platform: 'node',
  format: 'esm',
  outfile,
  logLevel: 'error',
});
const run = spawnSync(process.execPath, [outfile, ...process.argv.slice(2)], { stdio: 'inherit' });
rmSync(scratch, { recursive: true, force: true });
process.exitCode = run.status ?? 1;
