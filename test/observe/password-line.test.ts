/** Which line of a password file holds the password of the cluster, by the script that looks on a host. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { surveyProbes } from '../../src/observe/survey.ts';
import { preamble } from '../../src/resources/contract/preamble.ts';
import { clusterOf, serverNamed, threeInventory } from './cluster.ts';

let dir: string;
let functions: string;
let script: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'pgduet-password-'));
  const place = { postgresVersion: 15, owner: userInfo().username, socketDir: '/tmp', port: 1 };
  functions = preamble({ ...place, passfile: join(dir, '.pgpass') });
  const cluster = await clusterOf(threeInventory);
  script = surveyProbes(cluster, serverNamed(cluster, 'server1')).passfile?.shell ?? '';
});
afterAll(() => rmSync(dir, { recursive: true }));

function found(...lines: string[]): string {
  writeFileSync(join(dir, '.pgpass'), lines.map((line) => `${line}\n`).join(''));
  const { stdout, stderr } = spawnSync('sh', [], { input: `${functions}\n${script}`, encoding: 'utf8' });
  return stdout + stderr;
}

const ours = '192.0.2.110:PORT:replication:pgduet_repl:ours';
const six = '2001\\:db8\\:\\:3:PORT:replication:pgduet_repl:six';
const port = () => /192\.0\.2\.110:(\d+):/.exec(script)?.[1] ?? '';
const at = (line: string) => line.replace('PORT', port());

it('is the one of a server of the cluster, wherever it stands', () => {
  const others = ['*:*:replication:pgduet_repl:all', at('192.0.2.99:PORT:replication:pgduet_repl:other')];
  expect(found(...others, at(ours))).toBe(`${at(ours)}\n`);
  expect(found(at(six), at(ours))).toBe(`${at(six)}\n`);
});

it('is one with a port of the cluster where no address fits any more', () => {
  const moved = at('192.0.2.99:PORT:replication:pgduet_repl:before');
  expect(found('192.0.2.110:1:replication:pgduet_repl:other', moved)).toBe(`${moved}\n`);
});

it('is none that stands for several clusters', () => {
  expect(found('*:*:replication:pgduet_repl:x', at('*:PORT:replication:pgduet_repl:x'))).toBe('');
  expect(found('192.0.2.110:1:replication:pgduet_repl:x', 'a:1:b:c:d')).toBe('');
});

it('is not known, and not missing, where the file could not be read to its end', () => {
  writeFileSync(join(dir, '.pgpass'), 'x\n');
  const late = "peek() { echo 'a:1:b:c:d'; return 124; }";
  const { status } = spawnSync('sh', [], { input: `${functions}\n${late}\n${script}`, encoding: 'utf8' });
  expect(status).toBe(124);
});
