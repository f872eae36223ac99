/** History files as PostgreSQL writes them, odd ones, and what two lineages have in common. */
import { describe, expect, it } from 'vitest';
import {
  firstLineage,
  forkOf,
  historyFile,
  isSameLineage,
  type Lineage,
  parseHistory,
  tookOverDirectly,
} from '../../src/postgres/lineage.ts';

const text = (...lines: [number, string][]): string =>
  lines.map(([timeline, at]) => `${timeline}\t${at}\tno recovery target specified\n`).join('\n');
const lineage = (timeline: number, ...lines: [number, string][]): Lineage => {
  const parsed = parseHistory(timeline, text(...lines));
  if (!parsed) throw new Error('odd');
  return parsed;
};
const second = lineage(2, [1, '0/5000148']);
const third = lineage(3, [1, '0/5000148'], [2, '0/7000000']);

it('has the file of each timeline by its name', () => {
  expect([historyFile(2), historyFile(26)]).toEqual(['00000002.history', '0000001A.history']);
});

describe('a history file', () => {
  it('says which timelines were left, and where', () => {
    expect(parseHistory(3, `# by hand\n\n${text([1, '0/5000148'], [2, '1/0'])}`)?.left).toEqual([
      { timeline: 1, at: '0/5000148' },
      { timeline: 2, at: '1/0' },
    ]);
  });

  it.each([
    ['nothing', 2, ''],
    ['only remarks', 2, '# nothing\n'],
    ['no position', 2, '1\n'],
    ['no timeline', 2, 'x\t0/5000148\n'],
    ['a position of another form', 2, '1\t5000148\n'],
    ['a lost end', 3, text([1, '0/5000148'])],
    ['the line of its own timeline', 2, text([1, '0/5000148'], [2, '0/7000000'])],
    ['timelines that fall', 3, text([2, '0/5000148'], [1, '0/7000000'])],
    ['positions that fall', 3, text([1, '0/7000000'], [2, '0/5000148'])],
    ['timelines before the first one', 1, text([0, '0/5000148'], [1, '0/7000000'])],
  ])('that holds %s is odd', (_, timeline, given) => {
    expect(parseHistory(timeline, given)).toBeUndefined();
  });
});

describe('two lineages', () => {
  it.each([
    ['a successor', second, firstLineage, '0/5000148'],
    ['the successor of a successor', third, firstLineage, '0/5000148'],
    ['the same from the one in between', third, second, '0/7000000'],
    ['from behind', firstLineage, second, undefined],
    ['of one timeline', second, second, undefined],
    ['of one number, begun elsewhere', third, lineage(2, [1, '0/4000000']), undefined],
    ['of one way with zeros written otherwise', third, lineage(2, [1, '00000000/05000148']), '0/7000000'],
  ])('part where the later one left: %s', (_, later, earlier, fork) => {
    expect(forkOf(later, earlier)).toBe(fork);
  });

  it('tell who took over from whom, with nobody in between', () => {
    expect(tookOverDirectly(third, second)).toBe(true);
    expect(tookOverDirectly(third, firstLineage)).toBe(false);
    expect(tookOverDirectly(second, firstLineage)).toBe(true);
    expect(tookOverDirectly(third, lineage(2, [1, '0/4000000']))).toBe(false);
  });

  it('are the same only by the same way', () => {
    expect(isSameLineage(second, lineage(2, [1, '0/5000148']))).toBe(true);
    expect(isSameLineage(second, lineage(2, [1, '0/4000000']))).toBe(false);
    expect(isSameLineage(second, third)).toBe(false);
  });
});
