/** The files, the lock and the small readers of the controller, on a real directory. */
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DiagnosticError } from '../../src/base/diagnostic.ts';
import { Secret } from '../../src/base/secret.ts';
import { clusterMark } from '../../src/controller/config-arbiter-key.ts';
import { loadConfiguration } from '../../src/controller/io/configuration.ts';
import { findLocalServer, readPrivate } from '../../src/controller/io/files.ts';
import { frameReader, longestFrame } from '../../src/controller/io/frames.ts';
import { Instance } from '../../src/controller/io/instance.ts';
import { lockHolder, takeLock } from '../../src/controller/io/lock.ts';
import { passLockFile, removeSocketLocks } from '../../src/controller/io/lock-files.ts';
import { findPostmaster, processesIn } from '../../src/controller/io/postmaster.ts';
import { addressesOf, primaryAddresses } from '../../src/controller/io/primary-address.ts';
import { readState, writeState } from '../../src/controller/io/state-file.ts';
import { binDirCandidates, majorVersion } from '../../src/postgres/bindirs.ts';
import { certificate } from '../inventory/lookups.ts';
import { recorded } from './support/conversation.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'mc-io-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const write = (name: string, text: string, mode = 0o600): void => {
  writeFileSync(join(dir, name), text, { mode });
  chmodSync(join(dir, name), mode);
};

