/**
 * The lab from a shell. In: a verb and its words. Out: addresses of hosts that are kept until
 * Ctrl-C, or built images. It must never leave hosts behind when it ends.
 *   node scripts/lab.mjs up 2 [--image debian12] [--names a,b]
 *   node scripts/lab.mjs images [NAME …]      build the images now
 *   node scripts/lab.mjs clean                remove labs whose process has died
 *   node scripts/lab.mjs prune                remove prepared layers, and images that no definition names any more
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const HARNESS = join(dirname(fileURLToPath(import.meta.url)), '../test/lab/harness/cli.ts');

/** The harness is TypeScript, which Node 20 does not read by itself. */
async function loadHarness() {
  const dir = mkdtempSync(join(tmpdir(), 'pgduet-lab-'));
  try {
    const outfile = join(dir, 'lab.mjs');
    await build({ entryPoints: [HARNESS], outfile, bundle: true, platform: 'node', format: 'esm' });
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { image: { type: 'string', default: 'debian12' }, names: { type: 'string' } },
});
const { runVerb } = await loadHarness();
process.exitCode = await runVerb(positionals, values);
