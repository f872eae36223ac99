/** A unit that goes takes along what pgduet has written, and nothing that a person has: with a real shell, and the directory of units elsewhere. */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { preamble } from '../../src/resources/contract/preamble.ts';
import { replyLines } from '../../src/resources/contract/replies.ts';
import { findUnit, keptBeside, removeUnit } from '../../src/resources/system/unit-files.ts';
import { desiredOf, kindNamed } from './cases.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'pgduet-units-'));
  mkdirSync(join(dir, 'mcoi.service.d'));
  for (const name of ['mcoi.service', 'mcoi.service.d/pgduet.conf', 'mcoi.service.d/.pgduet.conf.pgduet-tmp'])
    writeFileSync(join(dir, name), '[Unit]\n');
});
afterEach(() => rmSync(dir, { recursive: true }));

/** systemd is asked for nothing that counts here; a host has it in test/lab. */
const sh = (script: string): string => {
  const input = `systemctl() { :; }\n${preamble(undefined)}\n( set -e\n${script.replaceAll('/etc/systemd/system', dir)}\n)`;
  const { status, stdout, stderr } = spawnSync('sh', [], { input, encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout;
};

describe('a unit that goes', () => {
  const override = () => join(dir, 'mcoi.service.d/override.conf');

  it('goes with its drop-ins and their directory, and is not seen any more', () => {
    expect(sh(findUnit('mcoi', 'unit'))).toBe('unit\n');
    sh(removeUnit('mcoi'));
    expect(readdirSync(dir)).toEqual([]);
    expect(sh(findUnit('mcoi', 'unit'))).toBe('');
  });

  it('leaves what a person has added, which is told, and is no unit of ours then', () => {
    writeFileSync(override(), '[Service]\nLimitNOFILE=9\n');
    const lines = replyLines(sh(findUnit('mcoi', 'unit')));
    expect([lines.has('unit'), keptBeside(lines, 'unit')]).toEqual([true, [override()]]);
    sh(removeUnit('mcoi'));
    expect([existsSync(join(dir, 'mcoi.service')), readdirSync(join(dir, 'mcoi.service.d'))]).toEqual([
      false,
      ['override.conf'],
    ]);
    expect(readFileSync(override(), 'utf8')).toContain('LimitNOFILE=9');
    expect(replyLines(sh(findUnit('mcoi', 'unit'))).has('unit')).toBe(false);
  });

  it('is told of in the plan, with what stays', () => {
    const kind = kindNamed('retired');
    const desired = desiredOf('retired', '{ unit: mcoi }');
    const seen = kind.read(
      { status: 0, stdout: 'unit\nbeside-unit /x.d/override.conf\nlooked\n', stderr: '' },
      desired,
    );
    if (seen.state === 'unknown') throw new Error(seen.reason);
    expect(kind.diff(desired, seen)).toMatchObject({
      change: { notes: [expect.stringMatching(/^kept, .*: \/x\.d\/override\.conf$/)] },
    });
  });

  it('is there as long as a drop-in of ours is: an interrupted removal is gone on with', () => {
    rmSync(join(dir, 'mcoi.service'));
    expect(sh(findUnit('mcoi', 'unit'))).toBe('unit\n');
    rmSync(join(dir, 'mcoi.service.d/pgduet.conf'));
    expect(sh(findUnit('mcoi', 'unit'))).toBe('unit\n');
  });
});