describe('the configuration on disk', () => {
  const good = (): void => {
    write('network.conf', 'server1 127.0.0.1 27540\n');
    write('server1.conf', `db_instance = '${dir}/none'\n`);
    write('cluster.key', `${'ab'.repeat(32)}\n`);
  };

  it('is read when all is well', () => {
    good();
    const { self, key } = loadConfiguration(dir, findLocalServer(dir, undefined));
    expect([self.id, String(key), key.reveal()]).toEqual(['server1', '(secret)', 'ab'.repeat(32)]);
  });

  it('is missed by its name, with a way out that is there', () => {
    expect(() => findLocalServer(dir, 'server2')).toThrow(/MCF010 'server2' has no server2.conf/);
    const fixOf = (id: string): string | undefined => {
      try {
        findLocalServer(dir, id);
      } catch (error) {
        return error instanceof DiagnosticError ? error.diagnostics[0]?.fix : undefined;
      }
      return undefined;
    };
    expect(fixOf('server2')).toContain('pgduet provision makes server2.conf there');
    good();
    expect(fixOf('server2')).toBe('Name one of them with --local-server.');
  });

  it('takes arbitration by what network.conf names', () => {
    good();
    write('server1.conf', `db_instance = '${dir}/none'\nheartbeat_error_action = arbitration\n`);
    expect(() => loadConfiguration(dir, 'server1')).toThrow(/MCF009/);
    write('network.conf', 'server1 127.0.0.1 27540\narbiter1 127.0.0.1 27541 arbiter\n');
    expect(loadConfiguration(dir, 'server1').arbiters).toEqual([
      { id: 'arbiter1', host: '127.0.0.1', port: 27541 },
    ]);
    expect(() => loadConfiguration(dir, 'arbiter1')).toThrow(/MCF010 network.conf does not name 'arbiter1'/);
  });

  it('names an etcd with its password and certificates, which it keeps to itself', () => {
    good();
    const conf = [
      `db_instance = '${dir}/none'`,
      'heartbeat_error_action = arbitration',
      "etcd_endpoints = 'https://192.0.2.1:2379,https://192.0.2.2:2380'",
      "etcd_user = 'pgduet'",
      "etcd_prefix = '/pgduet/inst1/'",
    ];
    write('server1.conf', `${conf.join('\n')}\n`);
    expect(() => loadConfiguration(dir, 'server1')).toThrow(/MCF001 .*etcd\.password.*MCF001 .*etcd-ca\.pem/);
    write('etcd.password', 'of etcd alone\n');
    write('etcd-ca.pem', certificate);
    const { etcd, places } = loadConfiguration(dir, 'server1');
    expect(places).toEqual([
      { id: 'etcd', host: 'https://192.0.2.1:2379,https://192.0.2.2:2380', port: 2379 },
    ]);
    expect(etcd).toMatchObject({ id: 'etcd', user: 'pgduet', ca: certificate });
    expect(etcd?.prefix).toMatch(/^\/pgduet\/inst1\/[0-9a-f]{16}\/$/);
    expect([String(etcd?.password), etcd?.password.reveal()]).toEqual(['(secret)', 'of etcd alone']);
    // Another cluster of this name has other keys.
    write('cluster.key', `${'cd'.repeat(32)}\n`);
    expect(loadConfiguration(dir, 'server1').etcd?.prefix).not.toBe(etcd?.prefix);
    // A key that was renewed leaves the cell its name.
    write('etcd.cell', `${clusterMark(new Secret('ab'.repeat(32)))}\n`);
    expect(loadConfiguration(dir, 'server1').etcd?.prefix).toBe(etcd?.prefix);
    write('etcd.cell', '../other\n');
    expect(() => loadConfiguration(dir, 'server1')).toThrow(/MCF007 .*etcd\.cell names no cell/);
  });

  it('refuses an etcd that could not be told from another one, and one besides an arbiter or under the name of a server', () => {
    good();
    const etcd = "etcd_endpoints = 'https://192.0.2.1:2379'\netcd_user = 'a'\netcd_prefix = '/a/'\n";
    const said = (): string => {
      try {
        loadConfiguration(dir, 'server1');
      } catch (error) {
        return String(error).replaceAll(dir, 'DIR');
      }
      return '';
    };
    write('server1.conf', `db_instance = '${dir}/none'\n${etcd}`);
    write('etcd.password', '\n');
    write('etcd-ca.pem', 'no certificate\n');
    expect(said()).toMatch(
      /MCF007 DIR\/etcd.password holds no password.*MCF007 DIR\/etcd-ca.pem holds no cert/,
    );
    write('etcd.password', 'a\n', 0o640);
    write('etcd-ca.pem', certificate);
    expect(said()).toMatch(/MCF002 DIR\/etcd.password is open to others/);
    write('etcd.password', 'a\n');
    write('network.conf', 'server1 127.0.0.1 1\netcd 127.0.0.1 2\narb1 127.0.0.1 3 arbiter\n');
    expect(said()).toMatch(/MCF008 network.conf names the arbiter 'arb1'.*MCF008 a server is called 'etcd'/);
  });

  it('names all mistakes of all files at once', () => {
    good();
    write('network.conf', 'server2 127.0.0.1 27540\n');
    write('server1.conf', 'nonsense\n');
    write('cluster.key', 'short\n', 0o644);
    let seen = '';
    try {
      loadConfiguration(dir, 'server1');
    } catch (error) {
      seen = String(error).replaceAll(dir, 'DIR');
    }
    expect(seen).toMatch(
      /MCF003.*MCF007.*MCF002 DIR\/cluster.key is open to others.*MCF010 network.conf does not name/,
    );
  });

  it('wide modes and absent files are refused', () => {
    write('a', 'x', 0o604);
    expect(readPrivate(join(dir, 'a'))).toMatchObject({ ok: false, diagnostics: [{ code: 'MCF002' }] });
    expect(readPrivate(join(dir, 'b'))).toMatchObject({ ok: false, diagnostics: [{ code: 'MCF001' }] });
    good();
    chmodSync(dir, 0o777);
    expect(() => loadConfiguration(dir, 'server1')).toThrow(/can be written by others/);
  });
});

