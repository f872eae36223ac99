/** The archiver: when it fails, and how far it is behind. */
import { describe, expect, it } from 'vitest';
import { archiver } from '../../../src/check/audits/archiver.ts';
import { reply, tell } from './context.ts';

const works = {
  recovery: false,
  mode: 'on',
  configured: true,
  failures: 3,
  failedWal: '000000010000000000000004',
  failedAt: 1000,
  archivedWal: '000000010000000000000004',
  archivedAt: 2000,
  reached: 0x5000000,
  segmentBytes: 16 * 1024 ** 2,
  place: '/database/inst1/postgresql.conf:9',
};
const shows = (more: object) => tell(archiver, { server1: reply({ ...works, ...more }) });

describe('an archiver', () => {
  it.each<[string, object]>([
    ['that has got over its failures', {}],
    ['that never failed', { failedAt: null }],
    ['that is off', { mode: 'off', failedAt: 3000 }],
    ['of a standby that archives nothing', { recovery: true, failedAt: 3000, configured: false }],
  ])('%s is nothing to tell', (_, more) => {
    expect(shows(more)).toEqual([]);
  });

  it('that fails says with what, how much is waiting, and since when', () => {
    expect(shows({ failedAt: 3000, failedWal: '000000010000000000000005', reached: 0x9000000 })).toEqual([
      {
        code: 'ARC001',
        host: 'server1',
        object: 'archiver',
        declared: 'archive_mode on',
        found: '3 failures, the last one with 000000010000000000000005; 64 MB of WAL are not archived',
        since: 2000,
        source: '/database/inst1/postgresql.conf:9',
      },
    ]);
  });

  it('that has never succeeded says so', () => {
    const [told] = shows({ failedAt: 3000, archivedAt: null, archivedWal: null });
    expect(told?.found).toMatch(/; nothing has been archived yet$/);
    expect(told).not.toHaveProperty('since');
  });

  it('that has archived a history file last does not know how much is waiting', () => {
    const [told] = shows({ failedAt: 2000.5, archivedWal: '00000002.history' });
    expect(told?.found).toBe('3 failures, the last one with 000000010000000000000004');
  });

  it('of a standby with archive_mode always is one like any other', () => {
    expect(shows({ recovery: true, mode: 'always', failedAt: 3000 })).toHaveLength(1);
  });

  it('without a command keeps every segment', () => {
    expect(shows({ configured: false })[0]?.found).toBe('archive_command is empty: every segment is kept');
  });
});
