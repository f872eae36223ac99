/**
 * What everything has to keep that gives terms away: the judgement alone, the daemon, or another store. In: how one is made. Out: a
 * block of tests. Asked by two servers; an answer is `null` when there is none.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { attemptIn, outcomeOf } from '../../../src/controller/core/register.ts';
import type { ArbiterView, Cell, ServerView, SyncSet, Vote } from '../../../src/controller/core/view.ts';
import { view } from './conversation.ts';

export interface CellUnderTest {
  /** The server tells this, and is told that. */
  tell(view: ServerView): Promise<ArbiterView | null>;
  /** It ends without warning and comes back with its disk. */
  restart(): Promise<void>;
  /** It comes back with an empty disk. */
  loseMemory(): Promise<void>;
  /** For so long after its start, and after the last word of a primary, a standby gets no term from it. */
  readonly patienceMs: number;
  close(): Promise<void>;
}

const promised = (term: number, cells: SyncSet['cells']): SyncSet => ({
  ...{ primary: 'server1', timeline: 1, epoch: 1, members: [], eligible: [], voters: [], needed: 0 },
  ...{ term, cells },
});

type ServerName = 'server1' | 'server2';

/** A conversation of two servers with one cell. */
class Talk {
  readonly #cell: CellUnderTest;
  #seq = 0;
  #at: { readonly incarnation: string; readonly seq: number } | null = null;

  constructor(cell: CellUnderTest) {
    this.#cell = cell;
  }

  get cell(): CellUnderTest {
    return this.#cell;
  }

  async say(id: ServerName, change: Partial<ServerView> = {}): Promise<ArbiterView | null> {
    this.#seq += 1;
    const echoes = this.#at ? { arbiter1: this.#at } : {};
    const role = change.role ?? 'standby';
    const told = await this.#cell.tell(view(id, role, { echoes, seq: this.#seq, ...change }));
    if (told) this.#at = { incarnation: told.incarnation, seq: told.seq };
    return told;
  }

  async cellNow(): Promise<Cell> {
    const told = await this.say('server1');
    if (!told) throw new Error('the cell does not answer');
    return told.cell;
  }

  /** A vote of a primary, which no preference holds up. */
  async vote(id: ServerName, change: Partial<Vote> & Pick<Vote, 'cells'>): Promise<Cell | null> {
    const vote: Vote = { term: 1, attempt: 1, stage: 'asking', against: null, ...change };
    return (await this.say(id, { role: 'primary', phase: 'starting', vote }))?.cell ?? null;
  }

  async named(): Promise<Vote['cells']> {
    return [{ at: 'arbiter1', id: (await this.cellNow()).id }];
  }
}

