/** A run beside a server in maintenance: it is left alone, may be away, and nothing of it stops what is done to the others. */
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import { DiagnosticError } from '../../src/base/diagnostic.ts';
import { exitCode } from '../../src/base/exit-codes.ts';
import type { Host } from '../../src/inventory/cluster.ts';
import { failureOf, me, type TestWorld, testWorld } from './world.ts';

let world: TestWorld | undefined;
afterEach(() => {
  world?.remove();
  world = undefined;
});

const playbook = `
plays:
  - on: all
    resources:
      - directory: { path: '{{here}}/a', owner: ${me}, mode: '0700' }
`;
const entry = {
  number: 1,
  stage: 'open',
  by: 'alice',
  sinceWall: 0,
  untilWall: null,
  reason: 'disks',
};

/** server1 remembers that server2 is in maintenance. */
async function open(stage = 'open', ...between: Parameters<typeof testWorld>): Promise<TestWorld> {
  const w = await testWorld(...between);
  world = w;
  // Its owner, who need not be the one who runs the test, reads it.
  chmodSync(w.dir, 0o755);
  mkdirSync(w.at('server1', 'mc'));
  const state = { maintenance: { server2: { ...entry, stage } } };
  writeFileSync(w.at('server1', 'mc/server1.state.json'), JSON.stringify({ format: 1, state }));
  return w;
}

const away = new DiagnosticError(
  [{ code: 'CON001', what: 'no answer', why: 'w', fix: 'f', host: 'server2' }],
  exitCode.unreachable,
);
function takeAway({ transport }: TestWorld): void {
  const { open: real } = transport;
  const without = (host: Host) => (host.name === 'server2' ? Promise.reject(away) : real(host));
  Object.assign(transport, { open: without });
}

it('leaves it alone, and proves the others', async () => {
  const w = await open();
  const made = await w.play(playbook);
  expect(made.changed.map(({ host }) => host)).toEqual(['server1']);
  expect(made.left.decisions.map(({ resource }) => resource.host)).toEqual(['server1']);
  expect(existsSync(w.at('server2', 'a'))).toBe(false);
  expect((await (await open('ended')).play(playbook)).changed).toHaveLength(2);
});

it('goes on while its host is away, and not where nobody remembers why', async () => {
  const w = await open();
  takeAway(w);
  expect((await w.play(playbook)).changed.map(({ host }) => host)).toEqual(['server1']);
  const other = await open('ended');
  takeAway(other);
  expect((await failureOf(other.play(playbook))).exitCode).toBe(exitCode.unreachable);
});

it('compares no clock with its clock', async () => {
  const w = await open('open', async (real, _script, host) => {
    const reply = await real();
    const shifted = reply.stdout.replace(/^\d{10}\.\d+$/m, (text) => String(Number(text) + 30));
    return host === 'server2' ? { ...reply, stdout: shifted } : reply;
  });
  expect((await w.play(playbook)).changed.map(({ host }) => host)).toEqual(['server1']);
});

it('needs not to see its data', async () => {
  const w = await open('open', async (real, _script, host) => {
    const reply = await real();
    const blind = reply.stdout.replace('content absent', 'who knows');
    return host === 'server2' ? { ...reply, stdout: blind } : reply;
  });
  expect((await w.play(playbook)).changed.map(({ host }) => host)).toEqual(['server1']);
});
