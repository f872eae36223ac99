/** What a primary keeps for a standby that is away, in numbers and words; and the query, as a real server answers it. */
import { describe, expect, it } from 'vitest';
import { type KeptWal, keptFor, keptWords } from '../../src/postgres/kept-wal.ts';

const MB = 1024 ** 2;
const seen: KeptWal = { walPerSecond: null, walKept: 1024 * MB, slotLimit: -1, slots: {} };
const about = { primary: 'server1', standby: 'server2', expectedMs: 7_200_000 };
const bySlot = { server2: 'old' };

describe('what is kept', () => {
  it.each<[Partial<KeptWal>, number]>([
    [{}, 1024 * MB],
    [{ slots: { server3: 'old' } }, 1024 * MB],
    [{ slots: bySlot }, Number.POSITIVE_INFINITY],
    [{ slots: bySlot, slotLimit: 64 * MB }, 1024 * MB],
    [{ slots: bySlot, slotLimit: 2048 * MB }, 2048 * MB],
  ])('%j: %d', (more, bytes) => expect(keptFor({ ...seen, ...more }, 'server2')).toBe(bytes));
});

describe('what is said of it before a server is taken out', () => {
  const said = (more: Partial<KeptWal>, room?: number): string =>
    keptWords({ ...seen, ...more }, { ...about, ...(room === undefined ? {} : { room }) }).join('\n');

  it('without a rate: how much, and what comes behind it', () =>
    expect(said({})).toBe(
      'server1 keeps 1.0 GB of WAL for it (wal_keep_size); where it lacks more at the end, it has to be copied anew (pgduet rebuild server2)',
    ));

  it('with a rate: for how long, and whether that is enough', () => {
    expect(said({ walPerSecond: 0.1 * MB })).toContain(
      'enough for 170 min 40 s at the present rate (360 MB of WAL are written in an hour)',
    );
    expect(said({ walPerSecond: 0.1 * MB })).not.toContain('not enough');
    expect(said({ walPerSecond: MB })).toContain(
      'that is not enough for the 120 min 0 s that are expected: raise wal_keep_size before',
    );
    expect(said({ walPerSecond: 0 })).not.toContain('rate');
  });

  it('with a slot without a limit: the disk, and what a full one does', () => {
    expect(said({ slots: bySlot })).toBe(
      "the slot 'old' keeps all WAL that server2 lacks on server1, without a limit; a full disk stops server1",
    );
    expect(said({ slots: bySlot, walPerSecond: MB }, 600 * MB)).toContain(
      ': 600 MB are free there, enough for 10 min 0 s at the present rate',
    );
  });

  it('with a slot that has a limit: which one', () => {
    const limited = said({ slots: bySlot, slotLimit: 2048 * MB, walPerSecond: MB });
    expect(limited).toContain("server1 keeps 2.0 GB of WAL for it (its slot 'old', max_slot_wal_keep_size)");
    expect(limited).toContain('raise max_slot_wal_keep_size before');
  });
});
