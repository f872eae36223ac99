/** When a management directory is lost, by a real shell on real files: each fact that is needed is missing once. Root's places are below a directory of the test. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { preamble } from '../../src/resources/contract/preamble.ts';
import { dataDirectoryProbe, readDataDirectory } from '../../src/resources/data/data-directory.ts';

const owner = userInfo().username;
let dir = '';
const at = (name: string): string => join(dir, name);
const put = (name: string, text: string): void => {
  mkdirSync(dirname(at(name)), { recursive: true });
  writeFileSync(at(name), text, { mode: 0o755 });
};
const remove = (name: string): void => rmSync(at(name), { recursive: true, force: true });

const unit = 'etc/systemd/system/mcoi_inst1.service';
const script = 'etc/init.d/rc_mcoi_inst1';
const words = (): string => `daemon -M ${at('mc')} --local-server server1`;

/** systemd, as far as it is asked: what it says of the mounts is in a file. */
const systemd = (mounts = ''): void => {
  mkdirSync(at('run/systemd/system'), { recursive: true });
  put('bin/systemd-escape', '#!/bin/sh\nfor p; do case $p in /*) echo "$p";; esac; done\n');
  put('mounts', mounts);
  put('bin/systemctl', `#!/bin/sh\ncat ${at('mounts')}\n`);
};

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'pgduet-lost-'));
  put('pg/PG_VERSION', '15\n');
  put('pg/global/pg_control', 'control');
  put('pg/postmaster.opts', 'postgres\n');
  put(unit, `[Service]\nExecStart=/usr/bin/node /x/mc.cjs ${words()}\nKillMode=process\n`);
  put('bin/postgres', '');
  systemd();
});
afterEach(() => rmSync(dir, { recursive: true }));

function look(place: { readonly unit?: string; readonly managementDir?: string } = { unit: 'mcoi_inst1' }) {
  const probe = dataDirectoryProbe({
    ...{ dataDir: at('pg'), managementDir: at('mc'), id: 'server1', version: 15, owner, ...place },
  });
  const moved = probe.replaceAll(/\/(etc|run)\/(systemd|init\.d|fstab)/g, `${dir}/$1/$2`);
  const reply = spawnSync('sh', [], {
    input: `${preamble({ owner, socketDir: '/tmp', port: 1, postgresVersion: 15, binDir: at('bin') })}\n${moved}`,
    encoding: 'utf8',
    env: { ...process.env, PATH: `${at('bin')}:${process.env.PATH}` },
  });
  return readDataDirectory({ status: reply.status ?? 255, stdout: reply.stdout, stderr: reply.stderr });
}

describe('a management directory', () => {
  it('is lost where root says that a controller was in charge of this data', () => {
    expect(look()).toMatchObject({ content: 'cluster', directoryLost: true });
    mkdirSync(at('mc'));
    expect(look()).toMatchObject({ directoryLost: true });
    expect(look()).not.toHaveProperty('directoryAway');
    expect(look()).not.toHaveProperty('dropIns');
  });

  it.each([
    ['there is a record', () => put('mc/server1.system', '77')],
    ['the record is a link', () => [mkdirSync(at('mc')), symlinkSync(at('gone'), at('mc/server1.system'))]],
    ['the record is no number', () => put('mc/server1.system', 'x')],
    ['something is unfinished', () => put('mc/server1.making', 'copy')],
    ['a migration is under way', () => put('mc/server1.former', '')],
    ['no server was started in the data', () => unlinkSync(at('pg/postmaster.opts'))],
    ['the data has no control file', () => unlinkSync(at('pg/global/pg_control'))],
    ['the data is of another version', () => put('pg/PG_VERSION', '16\n')],
    ['there is no data', () => remove('pg')],
    ['there is no unit', () => remove(unit)],
    [
      'the unit is of another server',
      () => put(unit, `ExecStart=/usr/bin/node /x/mc.cjs ${words().replace('server1', 'server11')}\n`),
    ],
    [
      'the unit is of another directory',
      () => put(unit, `ExecStart=/usr/bin/node /x/mc.cjs ${words().replace('/mc ', '/mcx ')}\n`),
    ],
    ['the unit only speaks of it', () => put(unit, `# ExecStart=/usr/bin/node /x/mc.cjs ${words()}\n`)],
  ])('is not lost where %s', (_, change) => {
    change();
    expect(look()).toMatchObject({ files: [] });
    expect(look()).not.toHaveProperty('directoryLost');
  });

  it('is not looked for where nobody names a unit', () => {
    expect(look({})).not.toHaveProperty('directoryLost');
  });

  it('is lost where an init script names it in place of a unit, and this server', () => {
    remove(unit);
    remove('run/systemd');
    put(script, `#!/bin/sh\nowner=postgres\ndir=${at('mc')}\nid=server1\n`);
    expect(look()).toMatchObject({ directoryLost: true });
    put(script, `#!/bin/sh\ndir=${at('mc')}\nid=server11\n`);
    expect(look()).not.toHaveProperty('directoryLost');
    put(script, `#!/bin/sh\ndir=${at('mcx')}\nid=server1\n`);
    expect(look()).not.toHaveProperty('directoryLost');
  });

  it('that was lost says which units have started the server before pgduet', () => {
    const drop = 'etc/systemd/system/postgresql@15-main.service.d/pgduet.conf';
    put(drop, `[Unit]\nConditionPathExists=${at('mc')}/server1.former\n`);
    put('etc/systemd/system/other.service.d/pgduet.conf', '[Unit]\nConditionPathExists=/x/server1.former\n');
    expect(look()).toMatchObject({ directoryLost: true, dropIns: [at(drop)] });
  });
});

