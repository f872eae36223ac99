/**
 * What a command loads before it does its work. In: the program, built as it is shipped and run. Out: the libraries in the
 * files that Node has read. A library that a verb does not need makes every start of it slower, so the lists are exact.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
/** Below the root of the package, so that the program finds its playbooks. */
const cache = join(root, 'node_modules', '.cache');

interface Metafile {
  readonly outputs: Readonly<Record<string, { readonly inputs: Readonly<Record<string, unknown>> }>>;
}

let folder = '';
let metafile: Metafile = { outputs: {} };

beforeAll(async () => {
  mkdirSync(cache, { recursive: true });
  folder = mkdtempSync(join(cache, 'pgduet-start-'));
  const { buildProgram } = (await import(pathToFileURL(join(root, 'scripts', 'bundle.mjs')).href)) as {
    buildProgram(outdir: string): Promise<Metafile>;
  };
  metafile = await buildProgram(folder);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  devDependencies: Record<string, string>;
};

/** The libraries of package.json that are part of what Node read; Node's own account for coverage says what that was. */
function loadedBy(...args: string[]): string[] {
  const account = mkdtempSync(join(folder, 'account-'));
  const env = { ...process.env, NODE_V8_COVERAGE: account };
  execFileSync(process.execPath, [join(folder, 'pgduet.js'), ...args], { env, stdio: 'pipe' });
  const read = readdirSync(account).flatMap((name) => {
    const { result } = JSON.parse(readFileSync(join(account, name), 'utf8')) as { result: { url: string }[] };
    return result.map(({ url }) => url).filter((url) => url.startsWith('file:'));
  });
  expect(read).toContain(pathToFileURL(join(folder, 'pgduet.js')).href);
  const inputs = read.flatMap((url) =>
    Object.keys(metafile.outputs[relative(root, fileURLToPath(url))]?.inputs ?? {}),
  );
  return Object.keys(devDependencies)
    .filter((name) => inputs.some((path) => path.startsWith(`node_modules/${name}/`)))
    .sort();
}

it.each([
  ['--version', [], ['commander']],
  ['--help', [], ['commander']],
  ['validate', ['-i', join(root, 'inventories', 'pair.yml')], ['commander', 'handlebars', 'yaml', 'zod']],
])('pgduet %s loads no library that it does not need', (verb, more, libraries) => {
  expect(loadedBy(verb, ...more)).toEqual(libraries);
});
