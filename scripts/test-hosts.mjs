// npm run test:hosts -- --rounds N --seed S | --traits a,b --verbs … | --list: rounds on lab hosts as people have them (test/hosts).
import { mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { ownAddress } from './own-address.mjs';
import { scratch } from './scratch.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(root);
// Inside the project, so that it finds esbuild, which bundles the client program at run time.
const dir = mkdtempSync(join(scratch, 'hosts-'));
const outfile = join(dir, 'hosts.mjs');
await build({
  entryPoints: [join(root, 'test/hosts/cli.ts')],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  logLevel: 'error',
  banner: {
    js: `import { createRequire } from 'node:module'; const require = createRequire(${JSON.stringify(join(root, 'package.json'))});`,
  },
  external: ['pg-native', 'esbuild'],
  plugins: [ownAddress],
});
try {
  const { runHosts } = await import(pathToFileURL(outfile).href);
  process.exitCode = await runHosts(process.argv.slice(2));
} finally {
  rmSync(dir, { recursive: true, force: true });
}
