/** Files that the controller replaces: on a disk with too little room, on a broken one, with the access of the old file. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { serverConf } from '../../src/controller/config.ts';
import { isStandby } from '../../src/controller/io/instance.ts';
import { takeLock } from '../../src/controller/io/lock.ts';
import { readState, writeState, writeStatus } from '../../src/controller/io/state-file.ts';
import { follow, namedStandbys } from '../../src/controller/io/switchover.ts';
import { isThere, readIfThere, writeAtomic } from '../../src/controller/io/whole-file.ts';

const root = process.getuid?.() === 0;
let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'mc-whole-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const path = (name = 'postgresql.conf'): string => join(dir, name);
const large = 'x'.repeat(30_000);

/** What stands in a directory, with the first characters of each file. */
const standing = (where: string): string[] =>
  readdirSync(where)
    .map((name) => `${name}: ${readFileSync(join(where, name), 'latin1').slice(0, 8)}`)
    .sort();

describe('a write(2) that takes a part', () => {
  it('at the largest size of a file that the process may write: the old file stays, and nothing beside it', async () => {
    const child = path('child.cjs');
    const from = new URL('../../src/controller/io/whole-file.ts', import.meta.url).pathname;
    // The limit takes a part of the first write and refuses the next, as a disk does that is almost full.
    const code = `import { writeAtomic } from ${JSON.stringify(from)};
process.on('SIGXFSZ', () => undefined);
writeAtomic(process.argv[2], 'postgresql.conf', 'x'.repeat(30_000));`;
    const entry = { contents: code, resolveDir: dir, loader: 'ts' } as const;
    await build({ stdin: entry, bundle: true, platform: 'node', outfile: child, logLevel: 'error' });
    const data = path('data');
    mkdirSync(data);
    writeFileSync(join(data, 'postgresql.conf'), 'port = 1');
    const limited = (blocks: number) =>
      spawnSync('sh', ['-c', `ulimit -f ${blocks}; exec "$@"`, 'sh', process.execPath, child, data], {
        encoding: 'utf8',
      });
    const ended = limited(8);
    expect([ended.status, ended.stderr]).toEqual([1, expect.stringContaining('EFBIG')]);
    expect(standing(data)).toEqual(['postgresql.conf: port = 1']);
    expect(limited(10_000)).toMatchObject({ status: 0, stderr: '' });
    expect(readFileSync(join(data, 'postgresql.conf'), 'utf8')).toBe(large);
  });
});

describe('a full disk', () => {
  const state = { role: 'primary', timeline: 3 } as Parameters<typeof writeState>[2];
  let small = '';
  beforeEach(() => {
    if (!root) return;
    small = path('small');
    mkdirSync(small);
    const options = ['-t', 'tmpfs', '-o', 'size=32k', 'tmpfs', small];
    expect(spawnSync('mount', options).status).toBe(0);
  });
  afterEach(() => {
    if (root) spawnSync('umount', [small]);
  });

  it.skipIf(!root)('leaves every file as it was, and nothing beside it', () => {
    writeFileSync(join(small, 'postgresql.conf'), 'port = 1');
    writeState(small, 'a', state);
    writeStatus(small, 'a', { status: 'old' });
    const before = standing(small);
    for (let number = 0; number < 5; number += 1) {
      const write = (content: string) => () => writeAtomic(small, 'postgresql.conf', content);
      expect(write(large)).toThrow(/ENOSPC/);
    }
    expect(() => writeStatus(small, 'a', { status: large })).toThrow(/ENOSPC/);
    const wide = { ...state, systemId: large };
    expect(() => writeState(small, 'a', wide)).toThrow(/ENOSPC/);
    expect(standing(small)).toEqual(before);
    expect(readState(small, 'a')).toEqual({ state, torn: false });
    // With less room than a lock takes, nobody has it.
    const full = () => writeFileSync(join(small, 'room'), large, { flag: 'a' });
    expect(full).toThrow(/ENOSPC/);
    expect(() => takeLock(small, 'a')).toThrow(/ENOSPC/);
    rmSync(join(small, 'room'));
    expect(standing(small)).toEqual(before);
  });
});

describe('what a failure leaves', () => {
  it('is the old file where the new one cannot take its place', () => {
    mkdirSync(path());
    writeFileSync(join(path(), 'inside'), '');
    expect(() => writeAtomic(dir, 'postgresql.conf', 'new')).toThrow(/EISDIR|ENOTEMPTY|EEXIST/);
    expect(readdirSync(dir)).toEqual(['postgresql.conf']);
  });

  it('beside it goes with the next write, when the process was killed', () => {
    writeFileSync(path('.postgresql.conf.controller.pgduet-tmp'), 'half', { mode: 0o644 });
    writeAtomic(dir, 'postgresql.conf', 'whole');
    expect(standing(dir)).toEqual(['postgresql.conf: whole']);
    expect(statSync(path()).mode & 0o777).toBe(0o600);
  });

  it('is the old file where it is no longer the one that was read', () => {
    writeFileSync(path(), 'older');
    writeAtomic(dir, 'postgresql.conf', 'newer', { still: () => false });
    expect(standing(dir)).toEqual(['postgresql.conf: older']);
  });
});

