/** What log_filename names: the table for a value that is known here, and the program for one that a host reads from its files, say the same. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { logNames, namesOfLog, usualLog } from '../../src/postgres/log-names.ts';

const values = [
  'postgresql-%a.log',
  'postgresql-%Y-%m-%d_%H%M%S.log',
  'x %A %B %e [1] (a|b) {2} ^$+?* %T.log',
  'server.log',
  'server_log.%j',
  'a\\b.log',
  '%a.log',
  '%Y-%m-%d.log',
  'pg-%Q.log',
  'pg-%%.log',
  'dir/pg-%a.log',
  'pg-%',
  '',
];

describe('the names of a log', () => {
  it.each(values)('are the same for a shell: %j', (value) => {
    const { stdout } = spawnSync('sed', ['-E', logNames], { input: `${value}\n`, encoding: 'utf8' });
    expect(namesOfLog(value) ?? '').toBe(stdout.trimEnd());
  });

  it.each([
    ['postgresql-%a.log', 'postgresql-Mon.csv'],
    ['server_log.%j', 'server_log.001.json'],
    ['x %e [1].log', 'x  7 [1].log'],
  ])('%j names %j', (value, name) => expect(new RegExp(`^(${namesOfLog(value)})$`).test(name)).toBe(true));

  it('hold the usual ones', () => {
    for (const name of [
      'postgresql-Mon.log',
      'postgresql-2026-11-29.log',
      'postgresql-2026-11-29_120000.json',
    ])
      expect(new RegExp(`^(${usualLog})$`).test(name)).toBe(true);
  });
});
