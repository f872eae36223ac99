/** Runs `client.ts` as a process of its own, bundled as pgduet itself is, so that a test can kill it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { ClientOrder } from './client.ts';

const banner = `import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
const require = createRequire(import.meta.url);
const __dirname = fileURLToPath(new URL('.', import.meta.url));`;

/** Bundles the client into a directory and returns its path. */
export async function buildClient(dir: string): Promise<string> {
  const outfile = join(dir, 'client.mjs');
  await build({
    entryPoints: [join(import.meta.dirname, 'client.ts')],
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile,
    external: ['cpu-features', '*.node'],
    banner: { js: banner },
    logLevel: 'error',
  });
  return outfile;
}

/** Starts the client and resolves when its script has written the line "begun" to stderr. */
export function startClient(program: string, order: ClientOrder): Promise<ChildProcess> {
  const child = spawn(process.execPath, [program, JSON.stringify(order)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return new Promise((resolve, reject) => {
    let seen = '';
    const look = (chunk: Buffer) => {
      seen += chunk.toString();
      if (seen.includes('begun')) resolve(child);
    };
    child.stdout.on('data', look);
    child.stderr.on('data', look);
    child.once('close', () => reject(new Error(`the client ended: ${seen}`)));
  });
}
