/** The one file that is shipped: it runs with plain Node, has nothing newer than Node 18, and its parts keep apart. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleController } from './support/pair.ts';

const dir = mkdtempSync(join(tmpdir(), 'mc-bundle-'));
const bundle = join(dir, 'mc.js');
beforeAll(() => bundleController(bundle), 30_000);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const source = new URL('../../src/controller/', import.meta.url).pathname;
const importsOf = (file: string) =>
  [...readFileSync(join(source, file), 'utf8').matchAll(/from '([^']+)'|import\('([^']+)'\)/g)].map(
    (it) => it[1] ?? it[2],
  );
const all = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));

describe('mc.js', () => {
  it('runs alone and shows its help', () => {
    const result = spawnSync(process.execPath, [bundle, 'ctl', '--help'], { encoding: 'utf8', cwd: '/' });
    expect([result.status, result.stderr]).toEqual([0, '']);
    expect(result.stdout).toContain('mc_ctl enable-failover');
  });

  it('explains wrong command lines', () => {
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [bundle, 'ctl', ...args], { encoding: 'utf8', env: {} });
    expect(run('strat').stderr).toContain("did you mean 'start'");
    expect(run('status', '-a').stderr).toContain('status does not know -a');
    expect(run('start', '-w', '-W').stderr).toContain('contradict');
    expect(run('status').stderr).toContain('MCCONTROLDIR');
    expect(run('status').status).toBe(3);
  });

  it('needs no syntax that esbuild would have to lower for Node 18, and uses no newer built-in', async () => {
    const text = readFileSync(bundle, 'utf8');
    // Compiled again for Node 18, the bundle stays the same: nothing newer is left in it.
    const again = await build({
      stdin: { contents: text },
      write: false,
      platform: 'node',
      target: 'node18',
      logLevel: 'error',
    });
    const plain = await build({
      stdin: { contents: text },
      write: false,
      platform: 'node',
      target: 'esnext',
      logLevel: 'error',
    });
    expect(again.outputFiles[0]?.text).toBe(plain.outputFiles[0]?.text);
    expect(text).not.toMatch(
      /\.(toSorted|toReversed|toSpliced|findLastIndex)\(|Promise\.withResolvers|Object\.groupBy|Array\.fromAsync|import\.meta/,
    );
  });
});

describe('the parts of the controller', () => {
  it('only io/postgres.ts knows pg', () => {
    expect(all.filter((file) => importsOf(file).includes('pg'))).toEqual(['io/postgres.ts']);
  });

  it('the core imports nothing that does something', () => {
    const core = all.filter((file) => file.startsWith('core/'));
    const foreign = core.flatMap((file) =>
      importsOf(file).filter(
        (it) =>
          !/^\.\/|^\.\.\/config\.ts$|^\.\.\/\.\.\/postgres\/(standby|replication)-names\.ts$/.test(it ?? ''),
      ),
    );
    expect(foreign).toEqual([]);
    for (const file of core) {
      expect(readFileSync(join(source, file), 'utf8')).not.toMatch(
        /Date\.now|performance\.|setTimeout|setInterval|Math\.random|\bprocess\.(env|pid|hrtime|exit|on|std)/,
      );
    }
  });
});
