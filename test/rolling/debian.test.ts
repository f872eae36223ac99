/** What is run on a Debian host for an update of packages, beside programs that only say what they were asked. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { debian } from '../../src/base/platform.ts';
import { proofScript } from '../../src/rolling/proof.ts';

const ran = (script: string, programs: Readonly<Record<string, string>>) => {
  const dir = mkdtempSync(join(tmpdir(), 'debian-'));
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(join(dir, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(dir, name), 0o755);
  }
  return spawnSync('sh', ['-c', script], {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${dir}:${process.env.PATH}` },
  });
};
const installed = `echo 'install ok installed'`;
const policy = `printf '%s\\n' p: '  Installed: 1:1' '  Candidate: 1:2~rc+x'`;

describe('an offer', () => {
  const offer = debian.manager.offer(['p']);

  it('has the versions whole, and what comes besides', () => {
    const said = ran(offer, {
      'dpkg-query': installed,
      'apt-cache': policy,
      'apt-get': `echo 'Inst new (1:1~rc+x localhost [amd64])'; echo 'Inst p [1:1] (1:2~rc+x localhost [amd64])'; echo 'Remv q [3]'`,
    });
    expect(said.stdout.split('\n').filter((line) => !line.startsWith('lists'))).toEqual([
      'have p 1:1 1:2~rc+x',
      'new new 1:1~rc+x',
      'new p 1:2~rc+x',
      'gone q',
      '',
    ]);
    expect(said.status).toBe(0);
  });

  it('fails where the upgrade would be refused, as that of a package that is held', () => {
    const said = ran(offer, {
      'dpkg-query': installed,
      'apt-cache': policy,
      'apt-get': `case " $* " in *' -y '*) echo 'E: Held packages were changed and -y was used without --allow-change-held-packages.' >&2; exit 100;; esac`,
    });
    expect(said.status).not.toBe(0);
    expect(said.stderr).toContain('Held packages');
  });
});

describe('an upgrade', () => {
  it('waits for whoever installs something at that moment before dpkg is called, which does not wait', () => {
    const said = ran(debian.manager.upgrade({ p: '1:2' }), {
      'apt-get': 'echo "apt-get $*" >&2; case $1 in check) exit 100;; esac',
      dpkg: 'echo "dpkg $*" >&2',
      'dpkg-query': installed,
      'apt-mark': 'exit 0',
    });
    const lines = said.stderr.trim().split('\n');
    expect(lines.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      'dpkg --configure',
      'apt-get install',
    ]);
    expect(lines[1]).toContain('p=1:2');
    expect(debian.manager.upgrade({ p: '1' })).toMatch(
      /apt-get check [^\n]*Lock::Timeout=\d+[^\n]*\ndpkg --configure/,
    );
    expect(said.status).toBe(0);
  });
});

describe('an upgrade of what others need', () => {
  const upgraded = (end: number) =>
    ran(debian.manager.upgrade({ p: '1:2', needed: '3', fresh: '1' }), {
      dpkg: 'exit 0',
      'dpkg-query': `case " $* " in *' fresh '*) exit 1;; esac; ${installed}`,
      'apt-get': `case $1 in install) echo "$*" >&2; exit ${end};; esac`,
      'apt-mark': `case $1 in showauto) echo needed;; *) echo "marked $*" >&2;; esac`,
    });

  it('installs what is new, too, in its version, and nothing of it counts as asked for', () => {
    const { stderr, status } = upgraded(0);
    expect(stderr).toContain('p=1:2 needed=3 fresh=1');
    expect(stderr).not.toContain('only-upgrade');
    expect(stderr).toContain('marked auto needed fresh\n');
    expect(status).toBe(0);
  });

  it('that fails has failed', () => expect(upgraded(100).status).toBe(100));
});

describe('the proof', () => {
  const proof = (status: string) =>
    ran(proofScript({ dataDir: '/nowhere', installed: debian.manager.installed([]) }), {
      'dpkg-query': `echo '${status}'`,
    }).stdout.split('\n');

  it('finds an installation that was cut off, whoever has begun it, and goes on to the rest', () => {
    expect(proof('half-configured ok')).toContain('half-made');
    expect(proof('installed reinstreq')).toContain('half-made');
    expect(proof('installed ok')).not.toContain('half-made');
    expect(proof('config-files ok')).toContain('wrong the data directory is not there');
  });
});
