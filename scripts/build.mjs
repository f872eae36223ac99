// Builds the two files that are shipped: dist/pgduet.js for the operator's machine, dist/mc.cjs for database hosts.
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
mkdirSync(join(root, 'dist'), { recursive: true });

const common = {
  bundle: true,
  platform: 'node',
  logLevel: 'warning',
  absWorkingDir: root,
  legalComments: 'none',
  // Half the size to read at every start; names stay, so that a stack trace still says something.
  minifyWhitespace: true,
};

await Promise.all([
  build({
    ...common,
    entryPoints: ['src/cli.ts'],
    outfile: 'dist/pgduet.js',
    target: 'node20',
    format: 'esm',
    // CommonJS libraries inside an ES module still call require; native parts of ssh2 are optional and not shipped.
    banner: {
      js: "#!/usr/bin/env node\nimport { createRequire } from 'node:module';\nimport { dirname as __dir } from 'node:path';\nconst require = createRequire(import.meta.url);\nconst __dirname = __dir(import.meta.filename);",
    },
    external: ['cpu-features', '*.node'],
  }),
  build({
    ...common,
    entryPoints: ['src/controller/main.ts'],
    outfile: 'dist/mc.cjs',
    target: 'node18',
    format: 'cjs',
    external: ['pg-native'],
  }),
]);