describe('a management directory is away, and not lost, where', () => {
  const gone = (why: string) => {
    const seen = look();
    expect(seen?.directoryAway).toContain(why);
    expect(seen).not.toHaveProperty('directoryLost');
  };

  it('it is a symbolic link that leads nowhere', () => {
    symlinkSync(at('disk/mc'), at('mc'));
    gone(`${at('mc')} is a symbolic link to ${at('disk/mc')}, and that is not there`);
    expect(look()?.directoryLink).toBe(at('mc'));
    // Somebody has made another one behind it: nothing says whose that is.
    mkdirSync(at('disk/mc'), { recursive: true });
    gone(`${at('mc')} is a symbolic link to ${at('disk/mc')}, and nothing of this server is there`);
    put('mc/server1.system', '77');
    expect(look()).not.toHaveProperty('directoryLink');
    expect(look()).not.toHaveProperty('directoryAway');
  });

  it('a directory above it is one, and nowhere else', () => {
    put(unit, `ExecStart=/usr/bin/node /x/mc.cjs ${words().replace('/mc ', '/above/mc ')}\n`);
    symlinkSync(at('disk'), at('above'));
    const seen = () => look({ unit: 'mcoi_inst1', managementDir: at('above/mc') });
    expect(seen()).toMatchObject({
      directoryAway: `${at('above')} is a symbolic link to ${at('disk')}, and that is not there`,
      directoryLink: at('above'),
    });
    mkdirSync(at('disk'));
    expect(seen()).toMatchObject({ directoryLost: true });
    expect(seen()).not.toHaveProperty('directoryLink');
  });

  it.each([
    ['inactive', true],
    ['failed', true],
    ['active', false],
    ['reloading', false],
  ])('systemd has a mount above it that is %s', (state, isAway) => {
    const told = (load: string) =>
      `Where=/x\nLoadState=not-found\nActiveState=inactive\n\nWhere=${dir}\nLoadState=${load}\nActiveState=${state}\n`;
    systemd(told('loaded'));
    if (isAway) gone(`nothing is mounted on ${dir}`);
    else expect(look()).toMatchObject({ directoryLost: true });
    systemd(told('not-found'));
    expect(look()).toMatchObject({ directoryLost: true });
  });

  it('/etc/fstab has a mount above it that is not there, on a host without systemd', () => {
    remove('run/systemd');
    put('etc/fstab', `# ${dir}\n/dev/sdb1 /elsewhere ext4 defaults 0 2\n`);
    expect(look()).toMatchObject({ directoryLost: true });
    put('etc/fstab', `/dev/sdb1 ${dir}/ ext4 defaults 0 2\n`);
    gone(`nothing is mounted on ${dir}`);
  });

  it('a directory that is not the administrator’s stands there', () => {
    mkdirSync(at('mc'));
    put('bin/stat', '#!/bin/sh\necho somebody\n');
    gone(`does not belong to ${owner}`);
  });

  it('systemd gives no answer: nothing is said at all', () => {
    put('bin/systemctl', '#!/bin/sh\nexit 1\n');
    expect(look()).toBe(undefined);
  });
});
