// How the two programs are made: for the operator's machine pgduet.js, with parts in chunks/ that are loaded when the
// program comes to the import() of one; for database hosts a single file.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { leftOut } from './left-out.mjs';
import { precompiled } from './precompiled.mjs';
import { scratch } from './scratch.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const common = {
  bundle: true,
  platform: 'node',
  logLevel: 'warning',
  absWorkingDir: root,
  legalComments: 'none',
  // Half the size to read at every start; names stay, so that a stack trace still says something.
  minifyWhitespace: true,
  write: false,
  metafile: true,
  // Debian 12 has Node 18, on the operator's machine as on database hosts.
  target: 'node18',
};

/** CommonJS libraries inside an ES module still call require. */
export const commonJs = {
  js: [
    "import { createRequire } from 'node:module';",
    "import { fileURLToPath as __path } from 'node:url';",
    'const require = createRequire(import.meta.url);',
    "const __dirname = __path(new URL('.', import.meta.url));",
  ].join('\n'),
};

/** The native parts of ssh2 are optional and not shipped. */
export const native = ['cpu-features', '*.node'];

/** The program of the operator's machine. Returns esbuild's account of which output holds which files. */
export async function buildProgram(outdir) {
  const made = await build({
    ...common,
    entryPoints: { pgduet: 'src/cli.ts' },
    outdir,
    chunkNames: 'chunks/[name]-[hash]',
    splitting: true,
    format: 'esm',
    banner: commonJs,
    external: native,
    plugins: [precompiled, leftOut],
  });
  const isEntry = ({ path }) => basename(path) === 'pgduet.js';
  // The entry comes last: until then the old one finds its old parts.
  for (const file of made.outputFiles.sort((a, b) => Number(isEntry(a)) - Number(isEntry(b))))
    put(file.path, isEntry(file) ? `#!/usr/bin/env node\n${file.text}` : file.text);
  const current = new Set(made.outputFiles.map(({ path }) => path));
  const chunks = join(outdir, 'chunks');
  for (const name of readdirSync(chunks)) if (!current.has(join(chunks, name))) rmSync(join(chunks, name));
  return made.metafile;
}

const bundledController = (outfile) =>
  build({
    ...common,
    entryPoints: ['src/controller/main.ts'],
    outfile,
    format: 'cjs',
    external: ['pg-native'],
    plugins: [leftOut],
  });

/** The program of the database hosts. Returns the same account. */
export async function buildController(outfile) {
  const made = await bundledController(outfile);
  for (const { path, text } of made.outputFiles) put(path, text);
  return made.metafile;
}

/** The text of the same program. */
export async function controllerText() {
  const made = await bundledController('mc.cjs');
  return made.outputFiles[0].text;
}

/** A file is whole at every moment, since a build may run beside the program; one that is right already is left alone. */
export function put(path, text) {
  if (textOf(path) === text) return;
  mkdirSync(dirname(path), { recursive: true });
  const unfinished = join(scratch, `${basename(path)}.${process.pid}`);
  writeFileSync(unfinished, text);
  renameSync(unfinished, path);
}

function textOf(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
