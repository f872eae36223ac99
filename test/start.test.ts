/**
 * What a command loads before it does its work, and what help says of it. In: the program, built as it is shipped and run. Out:
 * the libraries in the files that Node has read: one that a verb does not need makes every start of it slower, so the lists are
 * exact. And the texts of --help, beside the registry of verbs.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exitCode, meaningOfExit } from '../src/base/exit-codes.ts';
import { verbs } from '../src/verbs/registry.ts';
import { argumentText, flagsOf, meaningOf } from '../src/verbs/verb.ts';

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
  const { buildController, buildProgram } = (await import(
    pathToFileURL(join(root, 'scripts', 'bundle.mjs')).href
  )) as {
    buildController(outfile: string): Promise<unknown>;
    buildProgram(outdir: string): Promise<Metafile>;
  };
  [metafile] = await Promise.all([buildProgram(folder), buildController(join(folder, 'mc.cjs'))]);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  devDependencies: Record<string, string>;
};

/** The libraries of package.json that are part of what Node read; Node's own account for coverage says what that was. */
function loadedBy(args: readonly string[], exit: number): string[] {
  const account = mkdtempSync(join(folder, 'account-'));
  const env = { ...process.env, NODE_V8_COVERAGE: account };
  const { status } = spawnSync(process.execPath, [join(folder, 'pgduet.js'), ...args], {
    env,
    stdio: 'pipe',
  });
  expect(status).toBe(exit);
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

const pair = join(root, 'inventories', 'pair.yml');

it.each([
  [['--version'], exitCode.done, ['commander']],
  [['--help'], exitCode.done, ['commander']],
  [['validate', '-i', pair], exitCode.done, ['commander', 'handlebars', 'yaml', 'zod']],
  // It reads the inventory and no playbook, so that it needs no templates.
  [['status', '-i', join(root, 'nowhere.yml')], exitCode.inputWrong, ['commander', 'yaml', 'zod']],
])('pgduet %j loads no library that it does not need', (args, exit, libraries) => {
  expect(loadedBy(args, exit)).toEqual(libraries);
});

it('mc_ctl loads no part of Node that only a start, a stop or the daemon needs', () => {
  const account = join(folder, 'account.cjs');
  writeFileSync(account, `process.on('exit', () => console.error(process.moduleLoadList.join('\\n')));`);
  const words = ['--require', account, join(folder, 'mc.cjs'), 'ctl', '--help'];
  const { stderr, status } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  expect(status).toBe(exitCode.done);
  const loaded = stderr.split('\n').map((line) => line.replace(/^NativeModule /, ''));
  // It has asked for the one that it talks to the controller by.
  expect(loaded).toContain('net');
  expect(
    loaded.filter((name) => ['child_process', 'crypto', 'tls', 'timers/promises'].includes(name)),
  ).toEqual([]);
});

/** What the program says, with all white space as one blank: help breaks lines where the terminal ends. */
const said = (...args: string[]): string =>
  execFileSync(process.execPath, [join(folder, 'pgduet.js'), ...args], { encoding: 'utf8' }).replaceAll(
    /\s+/g,
    ' ',
  );

describe('help', () => {
  it('lists the verbs of the registry and no others, and the exit statuses', () => {
    const general = said('--help');
    const lines = verbs.map(({ name, summary, arguments: taken }) =>
      [name, '[options]', ...taken.map(argumentText), summary].join(' '),
    );
    expect(general).toContain(` Commands: ${lines.join(' ')} help [command] `);
    for (const status of Object.values(exitCode))
      expect(general).toContain(` ${status} ${meaningOfExit(status)}`);
  });

  it.each(verbs.map((verb) => [verb.name, verb] as const))(
    'of %s has its options and no others',
    (name, verb) => {
      const text = said(name, '--help');
      expect(text).toContain(` ${verb.summary} `);
      const options = verb.options.map((one) => `${flagsOf(one)} ${meaningOf(one)}`);
      expect(text.split(' Global Options: ')[0]?.split(' Options: ')[1]).toBe(
        [...options, '-h, --help display help for command'].join(' '),
      );
    },
  );
});

describe('explain', () => {
  const explain = (...args: string[]) =>
    spawnSync(process.execPath, [join(folder, 'pgduet.js'), 'explain', ...args], { encoding: 'utf8' });

  it('prints what a code means, however it is written', () => {
    const { stdout, stderr, status } = explain('rep003');
    expect([stdout.split('\n')[0], stderr, status]).toEqual(['REP003  no standby is synchronous', '', 0]);
  });

  it('ends with 3 and the nearest code where there is no such one', () => {
    const { stdout, stderr, status } = explain('SAFE03');
    expect([stdout, status]).toEqual(['', 3]);
    expect(stderr).toContain("CLI005  'SAFE03' is no code");
    expect(stderr).toContain("fix: Did you mean 'SAF003'?");
    expect(JSON.parse(explain('SAFE03', '--json').stdout)).toMatchObject({
      verb: 'explain',
      exit: 3,
      diagnostics: [{ code: 'CLI005' }],
    });
  });
});
