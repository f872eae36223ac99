// Builds what is shipped: dist/pgduet.js with dist/chunks and dist/completions for the operator's machine, dist/mc.cjs for
// database hosts, and the licences of the libraries in them. Nothing else stays in dist. Exports the libraries.
import { readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildController, buildProgram, put } from './bundle.mjs';
import { bundledLibraries, thirdPartyText } from './third-party.mjs';
import { loadTypeScript } from './typescript.mjs';

const dist = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist');
const shipped = ['pgduet.js', 'chunks', 'completions', 'mc.cjs', 'THIRD-PARTY.txt'];

const [program, controller, { completionFiles }] = await Promise.all([
  buildProgram(dist),
  buildController(join(dist, 'mc.cjs')),
  loadTypeScript('scripts/completions.ts'),
]);
export const libraries = bundledLibraries([program, controller]);
for (const [name, text] of Object.entries(completionFiles())) put(join(dist, 'completions', name), text);
put(join(dist, 'THIRD-PARTY.txt'), thirdPartyText(libraries));
for (const name of readdirSync(dist))
  if (!shipped.includes(name)) rmSync(join(dist, name), { recursive: true });
