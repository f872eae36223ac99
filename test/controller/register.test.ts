/** The register as a table: what a cell answers, and what a server makes of the answers. */
import { describe, expect, it } from 'vitest';
import {
  type Asking,
  answerVote,
  attemptIn,
  freshCell,
  heedPromise,
  isContested,
  isPast,
  openTerm,
  outcomeOf,
  takenBy,
} from '../../src/controller/core/register.ts';
import type { Cell, CellName, SyncSet, Vote } from '../../src/controller/core/view.ts';

const one: readonly CellName[] = [{ at: 'arbiter', id: 'a' }];
const three: readonly CellName[] = ['server1', 'server2', 'server3'].map((at) => ({ at, id: `of ${at}` }));

const vote = (change: Partial<Vote> = {}): Vote => ({
  cells: one,
  term: 3,
  attempt: 10,
  stage: 'asking',
  against: 'server1',
  ...change,
});
const cell = (term: number, holder: string | null, attempt = 10): Cell => ({
  id: 'a',
  term,
  holder,
  attempt,
});
const asks = (before: Cell, change: Partial<Vote> = {}, how: Partial<Asking> = {}): Cell =>
  answerVote(before, {
    at: 'arbiter',
    asker: 'server2',
    vote: vote(change),
    serves: false,
    newId: 'b',
    ...how,
  });

describe('a cell that is asked for a term', () => {
  it('gives it to the first one that asks, and to nobody else', () => {
    const given = asks(cell(2, 'server1', 7));
    expect(given).toEqual(cell(3, 'server2'));
    expect(asks(given, { against: null }, { asker: 'server1' })).toBe(given);
    expect(asks(given)).toBe(given);
  });

  it('says no to a term that is older, whoever asks', () => {
    const later = cell(4, 'server1');
    expect(asks(later)).toBe(later);
    expect(asks(later, { against: null }, { asker: 'server1' })).toBe(later);
  });

  it('prefers a primary that is heard to a standby, and to no primary', () => {
    const before = cell(2, 'server1');
    expect(asks(before, {}, { serves: true })).toBe(before);
    expect(asks(before, { against: null }, { serves: true })).toEqual(cell(3, 'server2'));
  });

  it('writes a higher attempt of its holder down, and ignores a lower one', () => {
    const held = cell(3, 'server2', 10);
    expect(asks(held, { attempt: 11 })).toEqual(cell(3, 'server2', 11));
    expect(asks(held, { attempt: 9 })).toBe(held);
  });

  it('takes it back by the word of its holder only, and then no attempt up to that one counts any more', () => {
    const held = cell(3, 'server2', 10);
    expect(asks(held, { stage: 'back', attempt: 9 })).toBe(held);
    expect(asks(held, { stage: 'back' }, { asker: 'server1' })).toBe(held);
    const free = asks(held, { stage: 'back', attempt: 12 });
    expect(free).toEqual({ ...cell(3, null, 12), gaveBack: 'server2' });
    expect(asks(free, { attempt: 12 })).toBe(free);
    expect(asks(free, { attempt: 13 })).toEqual(cell(3, 'server2', 13));
    expect(asks(free, { attempt: 1, against: null }, { asker: 'server1' })).toEqual(cell(3, 'server1', 1));
  });

  it('is another cell when another server has the term that the asker has won, and has not given back', () => {
    const twice = cell(3, 'server1', 4);
    expect(asks(twice, { stage: 'won' })).toEqual(freshCell('b'));
    // Its own win, a term behind, and one of several cells, which need not have been among those that gave it.
    const own = cell(3, 'server2');
    expect(asks(own, { stage: 'won' })).toBe(own);
    const later = cell(4, 'server1');
    expect(asks(later, { stage: 'won' })).toBe(later);
    expect(asks(twice)).toBe(twice);
    expect(asks(twice, { stage: 'won', cells: [...one, ...three] })).toBe(twice);
  });

  it('is another cell when it has forgotten the term before, and answers nobody who means the old one', () => {
    const other = asks(cell(1, 'server1'));
    expect(other).toEqual(freshCell('b'));
    expect(asks(other)).toBe(other);
  });

  it('that is to be named, or is one of several, need not know the term before', () => {
    expect(asks(cell(0, null), { term: 37, names: true, against: null })).toEqual(cell(37, 'server2'));
    const away: Cell = { ...cell(0, null), id: 'of server3' };
    const asked = answerVote(away, {
      at: 'server3',
      asker: 'server2',
      vote: vote({ cells: three }),
      serves: false,
      newId: 'b',
    });
    expect(asked).toEqual({ ...cell(3, 'server2'), id: 'of server3' });
  });
});

