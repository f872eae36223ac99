// Builds what is shipped: dist/pgduet.js with dist/chunks for the operator's machine, dist/mc.cjs for database hosts, and
// the licences of the libraries in them. Nothing else stays in dist. Exports the libraries.
import { readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildController, buildProgram, put } from './bundle.mjs';
import { bundledLibraries, thirdPartyText } from './third-party.mjs';

const dist = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist');
const shipped = ['pgduet.js', 'chunks', 'mc.cjs', 'THIRD-PARTY.txt'];

export const libraries = bundledLibraries(
  await Promise.all([buildProgram(dist), buildController(join(dist, 'mc.cjs'))]),
);
put(join(dist, 'THIRD-PARTY.txt'), thirdPartyText(libraries));
for (const name of readdirSync(dist))
  if (!shipped.includes(name)) rmSync(join(dist, name), { recursive: true });
