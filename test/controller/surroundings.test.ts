/** From where an instance is started, and what it is given besides: what is declared counts, and half of it is none. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { findServerProgram, Instance } from '../../src/controller/io/instance.ts';

const bin = '/usr/lib/postgresql/15/bin';

describe.skipIf(!existsSync(`${bin}/postgres`))('the surroundings of an instance', () => {
  const dir = mkdtempSync(join(tmpdir(), 'pgduet-surroundings-'));
  afterAll(() => rmSync(dir, { recursive: true }));
  const of = (version: string): string => {
    writeFileSync(join(dir, 'PG_VERSION'), `${version}\n`);
    return dir;
  };

  it('its programs come from the declared directory alone', async () => {
    expect(await findServerProgram(of('15'), bin)).toEqual({ path: `${bin}/postgres` });
    expect(await findServerProgram(of('15'), '/nowhere')).toEqual({
      why: 'PostgreSQL 15 is not in /nowhere (postgres_bin_dir)',
    });
    expect(await findServerProgram(of('14'), bin)).toEqual({
      why: `${bin}/postgres (postgres_bin_dir) is PostgreSQL 15, the data is of 14`,
    });
  });

  it('a file of its environment that cannot be understood is told, and nothing is started', async () => {
    const environmentFile = join(dir, 'environment');
    writeFileSync(environmentFile, 'A="1"\nB=$(date)\n');
    const instance = new Instance(of('15'), join(dir, 'log'), undefined, () => ({ environmentFile }));
    expect(await instance.start()).toBe(`${environmentFile} holds a line that is not NAME="value"`);
    expect(existsSync(join(dir, 'log'))).toBe(false);
  });

  describe('what has to be opened before a start', () => {
    const canary = 'canary-keystore-phrase';
    const calls = join(dir, 'calls');
    const unlock = (body: string): string => {
      const path = join(dir, 'unlock');
      writeFileSync(path, `#!/bin/sh\necho "$@" >> ${calls}; echo "$SECRET_OF_FILE" >> ${calls}\n${body}\n`);
      chmodSync(path, 0o755);
      return path;
    };
    const started = (body: string, limitMs = 60_000): Promise<string | null> => {
      const environmentFile = join(dir, 'environment');
      writeFileSync(environmentFile, 'SECRET_OF_FILE="of the file"\n');
      const line = `${unlock(body)} --from "two words"`;
      const surroundings = {
        binDir: bin,
        environmentFile,
        unlock: { line, told: ['server1', dir], limitMs },
      };
      return new Instance(of('15'), join(dir, 'log'), undefined, () => surroundings).start();
    };

    it('is told by its exit status alone where it cannot be, and nothing is started', async () => {
      const why = await started(`echo ${canary}; echo ${canary} >&2; exit 7`);
      expect(why).toContain('unlock_command, which has to come before each start, failed (exit status 7)');
      expect(why).not.toContain(canary);
      expect(existsSync(join(dir, 'log'))).toBe(false);
      expect(readFileSync(calls, 'utf8')).toBe(`--from two words server1 ${dir}\nof the file\n`);
    });

    it('has its time, and what it has started ends with it', async () => {
      const why = await started(`echo ${canary}; sleep 3600 & echo $! > ${dir}/child; wait`, 1000);
      expect(why).toContain('no answer within 1 s');
      const child = Number(readFileSync(join(dir, 'child'), 'utf8'));
      await vi.waitFor(() => expect(() => process.kill(child, 0)).toThrow('ESRCH'), 10_000);
      expect(existsSync(join(dir, 'log'))).toBe(false);
    });

    it('is opened before the server starts, whose end is told in its place', async () => {
      // The directory holds no cluster, or this test runs as root, which the server refuses: it ends by itself.
      const why = await started(`echo ${canary}`);
      expect(why).toMatch(/^postgres ended with exit status 1/);
      expect(why).not.toContain(canary);
      expect(readFileSync(join(dir, 'log'), 'utf8')).not.toContain(canary);
    });

    it('is not asked for where the data directory is not there, as while its volume is locked', async () => {
      const before = readFileSync(calls, 'utf8');
      const surroundings = { unlock: { line: unlock(''), told: [], limitMs: 1000 } };
      const away = new Instance(join(dir, 'away'), join(dir, 'log'), undefined, () => surroundings);
      expect(await away.start()).toContain('is its disk mounted?');
      expect(readFileSync(calls, 'utf8')).toBe(before);
    });
  });
});