describe('the state file', () => {
  const failover = { enabled: false, changedAtWall: 5 };
  const state = recorded({ timeline: 3, failover, degraded: 'switched', wroteWall: 7 });

  it('comes back as it was', () => {
    expect(readState(dir, 'server1')).toEqual({ state: null, torn: false });
    writeState(dir, 'server1', state);
    expect(readState(dir, 'server1')).toEqual({ state, torn: false });
  });

  it('is not believed when it is torn or changed at any byte', () => {
    writeState(dir, 'server1', state);
    const path = join(dir, 'server1.state.json');
    const whole = readFileSync(path, 'utf8');
    for (const text of [whole.slice(0, 50), '', whole.replace('"timeline":3', '"timeline":4'), 'null']) {
      writeFileSync(path, text);
      expect(readState(dir, 'server1')).toEqual({ state: null, torn: true });
      expect(existsSync(path)).toBe(false);
    }
    // No new one could be written: the next start must not take this for a first one.
    expect(readState(dir, 'server1')).toEqual({ state: null, torn: true });
    writeState(dir, 'server1', state);
    expect(readState(dir, 'server1')).toEqual({ state, torn: false });
  });
});

describe('the state file of a newer controller', () => {
  const path = (): string => join(dir, 'server1.state.json');
  const later = { format: 2, version: '9.1.0', checksum: 'another kind', state: { all: 'new' } };

  it('is not taken for torn: the controller does not start, and says what to do', () => {
    writeFileSync(path(), JSON.stringify(later));
    expect(() => readState(dir, 'server1')).toThrow(
      /MCF014 .*server1.state.json was written by a newer controller \(9.1.0, format 2\)/,
    );
    expect([existsSync(path()), existsSync(`${path()}.torn`)]).toEqual([true, false]);
  });

  it('also when it does not say its version', () => {
    writeFileSync(path(), JSON.stringify({ ...later, version: undefined }));
    expect(() => readState(dir, 'server1')).toThrow(/of unknown version, format 2/);
  });
});

describe('the lock', () => {
  it('is held by one process and freed by it', () => {
    const lock = takeLock(dir, 'server1');
    expect(lock.kind).toBe('taken');
    expect(takeLock(dir, 'server1')).toMatchObject({ kind: 'held', by: { pid: process.pid } });
    expect(takeLock(dir, 'server2').kind).toBe('taken');
    if (lock.kind === 'taken') lock.release();
    expect(lockHolder(dir, 'server1')).toBeUndefined();
  });

  it('of a process that is gone, or whose number was given away, holds nothing', () => {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    for (const stale of [
      `999999999\n1\n${boot}\n`,
      `${process.pid}\n1\n${boot}\n`,
      `${process.pid}\n1\nother\n`,
      '',
    ]) {
      write('server1.pid', stale);
      const lock = takeLock(dir, 'server1');
      expect(lock.kind).toBe('taken');
      if (lock.kind === 'taken') lock.release();
    }
  });
});

