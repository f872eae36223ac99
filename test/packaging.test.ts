/**
 * What goes into a package, and what may run while its libraries are installed. In: the lock file, package.json and small
 * inputs. The built packages themselves are tried on real hosts by test/lab/release.test.ts.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const script = <T>(name: string): Promise<T> =>
  import(pathToFileURL(join(root, 'scripts', name)).href) as Promise<T>;
const json = <T>(name: string): T => JSON.parse(readFileSync(join(root, name), 'utf8')) as T;

interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly hasInstallScript?: boolean; readonly dev?: boolean }>
  >;
}

describe('libraries', () => {
  const { packages } = json<Lock>('package-lock.json');

  it('run no script when they are installed: each that has one is denied in package.json', () => {
    const { allowScripts } = json<{ allowScripts: Record<string, boolean> }>('package.json');
    const withScript = Object.entries(packages)
      .filter(([, { hasInstallScript }]) => hasInstallScript)
      .map(([path]) => path.split('node_modules/').at(-1) ?? '');
    const denied = Object.keys(allowScripts).filter((name) => allowScripts[name] === false);
    expect([...new Set(withScript)].sort()).toEqual(denied.sort());
    expect(Object.keys(allowScripts)).toEqual(denied);
  });

  it('are not installed with pgduet: what it needs is in the programs', () => {
    const { dependencies, optionalDependencies } = json<Record<string, unknown>>('package.json');
    expect([dependencies, optionalDependencies]).toEqual([undefined, undefined]);
    expect(Object.keys(packages).filter((path) => path !== '' && packages[path]?.dev !== true)).toEqual([]);
  });
});

describe('the licences', () => {
  it('are those of the libraries that have bytes in an output, each version once', async () => {
    const { bundledLibraries, thirdPartyText } = await script<{
      bundledLibraries(
        metafiles: unknown[],
      ): { name: string; version: string; license: string; text: string }[];
      thirdPartyText(libraries: unknown[]): string;
    }>('third-party.mjs');
    const bytes = (bytesInOutput: number) => ({ bytesInOutput });
    const outputs = (inputs: Record<string, unknown>) => ({ outputs: { 'dist/a.js': { inputs } } });
    const found = bundledLibraries([
      outputs({
        'src/cli.ts': bytes(5),
        'node_modules/yaml/dist/a.js': bytes(1),
        'node_modules/zod/a.js': bytes(0),
      }),
      outputs({ 'node_modules/yaml/dist/b.js': bytes(1), 'node_modules/@scure/base/index.js': bytes(1) }),
    ]);
    expect(found.map(({ name, license }) => [name, license])).toEqual([
      ['@scure/base', 'MIT'],
      ['yaml', 'ISC'],
    ]);
    expect(thirdPartyText(found)).toContain(
      readFileSync(join(root, 'node_modules/yaml/LICENSE'), 'utf8').trim(),
    );
  });
});
