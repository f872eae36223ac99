/**
 * What a step writes on a host is whole or not there: on a full disk the old file stays, and what could not be read to its end
 * is not written anew. With a real shell; a full disk needs root.
 */
import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { preamble, putFile } from '../../src/resources/contract/preamble.ts';
import { copyStep, keepStep, type RebuildDesired } from '../../src/resources/data/rebuild-steps.ts';
import { desiredOf, kindNamed } from './cases.ts';

const { username: owner } = userInfo();
const root = process.getuid?.() === 0;
let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'pgduet-whole-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

function sh(script: string, passfile: string) {
  const functions = preamble({ postgresVersion: 15, owner, socketDir: '/tmp', port: 1, passfile });
  return spawnSync('sh', [], { input: `set -e\n${functions}\n${script}`, encoding: 'utf8' });
}

describe('put', () => {
  it.skipIf(!root)('leaves the old file, and nothing beside it, where the disk has room for a part', () => {
    const small = join(dir, 'small');
    mkdirSync(small);
    expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=32k', 'tmpfs', small]).status).toBe(0);
    try {
      const path = join(small, 'f');
      writeFileSync(path, 'old\n');
      const wide = putFile({ path, owner, mode: '0600', content: 'x'.repeat(100_000) });
      expect(sh(wide, '').status).not.toBe(0);
      expect([readFileSync(path, 'utf8'), readdirSync(small)]).toEqual(['old\n', ['f']]);
      expect(sh(putFile({ path, owner, mode: '0600', content: 'new\n' }), '').status).toBe(0);
      expect(readFileSync(path, 'utf8')).toBe('new\n');
    } finally {
      spawnSync('umount', [small]);
    }
  });
});

/** Reading it is an I/O error, as it is on a disk that fails. */
const broken = '/proc/self/mem';

describe('a file that cannot be read to its end is not written anew', () => {
  const written = "put() { echo 'written'; }; place() { put; }\n";

  it('lines of others in a file', () => {
    const yaml = `{ path: ${broken}, line: 'mcoi 27540/tcp' }`;
    for (const step of kindNamed('line').steps({ summary: '', reason: '' }, desiredOf('line', yaml))) {
      const ended = sh(written + step.script, '');
      expect([ended.status === 0, ended.stdout]).toEqual([false, '']);
    }
  });

  it('passwords of others', () => {
    const yaml = `{ owner: ${owner}, host: h, port: 1, database: d, user: u, state: absent }`;
    const desired = desiredOf('passfile', yaml);
    for (const step of kindNamed('passfile').steps({ summary: '', reason: '' }, desired)) {
      const ended = sh(`${written}rm() { echo removed; }\n${step.script}`, broken);
      expect([ended.status, ended.stdout]).toEqual([1, 'removed\n']);
    }
  });

  it('what is remembered of a rebuild', () => {
    symlinkSync(broken, join(dir, 'server1.rebuild'));
    const desired = {
      id: 'server1',
      managementDir: dir,
      dataDir: join(dir, 'data'),
      keepIn: dir,
      keepAs: join(dir, 'data.before-rebuild'),
      owner,
    } as RebuildDesired;
    mkdirSync(desired.dataDir);
    const kept = sh(written + keepStep(desired).script, '');
    expect([kept.status, kept.stdout]).toEqual([1, '']);
    const copied = sh(`${written}rm() { echo removed; }\n${copyStep(desired).script}`, '');
    expect([copied.status, copied.stdout]).toEqual([1, '']);
  });
});
