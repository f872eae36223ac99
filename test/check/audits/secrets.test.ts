/** The age of the secrets by the times of their files, and a renewal that was left unfinished. */
import { describe, expect, it } from 'vitest';
import { secretDates, secretsAudit } from '../../../src/check/audits/secrets.ts';
import { reply, tell } from './context.ts';

const day = 86_400;
const now = 1_795_000_000;
const shows = (key: string | number, password: string | number, renewal: string | number = '-') =>
  reply(null, { stdout: `${now} ${key} ${password} ${renewal}\n` });

describe('the secrets of a cluster', () => {
  it('are no finding as long as they are young', () => {
    const young = shows(now - 364 * day, now - 10);
    expect(tell(secretsAudit, { server1: young, server2: young })).toEqual([]);
  });

  it('are as old as the earliest of their files, and a note from a year on', () => {
    const seen = { server1: shows(now - 3, now - 400 * day), server2: shows(now - 366 * day, now - 5) };
    expect(tell(secretsAudit, seen)).toEqual([
      {
        code: 'SEC001',
        host: null,
        object: 'cluster key',
        declared: 'renewed within 365 days',
        found: 'at least 366 days old',
        since: now - 366 * day,
      },
      expect.objectContaining({ object: 'replication password', found: 'at least 400 days old' }),
    ]);
  });

  it('are not told of where there are none', () => {
    expect(tell(secretsAudit, { server1: shows('-', '-'), server2: shows('-', '-') })).toEqual([]);
    expect(secretDates(new Map())).toEqual({ key: null, password: null });
  });

  it('are told as half renewed, with who accepts the old ones and since when', () => {
    const seen = { server1: shows(now, now), server2: shows(now, now, now - 60) };
    expect(tell(secretsAudit, seen)).toMatchObject([
      { code: 'SEC002', host: null, found: 'server2 accepts the old values still', since: now - 60 },
    ]);
    const both = { server1: shows(now, now, now - 90), server2: shows(now, now, now - 60) };
    expect(tell(secretsAudit, both)).toMatchObject([
      { found: 'server1, server2 accept the old values still', since: now - 90 },
    ]);
  });

  it('are unknown where nobody may look, or the answer is none', () => {
    const server = {} as Parameters<typeof secretsAudit.read>[1];
    const read = (stdout: string, stderr = '') => secretsAudit.read(reply(null, { stdout, stderr }), server);
    expect(read('closed /mcdir\n')).toMatchObject({
      state: 'unknown',
      reason: expect.stringContaining('/mcdir'),
    });
    expect(read('1 2 x -\n', 'Input/output error')).toMatchObject({
      state: 'unknown',
      reason: 'Input/output error',
    });
    expect(read('')).toMatchObject({ state: 'unknown' });
  });
});
