/** Why a server did not start, where its own log says so and nothing else does; and nothing of what stands in that log already. */
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { markServerLog, serverLogSince } from '../../src/controller/io/server-log.ts';
import { cannotRun, RealServer } from '../postgres/real-server.ts';

describe.skipIf(cannotRun !== undefined)('a server with the logging collector', () => {
  const server = new RealServer();
  afterAll(() => server.stop());

  it('that does not start has said why in its log', async () => {
    const settings = ['logging_collector = on', "log_directory = 'my log'", "lc_messages = 'C'"];
    const rules = { 'pg_hba.conf': 'host  my db  app  10.0.0.0/8  scram-sha-256\n' };
    const first = await markServerLog(server.data);
    await expect(server.start(settings, rules)).rejects.toThrow(/redirecting|could not start/);
    const [told = ''] = await serverLogSince(server.data, first);
    expect(told).toContain('could not load');
    expect(told).toContain('line 1 of configuration file');
    expect(told).toContain(join(server.data, 'my log'));
    // Nothing has come since: what stands there is of an earlier start.
    expect(await serverLogSince(server.data, await markServerLog(server.data))).toEqual([]);
  });
});

describe('the end of a log', () => {
  const dir = mkdtempSync(join(tmpdir(), 'mc-log-'));
  afterAll(() => rmSync(dir, { recursive: true }));
  const place = (name: string) => join(dir, name);
  const name = (text: string) => writeFileSync(place('current_logfiles'), text);
  const never = { atMs: 0, bytes: 0 };

  it('is nothing where no collector has run, or its file has gone', async () => {
    expect(await serverLogSince(place('none'), never)).toEqual([]);
    name('stderr log/gone.log\n');
    expect(await serverLogSince(dir, never)).toEqual([]);
  });

  it('is short, and that of the form that people read', async () => {
    writeFileSync(place('long'), `${'x'.repeat(100_000)}\nlast\n`);
    name('csvlog other\nstderr long\n');
    const [told = ''] = await serverLogSince(dir, never);
    expect(told.length).toBeLessThan(1200);
    writeFileSync(place('short'), 'one\ntwo\n');
    name('jsonlog short\n');
    expect(await serverLogSince(dir, never)).toEqual([`one | two (${place('short')})`]);
  });

  it('has nothing of what clients have said before', async () => {
    writeFileSync(place('log'), "STATEMENT:  ALTER ROLE app PASSWORD 'canary'\n");
    name('stderr log\n');
    const mark = await markServerLog(dir);
    appendFileSync(place('log'), 'FATAL:  no\n');
    expect(await serverLogSince(dir, mark)).toEqual([`FATAL:  no (${place('log')})`]);
    // Made in the very millisecond of the mark.
    expect(await serverLogSince(dir, { ...mark, atMs: 0 })).toEqual([`FATAL:  no (${place('log')})`]);
    // Another file that was there before: how much of it is new is not known.
    name('stderr short\n');
    expect(await serverLogSince(dir, mark)).toEqual([]);
    // Cut, and begun anew.
    name('stderr log\n');
    writeFileSync(place('log'), 'FATAL:  2\n');
    expect(await serverLogSince(dir, mark)).toEqual([`FATAL:  2 (${place('log')})`]);
  });
});
