/** src/controller/core/README.md is complete: every field of the state, every rule of the simulation, every file once. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mutations } from '../sim/mutations.ts';
import { Conversation } from './support/conversation.ts';

const folder = join(import.meta.dirname, '../../src/controller/core');
const text = readFileSync(join(folder, 'README.md'), 'utf8');

/** The cells of all rows of the tables under a heading, without their heads. */
function rows(heading: string): readonly (readonly string[])[] {
  const section = text.split(/^## /m).find((it) => it.startsWith(heading)) ?? '';
  return section.split(/^\| (?=.*\n\| ---)/m).flatMap((table) =>
    table
      .split('\n')
      .slice(1)
      .filter((line) => line.startsWith('| ') && !line.startsWith('| ---'))
      .map((line) =>
        line
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim()),
      ),
  );
}

const code = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '');

describe('the description of the core', () => {
  it('gives every field of the state to one process or says what else it is', () => {
    const named = rows('The processes').flatMap(([, fields]) => code(fields));
    expect(named.toSorted()).toEqual(Object.keys(new Conversation('server1').state).toSorted());
  });

  it('names files that exist', () => {
    const files = rows('The processes').flatMap(([, , file]) => code(file));
    expect(files.length).toBeGreaterThan(10);
    for (const file of files) expect([file, existsSync(join(folder, file))]).toEqual([file, true]);
  });

  it('gives every rule that the simulation takes away to one invariant', () => {
    const named = rows('The invariants').flatMap(([, , rules]) => rules?.split('; ') ?? []);
    expect(named.toSorted()).toEqual(mutations.map(({ rule }) => rule).toSorted());
  });

  it.each(mutations)('can still be taken out: $rule', ({ file, find }) => {
    expect(readFileSync(join(folder, file), 'utf8').split(find).length - 1).toBe(1);
  });
});
