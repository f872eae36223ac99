/** Advice is followed word by word, and only where nobody has to judge. */
import { expect, it } from 'vitest';
import { type Command, nextOf, pgduetWords } from './advice.ts';

const command = (run: string, onlyIf: string | null = null): Command => ({
  on: null,
  as: null,
  run,
  only_if: onlyIf,
});

it('the first that needs no judgement is next, and each is done once', () => {
  const [one, two] = [command('pgduet rebuild a'), command('pgduet status')];
  const all = [{}, { commands: [command('mv /x /y', 'nobody needs it')] }, { commands: [one, two] }];
  expect(nextOf(all, [])).toEqual(one);
  expect(nextOf(all, [one])).toEqual(two);
  expect(nextOf(all, [one, two])).toBeUndefined();
});

it('words of pgduet are those of a shell, with inventory and yes', () => {
  expect(pgduetWords(command("pgduet provision -i '/a b/inv.yml'"), '/i.yml')).toEqual([
    ...['provision', '-i', '/a b/inv.yml', '--yes'],
  ]);
  expect(pgduetWords(command('pgduet status'), '/i.yml')).toEqual(['status', '-i', '/i.yml']);
  expect(() => pgduetWords(command('rm -r /x'), '/i.yml')).toThrow('names none');
});
