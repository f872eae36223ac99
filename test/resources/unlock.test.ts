/** What opens keystores before a start that is not the controller's: it is silent, has its time, and its failure ends the step. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { unlocked, unlockedByUnit } from '../../src/resources/contract/unlock.ts';
import { file } from '../../src/resources/system/file.ts';

const dir = mkdtempSync(join(tmpdir(), 'pgduet-unlock-'));
afterAll(() => rmSync(dir, { recursive: true }));

const canary = 'canary-keystore-phrase';
const place = { id: 'server1', owner: userInfo().username, dataDir: '/data base/inst1' };
const program = (body: string): string => {
  const path = join(dir, 'open');
  writeFileSync(
    path,
    `#!/bin/sh\nprintf '[%s]' "$@" > ${dir}/told\necho ${canary}; echo ${canary} >&2\n${body}\n`,
  );
  chmodSync(path, 0o755);
  return path;
};
const step = (unlock: string | undefined, unlockSeconds = 60) =>
  spawnSync(
    'sh',
    ['-ec', `as() { shift; "$@"; }\n${unlocked({ ...place, unlock, unlockSeconds })}\necho started`],
    {
      encoding: 'utf8',
    },
  );

describe('a step that starts an instance', () => {
  it('goes on behind a command that ends with 0, and says nothing of what it prints', () => {
    expect(step(`${program('exit 0')} --from "two  words" $HOME`)).toMatchObject({
      status: 0,
      stdout: 'started\n',
      stderr: '',
    });
    expect(readFileSync(join(dir, 'told'), 'utf8')).toBe(
      '[--from][two  words][$HOME][server1][/data base/inst1]',
    );
  });

  it('ends where it ends otherwise, with the exit status alone', () => {
    const path = program('exit 7');
    expect(step(path)).toMatchObject({
      status: 1,
      stdout: '',
      stderr: `unlock_command (${path}) ended with exit status 7: nothing was started, and nothing was changed\n`,
    });
    expect(step('/none').stderr).toContain('ended with exit status 127');
  });

  it('ends when its time is up', () => {
    const path = program('sleep 3600');
    expect(step(path, 1).stderr).toBe(
      `unlock_command (${path}) did not end within 1 s: nothing was started, and nothing was changed\n`,
    );
  });

  it('has nothing to open where nothing is declared', () => {
    expect(step(undefined).stdout).toBe('started\n');
    expect(step('').stdout).toBe('started\n');
    expect(unlockedByUnit({ ...place, unlock: '' })).toBe('');
  });
});

it('a unit has the same command, as systemd reads it, and as silent', () => {
  const line = unlockedByUnit({
    ...place,
    unlock: `${program('exit 3')} "a \\"b\\" \\\\ c" 100% $HOME`,
    unlockSeconds: 5,
  });
  expect(line).toContain('"a \\"b\\" \\\\ c" "100%%" "$$HOME" "server1" "/data base/inst1"');
  expect(line).toMatch(
    /^\/usr\/bin\/timeout -s KILL 5 \/bin\/sh -c "exec \\"\$\$0\\" \\"\$\$@\\" >\/dev\/null 2>&1" /,
  );
});

it('a program below /usr is asked for before it is written, and nothing else is', () => {
  const asked = (path: string, owner = 'root') =>
    file.tries?.({ rewrite: true, summary: '', reason: '' }, { path, owner } as Parameters<
      NonNullable<typeof file.tries>
    >[1]);
  expect(asked('/mcdir/inst1/network.conf', 'postgres')).toBeUndefined();
  expect(asked('/etc/x')).toBeUndefined();
  const shell = asked('/usr/local/no-such-place/x/y');
  const said = execFileSync('sh', ['-ec', `ROOT=yes\n${shell && 'shell' in shell ? shell.shell : 'exit 1'}`]);
  expect(said.toString()).toBe('');
  const told = file.objection?.(
    { status: 0, stdout: 'sealed /usr/local/bin\n', stderr: '' },
    { rewrite: true, summary: '', reason: '' },
    { path: '/usr/local/bin/mc_ctl' } as Parameters<NonNullable<typeof file.tries>>[1],
  );
  expect(told).toMatchObject({
    code: 'SAF049',
    what: expect.stringContaining('/usr/local/bin is on a file system'),
  });
});
