/** A session of ours on a server whose administrator has set for all others what would end or refuse it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { administration, unlogged } from '../../src/postgres/session.ts';
import { cannotRun, owner, RealServer } from './real-server.ts';

const hindrances = ['default_transaction_read_only = on', 'statement_timeout = 1', 'lock_timeout = 1'];

describe.skipIf(cannotRun !== undefined)('a session that changes something', () => {
  const server = new RealServer();
  beforeAll(() => server.start());
  afterAll(() => server.stop());

  it.each([
    ['the server', (setting: string) => [`alter system set ${setting}`, 'select pg_reload_conf()']],
    ['its role', (setting: string) => [`alter role ${owner} set ${setting}`]],
    ['its database', (setting: string) => [`alter database postgres set ${setting}`]],
  ])('goes on whatever is set for %s', async (what, statements) => {
    const own = (text: string) => server.sql(text, administration);
    // Each statement by itself: the settings that came before hold for it already.
    for (const setting of hindrances) for (const text of statements(setting)) own(text);
    const role = `role_of_${what.replace(' ', '_')}`;
    // A reload takes its time.
    const said = () => server.refusal('create schema if not exists of_others');
    await expect.poll(said).toMatch(/read-only transaction|statement timeout/);
    own(`select pg_sleep(0.05); create role ${role}`);
    expect(own(`select count(*) from pg_roles where rolname = '${role}'`)).toBe('1');
  });
});

describe.skipIf(cannotRun !== undefined)('a statement that holds a verifier', () => {
  const server = new RealServer();
  const loud = [
    "log_statement = 'all'",
    'log_min_duration_sample = 0',
    'log_statement_sample_rate = 1',
    'log_transaction_sample_rate = 1',
    "log_min_error_statement = 'error'",
  ];
  beforeAll(() => server.start(loud));
  afterAll(() => server.stop());

  it('is in no statement log, also where statements are sampled, or fail', () => {
    server.sql("select 'heard'");
    const place = ['-h', server.dir, '-p', String(server.port), '-d', 'postgres'];
    // Each of them is a message of its own, as behind a pipe.
    const inTurn = [unlogged, "select 'canary-1'", "select 'canary-2' from nowhere"];
    expect(() => server.run('psql', '-X', ...place, ...inTurn.flatMap((text) => ['-c', text]))).toThrow();
    const log = readFileSync(join(server.dir, 'log'), 'utf8');
    expect(log).toContain('heard');
    expect(log.match(/canary-\d/g) ?? []).toEqual([]);
  });
});