describe('a cell that hears a promise', () => {
  const promise = (cells: readonly CellName[], term: number): SyncSet => ({
    primary: 'server1',
    timeline: 2,
    epoch: 5,
    members: [],
    eligible: [],
    voters: [],
    needed: 0,
    term,
    cells,
  });

  it('knows that the terms before are gone', () => {
    const behind: Cell = { ...cell(1, 'server2'), id: 'of server3' };
    expect(heedPromise(behind, 'server3', promise(three, 6), 'b')).toMatchObject({
      term: 5,
      holder: 'server1',
    });
    expect(heedPromise(behind, 'server3', promise(three, 2), 'b')).toBe(behind);
  });

  it('is another cell when it alone would have had to know it', () => {
    expect(heedPromise(cell(1, 'server2'), 'arbiter', promise(one, 6), 'b')).toEqual(freshCell('b'));
    expect(heedPromise(cell(5, 'server2'), 'arbiter', promise(one, 6), 'b').id).toBe('a');
  });

  it('that does not name it stays as it is', () => {
    const mine = cell(1, 'server2');
    expect(heedPromise(mine, 'arbiter', promise([{ at: 'arbiter', id: 'z' }], 6), 'b')).toBe(mine);
  });
});

describe('a server that has asked', () => {
  const of = (cells: Readonly<Record<string, Cell>>) => (name: CellName) => cells[name.at];
  const said = (at: string, term: number, holder: string | null, attempt = 10): Cell => ({
    id: `of ${at}`,
    term,
    holder,
    attempt,
  });

  it('has won when a majority holds the term for it, and for this very attempt', () => {
    const mine = { server1: said('server1', 3, 'server2'), server2: said('server2', 3, 'server2') };
    expect(outcomeOf(vote({ cells: three }), 'server2', of(mine))).toBe('won');
    expect(outcomeOf(vote({ cells: three, attempt: 11 }), 'server2', of(mine))).toBe('open');
    expect(outcomeOf(vote({ cells: three }), 'server2', of({ server1: said('server1', 3, 'server2') }))).toBe(
      'open',
    );
  });

  it('cannot win with an attempt that it has given back, and can with a later one', () => {
    const back: Cell = { ...cell(3, null, 900), gaveBack: 'server2' };
    expect(outcomeOf(vote(), 'server2', () => back)).toBe('dead');
    expect(outcomeOf(vote({ attempt: 901 }), 'server2', () => back)).toBe('open');
    expect(outcomeOf(vote(), 'server1', () => back)).toBe('open');
    expect([attemptIn(back, 'server2'), attemptIn(back, 'server1'), attemptIn(undefined, 'server2')]).toEqual(
      [900, 0, 0],
    );
    // Of three cells two others say yes.
    const yes = { server1: said('server1', 3, 'server2'), server2: said('server2', 3, 'server2') };
    const dead: Cell = { ...said('server3', 3, null, 900), gaveBack: 'server2' };
    expect(outcomeOf(vote({ cells: three }), 'server2', of({ ...yes, server3: dead }))).toBe('won');
  });

  it('counts no cell whose memory is another one, and no answer that did not come', () => {
    expect(outcomeOf(vote(), 'server2', () => ({ ...cell(3, 'server2'), id: 'z' }))).toBe('open');
    expect(outcomeOf(vote(), 'server2', () => undefined)).toBe('open');
  });

  it('has lost when no majority is left', () => {
    const theirs = { server1: said('server1', 3, 'server1'), server3: said('server3', 4, 'server1') };
    expect(outcomeOf(vote({ cells: three }), 'server2', of(theirs))).toBe('lost');
    expect(takenBy(three, 3, 'server2', of(theirs))).toMatchObject({ holder: 'server1', term: 4 });
    expect(outcomeOf(vote(), 'server2', () => cell(3, 'server2', 11))).toBe('lost');
  });

  it('sees that others share the cells with it', () => {
    const shared = { server1: said('server1', 3, 'server1'), server2: said('server2', 3, 'server2') };
    expect(outcomeOf(vote({ cells: three }), 'server2', of(shared))).toBe('open');
    expect(isContested(vote({ cells: three }), 'server2', of(shared))).toBe(true);
    expect(takenBy(three, 3, 'server2', of(shared))).toBeNull();
  });

  it('takes neither its own later term nor one that was given back for that of another server', () => {
    const naming = { server1: said('server1', 4, 'server2'), server2: said('server2', 4, 'server2') };
    expect(takenBy(three, 3, 'server2', of(naming))).toBeNull();
    const free = { server1: said('server1', 4, null), server2: said('server2', 4, null) };
    expect(takenBy(three, 3, 'server2', of(free))).toBeNull();
    // Nobody can win it all the same, so that a later one has to be named.
    for (const cells of [naming, free]) expect(isPast(three, 3, of(cells))).toBe(true);
    expect(isPast(three, 4, of(free))).toBe(false);
  });

  it('asks new cells for a term that none of them has given away', () => {
    expect(openTerm(one, 5, () => cell(2, 'server1'))).toBe(5);
    expect(openTerm(one, 5, () => cell(9, 'server1'))).toBe(10);
  });
});
