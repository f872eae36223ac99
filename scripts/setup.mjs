// Everything that has to be there before pgduet can run from a clone: the locked libraries and the built files.
// Does nothing that is done already. Uses only what Node brings.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [major] = process.versions.node.split('.');
if (Number(major) < 20) {
  console.error(`Node.js ${process.versions.node} is too old: pgduet needs Node.js 20 or newer.`);
  process.exit(1);
}

const stamp = join(root, 'node_modules', '.pgduet-setup');
const wanted = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex');
const installed = existsSync(stamp) ? readFileSync(stamp, 'utf8') : '';
if (installed !== wanted) {
  console.error('Installing the libraries (npm ci) …');
  const result = spawnSync('npm', ['ci', '--ignore-scripts', '--no-fund', '--no-audit'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (result.status !== 0) {
    console.error(
      'npm ci failed: without the libraries nothing else can run. Check the network and the npm settings, then run the same command again.',
    );
    process.exit(1);
  }
  writeFileSync(stamp, wanted);
}
await import('./build.mjs');
