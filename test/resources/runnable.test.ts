/** Whether the instance administrator may execute a program, asked of a real file system with a real shell. Needs root. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { preamble } from '../../src/resources/contract/preamble.ts';
import { runnable } from '../../src/resources/system/runnable.ts';

const owner = 'nobody';
let dir = '';
const at = (name: string): string => join(dir, name);
const put = (name: string, text: string, mode: number): void => {
  writeFileSync(at(name), text);
  chmodSync(at(name), mode);
};

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'pgduet-runnable-'));
  chmodSync(dir, 0o755);
});
afterEach(() => rmSync(dir, { recursive: true }));

function verdict(path: string, user = owner) {
  const place = {
    id: 'server1',
    dataDir: '/d',
    managementDir: '/m',
    version: 15,
    mcCtl: '/c',
    socketDir: '/s',
    port: 1,
  };
  const desired = { ...place, owner: user, path, key: 'fencing_command', unit: 'mcoi_inst1', allows: [] };
  const { shell = '' } = runnable.probe(desired);
  const functions = preamble({ owner: user, socketDir: '/tmp', port: 1, postgresVersion: 15 });
  const { status, stdout, stderr } = spawnSync('sh', [], {
    input: `${functions}\n( ${shell}\n)`,
    encoding: 'utf8',
  });
  const observed = runnable.read({ status: status ?? 1, stdout, stderr }, desired);
  if (observed.state === 'unknown') return `unknown: ${observed.reason}`;
  const told = runnable.diff(desired, observed);
  if (told.kind === 'refuse') return told.diagnostic.what.replace(/^.* of fencing_command /, '');
  const [barred] = told.kind === 'same' ? (told.differences ?? []) : [];
  return barred ? `${barred.code} ${barred.found.replace(/^.*\//, '')}` : told.kind;
}

describe.skipIf(process.getuid?.() !== 0)('a program of the configuration', () => {
  it('that he may execute, and a link to it', () => {
    put('fence', '#!/bin/sh\n', 0o755);
    symlinkSync(at('fence'), at('link'));
    expect([verdict(at('fence')), verdict(at('link')), verdict('/bin/true')]).toEqual([
      'same',
      'same',
      'same',
    ]);
  });

  it('that gains privileges, or calls one that does', () => {
    put('asks', '#!/bin/sh\n# not sudo \nif true; then exec /usr/bin/sudo -n fence; fi\n', 0o755);
    put('says', '#!/bin/sh\n# sudo is not needed\necho pseudo sudoers\n', 0o755);
    put('becomes', 'x', 0o4755);
    expect(['asks', 'says', 'becomes'].map((name) => verdict(at(name)))).toEqual([
      'UNT011 asks calls sudo',
      'same',
      'UNT011 becomes gains privileges',
    ]);
  });

  it('that is a script of Python, whose commands are lists', () => {
    put(
      'list',
      "#!/usr/bin/env python3\nimport subprocess\nsubprocess.run(['/usr/bin/sudo', '-n', 'fence'])\n",
      0o755,
    );
    put('lines', '#!/usr/bin/env python3\nrun([\n    "sudo",\n    "fence",\n])\n', 0o755);
    put('word', "#!/usr/bin/env python3\nprint('sudo: is not needed', \"pseudo\", 'sudoers')\n", 0o755);
    expect(['list', 'lines', 'word'].map((name) => verdict(at(name)))).toEqual([
      'UNT011 list calls sudo',
      'UNT011 lines calls sudo',
      'same',
    ]);
  });

  it('that is run by another one with an option', () => {
    put('fence', '#! /usr/bin/env -S sh -e\n', 0o755);
    expect(verdict(at('fence'))).toBe('same');
  });

  it.each<[string, () => void, RegExp]>([
    ['that is not there', () => undefined, /^is not there$/],
    ['whose link leads nowhere', () => symlinkSync('/nowhere', at('fence')), /^is not there$/],
    [
      'of root alone',
      () => put('fence', '#!/bin/sh\n', 0o700),
      /^cannot be executed by nobody \(regular file, root:root 700\)$/,
    ],
    [
      'that is no program',
      () => put('fence', '#!/bin/sh\n', 0o644),
      /^cannot be executed by nobody \(regular file, root:root 644\)$/,
    ],
    [
      'that is a directory',
      () => mkdirSync(at('fence')),
      /^cannot be executed by nobody \(directory, root:root 755\)$/,
    ],
    [
      'whose interpreter is missing',
      () => put('fence', '#!/opt/none/python3 -u\n', 0o755),
      /its first line names \/opt\/none\/python3/,
    ],
  ])('%s', (_, make, words) => {
    make();
    expect(verdict(at('fence'))).toMatch(words);
  });

  it('in a directory that is closed to him', () => {
    mkdirSync(at('closed'), { mode: 0o700 });
    put('closed/fence', '#!/bin/sh\n', 0o755);
    expect(verdict(at('closed/fence'))).toMatch(/^cannot be executed by nobody/);
  });

  it('before he is there: what everybody may execute', () => {
    put('fence', '#!/bin/sh\n', 0o755);
    put('own', '#!/bin/sh\n', 0o750);
    expect([verdict(at('fence'), 'not-yet'), verdict(at('own'), 'not-yet')]).toEqual([
      'same',
      'cannot be executed by not-yet (regular file, root:root 750)',
    ]);
  });
});
