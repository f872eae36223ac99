/** What switches init scripts on and off, as shell beside a stand-in of the program that does what the real one was seen to do. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { initTools } from '../../src/base/service-managers.ts';

/** Of OpenRC 0.45.2: to take away what is not in the level ends with 1, also quietly, and with --all where one level has it not. */
const rcUpdate = `#!/bin/sh
case "$*" in
  '--quiet add '*' default') ln -sfT "/etc/init.d/$3" DIR/default/"$3";;
  '--quiet del '*' default') rm DIR/default/"$3" 2>/dev/null || { echo "rc-update: service \\\`$3' is not in the runlevel \\\`default'" >&2; exit 1; };;
  '--quiet --all del '*) rm -f DIR/default/"$4"; echo "rc-update: service \\\`$4' is not in the runlevel \\\`boot'" >&2; exit 1;;
  *) exit 64;;
esac
`;

describe('rc-update', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'pgduet-rc-update-'));
    for (const name of ['default', 'bin', 'init.d']) mkdirSync(join(dir, name));
    writeFileSync(join(dir, 'bin/rc-update'), rcUpdate.replaceAll('DIR', dir), { mode: 0o755 });
    writeFileSync(join(dir, 'init.d/rc_mcoi_inst1'), '');
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const tool = initTools['rc-update'];
  const run = (script: string): string => {
    const here = script.replaceAll('/etc/runlevels', dir).replaceAll('/etc/init.d', join(dir, 'init.d'));
    const { status, stdout, stderr } = spawnSync('sh', ['-ec', here], {
      encoding: 'utf8',
      env: { PATH: `${join(dir, 'bin')}:${process.env.PATH}` },
    });
    expect([status, stderr]).toEqual([0, '']);
    return stdout.trim();
  };
  const levels = (): string => run(tool.levels('rc_mcoi_inst1'));

  it('switches a script on and off, however often it is told', () => {
    expect(levels()).toBe('off');
    for (const act of ['off', 'on', 'on', 'off', 'off'] as const) {
      run(tool[act]('rc_mcoi_inst1'));
      expect(levels()).toBe(act);
    }
  });

  it('takes all of it away, also where a part is gone', () => {
    run(tool.on('rc_mcoi_inst1'));
    rmSync(join(dir, 'init.d/rc_mcoi_inst1'));
    run(tool.remove('rc_mcoi_inst1'));
    expect(levels()).toBe('off');
    run(tool.remove('rc_mcoi_inst1'));
  });
});
