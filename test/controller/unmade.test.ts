/** A server whose data is not there, or not finished: `mc_ctl` advises no start that cannot work, and a start says what makes the data. */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asOwner, cannotRun, Pair } from './support/pair.ts';

if (cannotRun !== undefined) {
  process.stderr.write(`test/controller/unmade.test.ts is skipped: ${cannotRun}\n`);
  if (process.env.CI) throw new Error(cannotRun);
}

describe.skipIf(cannotRun !== undefined)('a standby without data', () => {
  const pair = new Pair();
  const on2 = ['--local-server', 'server2'];
  const mark = join(pair.mcdir, 'server2.making');
  const say = (...words: string[]): string => {
    const { stdout, stderr } = pair.ctl(...words, ...on2);
    return `${stdout}${stderr}`;
  };
  beforeAll(async () => {
    await pair.create();
    expect(pair.ctl('start', '--local-server', 'server1').stderr).toBe('');
  });
  afterAll(() => pair.destroy());

  it('that a person has stopped', () => {
    const record = join(pair.mcdir, 'server2.stopped');
    writeFileSync(record, '2026-11-30T09:12:00Z anna@desk\n');
    const why = 'stopped with pgduet stop by anna@desk, 2026-11-30 09:12:00 UTC';
    for (const mode of ['status', 'switch'])
      expect(say(mode)).toContain(`is not running (${why}; when it may run again: pgduet start server2)`);
    rmSync(record);
  });

  it('that is being copied', async () => {
    writeFileSync(mark, 'copy\n');
    const unfinished = 'server2 is not finished, so that it cannot be started: run the same command again';
    expect(say('status')).toContain(`is not running (${unfinished} (pgduet rebuild,`);
    expect(say('start')).toContain(`the instance of server2 was not started: ${unfinished}`);
    const { advice } = await pair.until('server2', ({ reason }) => reason !== null);
    expect(advice).toContain(unfinished);
    expect(advice).not.toContain('on server2: mc_ctl start');
    rmSync(mark);
  });

  it('whose directory is empty, or gone', async () => {
    const data = pair.dataDir(2);
    renameSync(data, `${data}.away`);
    const none = 'server2 has no data (its directory is without PG_VERSION), so that it cannot be started';
    const advised = async () => (await pair.until('server2', ({ reason }) => reason !== null)).advice;
    expect(await advised()).toContain(none);
    asOwner('mkdir', ['-m', '700', data]);
    expect(say('start')).toContain(`the instance of server2 was not started: ${none}`);
    expect(await advised()).toContain(none);
    expect(await advised()).not.toContain('on server2: mc_ctl start');
    // What was there once is looked for by a person.
    writeFileSync(join(pair.mcdir, 'server2.system'), '7\n');
    expect(await advised()).toContain('on server2: mc_ctl start');
  });
});
