// Builds what is shipped: dist/pgduet.js with dist/chunks for the operator's machine, dist/mc.cjs for database hosts.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildController, buildProgram } from './bundle.mjs';

const dist = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist');
await Promise.all([buildProgram(dist), buildController(join(dist, 'mc.cjs'))]);
