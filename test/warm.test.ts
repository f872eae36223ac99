/**
 * The processes in which the lab's tests run pgduet again and again: a run says and ends as it would in a process of its own, and what one
 * leaves behind is told and met by no other. Little programs stand for pgduet.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runWarm } from './lab/support/warm.ts';

const folder = mkdtempSync(join(tmpdir(), 'warm-'));
afterAll(() => rmSync(folder, { recursive: true }));

let programs = 0;
function program(text: string): string {
  programs += 1;
  const path = join(folder, `${programs}.mjs`);
  writeFileSync(path, text);
  return path;
}

const env = { PATH: '/usr/bin', WORD: 'one' };
const warm = (path: string, args: readonly string[] = [], more = {}) =>
  runWarm(path, { args, env, timeoutMs: 60_000, ...more });
const cold = (path: string, args: readonly string[] = []) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [path, ...args], { env, encoding: 'utf8' });
  return { status, stdout, stderr };
};

const talker = `
console.log(process.argv.slice(2).join(' '), Object.keys(process.env).sort().join(' '), process.env.WORD);
console.error('äöü');
await new Promise((resolve) => setTimeout(resolve, 1));
setTimeout(() => console.log('at last'), 20);
if (process.argv[2] === 'badly') process.exitCode = 5;
process.env.LEFT = 'of a run before';
`;

describe('a program in a process that has run it before', () => {
  it('says and ends as in one of its own, with arguments and an environment of its own', async () => {
    const path = program(talker);
    for (const args of [['badly', 'a b'], ['well'], ['badly']])
      expect(await warm(path, args)).toEqual(cold(path, args));
    expect((await warm(path, [], { env: { WORD: 'two' } })).stdout).toContain(' WORD two\n');
  });

  it('is in the same process, and beside another run in another one', async () => {
    const path = program(
      'console.log(process.pid); await new Promise((resolve) => setTimeout(resolve, 20));',
    );
    const first = await warm(path);
    expect(await warm(path)).toEqual(first);
    const both = await Promise.all([warm(path), warm(path)]);
    expect(new Set(both.map(({ stdout }) => stdout)).size).toBe(2);
  });

  it.each([
    ['an error', `console.log('before'); throw new TypeError('no such thing');`],
    ['an end of its own', `console.log('before'); process.exit(7);`],
    ['a wait for what never comes', 'await new Promise(() => undefined);'],
  ])('ends with %s as in one of its own, and the next run has another process', async (_, text) => {
    const path = program(`if (process.argv[2]) { ${text} }\nconsole.log(process.pid);`);
    const before = await warm(path);
    const ended = await warm(path, ['end']);
    const expected = cold(path, ['end']);
    expect([ended.status, ended.stdout]).toEqual([expected.status, expected.stdout]);
    expect(ended.stderr.includes('TypeError: no such thing')).toBe(expected.stderr.includes('TypeError'));
    const after = await warm(path);
    expect(after.status).toBe(0);
    expect(after.stdout).not.toBe(before.stdout);
  });

  it('that does not end is ended at its limit of time', async () => {
    const path = program(`console.log('waits'); setInterval(() => undefined, 1000);`);
    expect(await warm(path, [], { timeoutMs: 1000 })).toEqual({
      status: 128,
      stdout: 'waits\n',
      stderr: 'killed by SIGKILL\n',
    });
  });

  // All of it ends with a process: there nobody would ever see it.
  it.each([
    ['a connection', `createServer().listen(0, '127.0.0.1').unref();`, /socket:/],
    ['a file', `openSync('/etc/passwd');`, /\/etc\/passwd/],
    ['a process', `spawn('sleep', ['5'], { stdio: 'ignore' }).unref();`, /process \d+/],
    ['a listener', `process.on('SIGTERM', () => undefined);`, /listener: SIGTERM/],
    ['another directory', `process.chdir('/usr');`, /directory: \/usr/],
  ])('that leaves %s behind is told', async (_, text, what) => {
    const imports = `import { spawn } from 'node:child_process'; import { openSync } from 'node:fs'; import { createServer } from 'node:net';`;
    const path = program(`${imports}\nif (process.argv[2]) { ${text} }\nconsole.log('done', process.cwd());`);
    const before = await warm(path);
    await expect(warm(path, ['leave'])).rejects.toThrow(what);
    expect(await warm(path)).toEqual(before);
  });
});
