/** What goes before a run: it is brought to its end on its hosts, then all is looked at anew; nothing of the run is done where it cannot end. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import type { Prelude } from '../../src/apply/request.ts';
import type { Intent } from '../../src/intent/intent.ts';
import { failureOf, me, type TestWorld, testWorld } from './world.ts';

let world: TestWorld | undefined;
afterEach(() => world?.remove());

const playbook = (name: string): string => `
plays:
  - on: all
    resources:
      - directory: { path: '{{here}}/${name}', owner: ${me}, mode: '0700' }
`;

async function opened(): Promise<{ w: TestWorld; before: (text: string) => Prelude; told: Intent[] }> {
  const w = await testWorld();
  world = w;
  const told: Intent[] = [];
  const before = (text: string): Prelude => {
    const { servers, hosts } = w.cluster;
    return {
      cluster: { ...w.cluster, servers: servers.slice(0, 1), hosts: hosts.slice(0, 1) },
      intent: { kind: 'run' },
      compile: w.compiler(text),
      behind: (settled) => {
        told.push(settled);
        return { kind: 'run' };
      },
    };
  };
  return { w, before, told };
}

it('goes first, on its hosts alone, in the same sessions', async () => {
  const { w, before, told } = await opened();
  const made = await w.play(playbook('b'), { prelude: () => before(playbook('a')) });
  const [earlier, ...rest] = made.changed;
  expect(earlier).toMatchObject({ host: 'server1', summary: expect.stringContaining('/a ') });
  // Hosts are changed side by side.
  expect(rest.map(({ host }) => host).sort()).toEqual(['server1', 'server2']);
  for (const { summary } of rest) expect(summary).toContain('/b ');
  expect(existsSync(w.at('server2', 'a'))).toBe(false);
  expect(told).toEqual([{ kind: 'run' }]);
  expect(w.events.filter(({ kind }) => kind === 'opened')).toHaveLength(2);
});

it('is left out where nothing is agreed to, or changed', async () => {
  const { w, before } = await opened();
  const prelude = () => before(playbook('a'));
  await w.play(playbook('b'), { prelude, confirm: async () => false });
  await w.play(playbook('b'), { prelude, change: false });
  expect(existsSync(w.at('server1', 'a'))).toBe(false);
});

it('ends the run where it is refused', async () => {
  const { w, before } = await opened();
  mkdirSync(w.at('server1', 'data'));
  writeFileSync(w.at('server1', 'data/letter.txt'), '');
  const standby = `
plays:
  - on: all
    resources:
      - standby: { host: 192.0.2.1, port: 1, user: u, slot: s }
`;
  const failed = await failureOf(w.play(playbook('b'), { prelude: () => before(standby) }));
  expect(failed.diagnostics[0]?.code).toBe('SAF002');
  expect(existsSync(w.at('server2', 'b'))).toBe(false);
});