describe('a file that is replaced', () => {
  it("keeps its mode; a new one is its owner's alone", () => {
    for (const mode of [0o644, 0o640, 0o600]) {
      writeFileSync(path(), 'old');
      chmodSync(path(), mode);
      const umask = process.umask(0o077);
      writeAtomic(dir, 'postgresql.conf', 'new');
      process.umask(umask);
      expect([statSync(path()).mode & 0o7777, readFileSync(path(), 'utf8')]).toEqual([mode, 'new']);
    }
    writeAtomic(dir, 'standby.signal', '');
    expect(statSync(path('standby.signal')).mode & 0o7777).toBe(0o600);
  });

  it.skipIf(!root)('keeps its owner and group', () => {
    writeFileSync(path(), 'old');
    chownSync(path(), 4711, 4712);
    chmodSync(path(), 0o640);
    writeAtomic(dir, 'postgresql.conf', 'new');
    expect(statSync(path())).toMatchObject({ uid: 4711, gid: 4712, mode: 0o100640 });
  });

  it.skipIf(!root)(
    'of another user, written by one who is not root, gives no new group what the old one had',
    () => {
      chmodSync(dir, 0o777);
      writeFileSync(path(), 'old');
      chownSync(path(), 4711, 4712);
      chmodSync(path(), 0o644);
      process.seteuid?.(4713);
      try {
        writeAtomic(dir, 'postgresql.conf', 'new');
      } finally {
        process.seteuid?.(0);
      }
      expect(statSync(path())).toMatchObject({ uid: 4713, mode: 0o100604 });
    },
  );
});

describe('a former primary that is told to follow', () => {
  const conf = () => serverConf({ dbInstance: dir });
  const to = { host: '192.0.2.1', port: 27500 };
  const follows = (name: string): boolean =>
    readFileSync(path(name), 'utf8')
      .split('\n')
      .some((line) => /^primary_conninfo.*192\.0\.2\.1/.test(line));

  it('is a standby by its last file: interrupted at any of them, it is no standby yet, and the next time it is', async () => {
    for (const stop of ['postgresql.conf', 'postgresql.auto.conf', 'standby.signal']) {
      writeFileSync(path(), "port = 27500\nsynchronous_standby_names = 'server2'\n");
      writeFileSync(
        path('postgresql.auto.conf'),
        "primary_conninfo = 'host=192.0.2.9 user=repl'\nwork_mem = '8MB'\n",
      );
      // A directory in the place of the file that is written first cannot be removed as a file can.
      mkdirSync(path(`.${stop}.controller.pgduet-tmp`));
      await expect(follow(conf(), 'server1', to)).rejects.toThrow(/EISDIR|directory/);
      expect([stop, isStandby(dir), follows('postgresql.conf')]).toEqual([
        stop,
        false,
        stop === 'standby.signal',
      ]);
      expect(readFileSync(path(), 'utf8')).toContain('port = 27500\n');
      rmSync(path(`.${stop}.controller.pgduet-tmp`), { recursive: true });
      await follow(conf(), 'server1', to);
      expect([stop, isStandby(dir), follows('postgresql.conf')]).toEqual([stop, true, true]);
      expect(readFileSync(path('postgresql.auto.conf'), 'utf8')).toBe("work_mem = '8MB'\n");
      rmSync(path('standby.signal'));
    }
  });

  it('whose postgresql.conf was emptied is not made one with nothing but the lines of replication', async () => {
    for (const text of [undefined, '', '\n']) {
      if (text !== undefined) writeFileSync(path(), text);
      await expect(follow(conf(), 'server1', to)).rejects.toThrow('is empty or missing: restore it');
      expect(isStandby(dir)).toBe(false);
    }
  });
});

describe('what cannot be looked at', () => {
  /** A link in a circle is there, and nobody can read it: an error that is not "no such file", as a broken disk gives one. */
  const circle = (name: string): void => symlinkSync(name, path(name));

  it('is an error, and never taken for absent', () => {
    for (const name of ['standby.signal', 'postgresql.conf', 'a.state.json', 'a.pid']) circle(name);
    expect(() => isThere(path())).toThrow(/ELOOP/);
    expect(() => readIfThere(path())).toThrow(/ELOOP/);
    expect(() => isStandby(dir)).toThrow(/ELOOP/);
    expect(() => namedStandbys(dir)).toThrow(/ELOOP/);
    expect(() => readState(dir, 'a')).toThrow(/ELOOP/);
    expect([isThere(path('none')), readIfThere(path('none'))]).toEqual([false, undefined]);
  });
});