export function cellContract(name: string, make: () => Promise<CellUnderTest>): void {
  describe(`${name} as the owner of a cell`, () => {
    let cell: CellUnderTest;
    let talk: Talk;
    beforeEach(async () => {
      cell = await make();
      talk = new Talk(cell);
    });
    afterEach(() => cell.close());

    it('begins with a cell that nobody holds', async () => {
      expect(await talk.cellNow()).toMatchObject({ term: 0, holder: null, attempt: 0 });
    });

    it('gives each term away once, and the next one to whoever asks for it', async () => {
      const cells = await talk.named();
      expect(await talk.vote('server1', { cells })).toMatchObject({ term: 1, holder: 'server1', attempt: 1 });
      expect(await talk.vote('server2', { cells, attempt: 9 })).toMatchObject({ term: 1, holder: 'server1' });
      expect(await talk.vote('server2', { cells, term: 2 })).toMatchObject({ term: 2, holder: 'server2' });
      expect(await talk.vote('server1', { cells, term: 1 })).toMatchObject({ term: 2, holder: 'server2' });
    });

    it('says yes to the holder for its last attempt only', async () => {
      const cells = await talk.named();
      await talk.vote('server1', { cells, attempt: 3 });
      expect(await talk.vote('server1', { cells, attempt: 3 })).toMatchObject({ attempt: 3 });
      expect(await talk.vote('server1', { cells, attempt: 5 })).toMatchObject({ attempt: 5 });
      expect(await talk.vote('server1', { cells, attempt: 4 })).toMatchObject({ attempt: 5 });
    });

    it('of two that ask at once one wins', async () => {
      const cells = await talk.named();
      const votes = (['server1', 'server2'] as const).map((id, index) => ({
        id,
        vote: { cells, term: 1, attempt: index + 1, stage: 'asking', against: null } as Vote,
      }));
      await Promise.all(votes.map(({ id, vote }) => talk.vote(id, vote)));
      const now = await talk.cellNow();
      const outcomes = votes.map(({ id, vote }) => outcomeOf(vote, id, () => now));
      expect(outcomes.sort()).toEqual(['lost', 'won']);
    });

    it('takes a term back by the word of its holder, and no attempt before counts any more', async () => {
      const cells = await talk.named();
      await talk.vote('server1', { cells, attempt: 2 });
      await talk.vote('server2', { cells, attempt: 7, stage: 'back' });
      expect(await talk.cellNow()).toMatchObject({ holder: 'server1' });
      await talk.vote('server1', { cells, attempt: 4, stage: 'back' });
      expect(await talk.cellNow()).toMatchObject({ term: 1, holder: null });
      expect(await talk.vote('server1', { cells, attempt: 3 })).toMatchObject({ holder: null });
      expect(await talk.vote('server2', { cells, attempt: 1 })).toMatchObject({ term: 1, holder: 'server2' });
    });

    it('gives a term again to a server whose clock was ahead once, for an attempt behind that', async () => {
      const cells = await talk.named();
      const ahead = 9e12;
      await talk.vote('server1', { cells, attempt: ahead });
      const back = await talk.vote('server1', { cells, attempt: ahead, stage: 'back' });
      // Its record is lost, and the clock is right again: what it knows is what the cell tells.
      const dead = await talk.vote('server1', { cells, attempt: 5 });
      expect(dead).toEqual(back);
      const asked: Vote = { cells, term: 1, attempt: 5, stage: 'asking', against: null };
      expect(outcomeOf(asked, 'server1', () => dead ?? undefined)).toBe('dead');
      const attempt = attemptIn(dead ?? undefined, 'server1') + 1;
      expect(await talk.vote('server1', { cells, attempt })).toMatchObject({ holder: 'server1', attempt });
    });

    it('that has given one term to two servers, as an old memory does, becomes another cell', async () => {
      const cells = await talk.named();
      await talk.vote('server2', { cells, attempt: 2 });
      const now = await talk.vote('server1', { cells, attempt: 1, stage: 'won' });
      expect(now).toMatchObject({ term: 0, holder: null });
      expect(now?.id).not.toBe(cells[0]?.id);
      expect(await talk.vote('server2', { cells, attempt: 2, stage: 'won' })).toEqual(now);
    });

    it('gives nothing to a vote that names another memory', async () => {
      const cells = [{ at: 'arbiter1', id: 'another' }];
      expect(await talk.vote('server1', { cells })).toMatchObject({ term: 0, holder: null });
      const elsewhere = (await talk.named()).map(({ id }) => ({ at: 'arbiter2', id }));
      expect(await talk.vote('server1', { cells: elsewhere })).toMatchObject({ term: 0, holder: null });
    });

    it('that has forgotten a term becomes another cell, unless it is being named', async () => {
      const cells = await talk.named();
      expect(await talk.vote('server1', { cells, term: 7, names: true })).toMatchObject({
        ...{ id: cells[0]?.id, term: 7, holder: 'server1' },
      });
      const after = await talk.vote('server2', { cells, term: 9 });
      expect(after).toMatchObject({ term: 0, holder: null });
      expect(after?.id).not.toBe(cells[0]?.id);
    });

    it('heeds a promise: the terms before it are gone', async () => {
      const others = ['server1', 'server2'].map((at) => ({ at, id: `cell of ${at}` }));
      const cells = [...(await talk.named()), ...others];
      await talk.say('server1', { role: 'primary', sync: promised(3, cells) });
      expect(await talk.vote('server2', { cells, term: 2 })).toMatchObject({ term: 2, holder: 'server1' });
    });

    it('that alone answers, and hears a promise of a term that it knows nothing of, becomes another cell', async () => {
      const cells = await talk.named();
      await talk.say('server1', { role: 'primary', sync: promised(3, cells) });
      const now = await talk.cellNow();
      expect(now).toMatchObject({ term: 0, holder: null });
      expect(now.id).not.toBe(cells[0]?.id);
    });

    it('knows after a crash what it has told', async () => {
      const cells = await talk.named();
      const told = await talk.vote('server1', { cells, attempt: 2 });
      await cell.restart();
      expect(await talk.cellNow()).toEqual(told);
      expect(await talk.vote('server2', { cells, attempt: 8 })).toEqual(told);
      const back = await talk.vote('server1', { cells, attempt: 2, stage: 'back' });
      await cell.restart();
      expect(await talk.cellNow()).toEqual(back);
      expect(await talk.vote('server1', { cells, attempt: 1 })).toEqual(back);
    });

    it('with an empty disk is another cell, and answers nobody who means the former', async () => {
      const cells = await talk.named();
      await talk.vote('server1', { cells });
      await cell.loseMemory();
      const now = await talk.cellNow();
      expect(now).toMatchObject({ term: 0, holder: null });
      expect(now.id).not.toBe(cells[0]?.id);
      expect(await talk.vote('server2', { cells, attempt: 9 })).toEqual(now);
    });

    it('drops a message that is older than one of the same start', async () => {
      const cells = await talk.named();
      await talk.say('server1', { seq: 1000 });
      const vote: Vote = { cells, term: 1, attempt: 1, stage: 'asking', against: null };
      await talk.say('server1', { seq: 999, vote });
      expect((await talk.say('server2'))?.cell).toMatchObject({ term: 0 });
    });

    it('prefers a primary that hears it to a standby, and only as long as it hears that', async () => {
      const cells = await talk.named();
      await sleep(cell.patienceMs + 50);
      const vote: Vote = { cells, term: 1, attempt: 1, stage: 'asking', against: 'server1' };
      for (let round = 0; round < 3; round += 1) {
        await talk.say('server1', { role: 'primary' });
        expect((await talk.say('server2', { vote }))?.cell).toMatchObject({ term: 0 });
      }
      await sleep(cell.patienceMs + 50);
      expect((await talk.say('server2', { vote }))?.cell).toMatchObject({ term: 1, holder: 'server2' });
    });
  });
}
