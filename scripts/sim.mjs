// npm run sim -- [N [FROM]] | --seed SEED | --mutations | --help: the controllers in a simulated world (test/sim).
import { spawn } from 'node:child_process';
import { once } from 'node:events';
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
const run = spawn(process.execPath, [outfile, ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });
// It brings what is under way to its end, and says how far it came.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => run.kill(signal));
const [status] = await once(run, 'exit');
rmSync(outfile, { force: true });
process.exitCode = status ?? 1;
