/** From where an instance is started, and what it is given besides: what is declared counts, and half of it is none. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
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
});
