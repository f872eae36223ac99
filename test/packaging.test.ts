/**
 * What goes into a package, and what may run while its libraries are installed. In: the lock file, package.json and small
 * inputs. The built packages themselves are tried on real hosts by test/lab/release.test.ts.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { controllerVersion } from '../src/controller/version.ts';

const root = join(import.meta.dirname, '..');
const script = <T>(name: string): Promise<T> =>
  import(pathToFileURL(join(root, 'scripts', name)).href) as Promise<T>;
const json = <T>(name: string): T => JSON.parse(readFileSync(join(root, name), 'utf8')) as T;

interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly hasInstallScript?: boolean; readonly dev?: boolean }>
  >;
}

interface Component {
  readonly name: string;
  readonly version: string;
  readonly 'bom-ref': string;
  readonly scope: string;
  readonly properties: readonly { readonly name: string; readonly value: string }[];
  readonly externalReferences: readonly { readonly type: string; readonly url: string }[];
}

interface Bill {
  readonly serialNumber: string;
  readonly metadata: {
    readonly timestamp: string;
    readonly component: { readonly name: string; readonly type: string };
  };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

it('the controller has the version of the package', () => {
  expect(json('package.json')).toMatchObject({ version: controllerVersion });
  expect(json('package-lock.json')).toMatchObject({
    version: controllerVersion,
    packages: { '': { version: controllerVersion } },
  });
});

it('a release is kept for the tests of the next one, in the place of the one before it', async () => {
  const { keepRelease } =
    await script<Record<'keepRelease', (...input: string[]) => Promise<void>>>('keep-release.mjs');
  const folder = mkdtempSync(join(tmpdir(), 'kept-'));
  try {
    await keepRelease(root, folder, '9.0.0');
    await keepRelease(root, folder, '9.1.0');
    expect(readdirSync(folder).sort()).toEqual(['core-9.1.0.mjs.gz', 'mc-9.1.0.cjs.gz']);
    const core = join(folder, 'core.mjs');
    writeFileSync(core, gunzipSync(readFileSync(join(folder, 'core-9.1.0.mjs.gz'))));
    expect(Object.keys((await import(pathToFileURL(core).href)) as object).sort()).toEqual([
      'decide',
      'initialState',
      'ownView',
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

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

describe('the bill of materials', () => {
  const component = (name: string): Component => ({
    'bom-ref': `${name}@1.0.0`,
    name,
    version: '1.0.0',
    scope: 'optional',
    properties: [{ name: 'cdx:npm:package:development', value: 'true' }],
    externalReferences: [
      { type: 'distribution', url: 'https://registry.example/x.tgz' },
      { type: 'vcs', url: 'https://code.example' },
    ],
  });
  const listed = {
    serialNumber: 'urn:uuid:random',
    metadata: { timestamp: 'now', component: { name: 'some-folder', type: 'library' } },
    components: [component('inside'), component('deep'), component('tool')],
    dependencies: [
      { ref: 'pgduet@0.1.0', dependsOn: ['inside@1.0.0', 'tool@1.0.0'] },
      { ref: 'inside@1.0.0', dependsOn: ['deep@1.0.0'] },
      { ref: 'deep@1.0.0', dependsOn: [] },
      { ref: 'tool@1.0.0', dependsOn: ['deep@1.0.0'] },
    ],
  };
  const about = { name: 'pgduet', version: '0.1.0' };
  const bill = async (names: readonly string[], time = 0) => {
    const { billOfMaterials } = await script<{ billOfMaterials(...input: unknown[]): string }>('sbom.mjs');
    const libraries = names.map((name) => ({ name, version: '1.0.0' }));
    return JSON.parse(billOfMaterials(listed, libraries, about, time)) as Bill;
  };

  it('has what is bundled and nothing else', async () => {
    const made = await bill(['inside', 'deep']);
    expect(made.components.map(({ name }) => name)).toEqual(['inside', 'deep']);
    expect(made.components[0]).toMatchObject({ scope: 'required', properties: [] });
    expect(made.components[0]?.externalReferences).toEqual([{ type: 'vcs', url: 'https://code.example' }]);
    expect(made.dependencies).toEqual([
      { ref: 'pgduet@0.1.0', dependsOn: ['inside@1.0.0'] },
      { ref: 'inside@1.0.0', dependsOn: ['deep@1.0.0'] },
      { ref: 'deep@1.0.0', dependsOn: [] },
    ]);
  });

  it('says nothing of the folder, the hour or chance', async () => {
    const made = await bill(['inside'], 86_400);
    expect(made.metadata.component).toEqual({ name: 'pgduet', type: 'application' });
    expect(made.metadata.timestamp).toBe('1970-01-02T00:00:00.000Z');
    expect(made.serialNumber).toMatch(
      /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(await bill(['inside'], 86_400)).toEqual(made);
    expect((await bill(['deep'], 86_400)).serialNumber).not.toBe(made.serialNumber);
  });

  it('is refused where npm does not know a bundled library', async () => {
    await expect(bill(['inside', 'unknown'])).rejects.toThrow('unknown@1.0.0');
  });
});
