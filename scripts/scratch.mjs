// Where scripts put what they make for themselves: inside the project, so that a bundle finds its libraries, and outside
// of dist, which holds nothing but what is shipped.
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const scratch = join(dirname(dirname(fileURLToPath(import.meta.url))), '.cache');
mkdirSync(scratch, { recursive: true });