describe('the lock of a process that sees another boot id, as a unit in a container does', () => {
  it.skipIf(process.getuid?.() !== 0)('is held', async () => {
    write('boot', 'the-boot-of-the-container\n');
    const mount = 'mount --bind "$1" /proc/sys/kernel/random/boot_id && echo mounted && exec sleep 60';
    const child = spawn('unshare', ['-m', 'sh', '-c', mount, 'sh', join(dir, 'boot')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise((resolve) => child.on('exit', resolve));
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const ticks = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19];
    write('server1.pid', `${child.pid}\n${ticks}\nthe-boot-of-the-container\n1\nv18\n`);
    expect(lockHolder(dir, 'server1')).toMatchObject({ pid: child.pid });
    expect(takeLock(dir, 'server1').kind).toBe('held');
    child.kill();
    await ended;
    expect(lockHolder(dir, 'server1')).toBeUndefined();
  });
});

describe('a postmaster whose disk has failed', () => {
  it('is known by its number as long as it works there', async () => {
    const child = spawn('sleep', ['60'], { cwd: dir });
    const ended = new Promise((resolve) => child.on('exit', resolve));
    const file = join(dir, 'postmaster.pid');
    writeFileSync(file, `${child.pid}\n${dir}\n1700000000\n27500\n/tmp\n*\n\nready\n`);
    expect(await findPostmaster(dir)).toMatchObject({ pid: child.pid, port: 27500 });
    // A directory in place of the file gives an error that is not "no such file", as a broken disk does.
    rmSync(file);
    mkdirSync(file);
    expect(await findPostmaster(dir)).toMatchObject({ pid: child.pid });
    child.kill();
    await ended;
    expect(await findPostmaster(dir)).toBeNull();
  });
});

describe('a postmaster whose disk stalls', () => {
  it('is known by its number, and can be stopped', async () => {
    const child = spawn('sleep', ['60'], { cwd: dir });
    const ended = new Promise((resolve) => child.on('exit', resolve));
    const file = join(dir, 'postmaster.pid');
    writeFileSync(file, `${child.pid}\n${dir}\n1700000000\n27500\n/tmp\n*\n\nready\n`);
    expect(await findPostmaster(dir)).toMatchObject({ pid: child.pid, port: 27500 });
    // Whoever opens a FIFO waits for a writer, as for a disk that neither answers nor fails.
    rmSync(file);
    execFileSync('mkfifo', [file]);
    try {
      const seen = await Promise.all(Array.from({ length: 8 }, () => findPostmaster(dir)));
      expect(seen.map((it) => it?.pid)).toEqual(Array.from({ length: 8 }, () => child.pid));
      expect(await new Instance(dir, join(dir, 'log')).stop('immediate')).toBeNull();
      await ended;
      expect(await findPostmaster(dir)).toBeNull();
    } finally {
      child.kill('SIGKILL');
      writeFileSync(file, '');
    }
  });
});

describe('a server process that has outlived its postmaster', () => {
  it('is ended by a stop, also where it stands still; another program that works there is not', async () => {
    const program = join(dir, 'postgres');
    copyFileSync('/bin/sleep', program);
    const orphan = spawn(program, ['60'], { cwd: dir });
    const shell = spawn('sleep', ['60'], { cwd: dir });
    const ended = new Promise((resolve) => orphan.on('exit', (_, signal) => resolve(signal)));
    const left = new Promise((resolve) => shell.on('exit', (_, signal) => resolve(signal)));
    await expect.poll(() => processesIn(dir)).toEqual([orphan.pid]);
    orphan.kill('SIGSTOP');
    try {
      expect(await new Instance(dir, join(dir, 'log')).stop('immediate')).toBeNull();
      expect(await processesIn(dir)).toEqual([]);
    } finally {
      orphan.kill('SIGKILL');
      shell.kill('SIGTERM');
    }
    expect([await ended, await left]).toEqual(['SIGKILL', 'SIGTERM']);
  });
});

describe('a lock file that a crash or a power cut has left', () => {
  const rest = '/data\n1700000000\n27500\n/tmp\n*\n  1 2\nready\n';
  const lock = '.s.PGSQL.27500.lock';
  const nobody = '2147483647';

  it('names nobody where its number is that of a process that works elsewhere, or of none yet', async () => {
    // The last one is a thread, which has no entry in the list of processes.
    const thread = readdirSync('/proc/self/task').find((id) => id !== String(process.pid));
    for (const pid of [String(process.ppid), '1', '4194303', '-7', String(thread)]) {
      write('postmaster.pid', `${pid}\n${rest}`);
      await passLockFile(dir);
      expect(readFileSync(join(dir, 'postmaster.pid'), 'utf8')).toBe(`${nobody}\n${rest}`);
    }
  });

  it('stays where its process works in the data directory, or where it has no number', async () => {
    const server = spawn('sleep', ['60'], { cwd: dir });
    const ended = new Promise((resolve) => server.on('exit', resolve));
    for (const pid of [String(server.pid), `-${server.pid}`, '']) {
      write('postmaster.pid', `${pid}\n${rest}`);
      write(lock, `${pid || server.pid}\n${dir}\n`);
      await passLockFile(dir);
      await removeSocketLocks(dir, '27500', dir);
      expect(readFileSync(join(dir, 'postmaster.pid'), 'utf8')).toBe(`${pid}\n${rest}`);
      expect(existsSync(join(dir, lock))).toBe(true);
    }
    server.kill();
    await ended;
    rmSync(join(dir, 'postmaster.pid'));
    await passLockFile(dir);
    expect(existsSync(join(dir, 'postmaster.pid'))).toBe(false);
  });

  it('of a socket goes, in each directory of sockets, but not that of another server', async () => {
    const other = join(dir, 'other');
    mkdirSync(other);
    symlinkSync(dir, join(other, 'same'));
    write(lock, `${process.ppid}\n${join(other, 'same')}\n`);
    write(`other/${lock}`, `4194303\n${dir}\n`);
    await removeSocketLocks(dir, '27500', `${dir}, other`);
    expect([existsSync(join(dir, lock)), existsSync(join(other, lock))]).toEqual([false, false]);
    for (const text of [`${process.ppid}\n${other}\n`, `${process.ppid}\n/gone\n`, '']) {
      write(lock, text);
      await removeSocketLocks(dir, '27500', dir);
      expect(readFileSync(join(dir, lock), 'utf8')).toBe(text);
    }
  });

  it('of a socket that is something else is not opened', async () => {
    execFileSync('mkfifo', [join(dir, lock)]);
    await removeSocketLocks(dir, '27500', dir);
    expect(existsSync(join(dir, lock))).toBe(true);
  });
});

describe('small readers', () => {
  it('primary_conninfo: hosts and ports, lists, quotes, sockets', () => {
    expect(addressesOf("host=db1 port=5433 password='it\\'s'")).toEqual([{ host: 'db1', port: 5433 }]);
    expect(addressesOf("host='db1,db2' port='1,2'")).toEqual([
      { host: 'db1', port: 1 },
      { host: 'db2', port: 2 },
    ]);
    expect(addressesOf('host=db1 hostaddr=192.0.2.1')).toEqual([{ host: '192.0.2.1', port: 5432 }]);
    write('postgresql.conf', "primary_conninfo = 'host=old'\n");
    write('postgresql.auto.conf', "primary_conninfo = 'host=new port=27500'\n");
    expect(primaryAddresses(dir)).toEqual([{ host: 'new', port: 27500 }]);
  });

  it('a postmaster.pid of a process that is no postmaster of that directory is not believed', async () => {
    expect(await findPostmaster(dir)).toBeNull();
    write('postmaster.pid', `${process.pid}\n${dir}\n1700000000\n27500\n/run\n\n  1 2\nready   \n`);
    expect(await findPostmaster(dir)).toBeNull();
    write('postmaster.pid', '1\n');
    expect(await findPostmaster(dir)).toBeNull();
  });

  it('versions and program directories', () => {
    expect(
      ['15', '15.18\n', 'postgres (PostgreSQL) 17.2 (Debian 17.2-1)', '18beta1', 'x'].map(majorVersion),
    ).toEqual([15, 15, 17, 18, undefined]);
    expect(binDirCandidates(15, '/opt/pg/bin:relative')).toContain('/opt/pg/bin');
    expect(binDirCandidates(15, '/opt/pg/bin:relative')[0]).toBe('/usr/lib/postgresql/15/bin');
  });

  it('frames come in any pieces; too long or not JSON ends it', () => {
    const seen: unknown[] = [];
    const read = frameReader(
      (value) => seen.push(value),
      (why) => seen.push(why),
    );
    for (const byte of Buffer.from('{"a":"ä"}\n{"b":2}\nno\n{"c":3}\n')) read(Buffer.from([byte]));
    expect(seen).toEqual([{ a: 'ä' }, { b: 2 }, 'a message is not JSON']);
    const long: unknown[] = [];
    const readLong = frameReader(
      (value) => long.push(value),
      (why) => long.push(why),
    );
    for (let sent = 0; sent <= longestFrame; sent += 1000) readLong(Buffer.alloc(1000, 0x20));
    expect(long).toEqual(['a message is too long']);
  });
});
