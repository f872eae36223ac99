/** A command of the configuration as its words: no shell reads it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { programLine } from '../../src/base/program-line.ts';

describe('a command', () => {
  it.each<[string, string, string[]]>([
    ['/bin/true', '/bin/true', []],
    ['  /bin/hook  --site   east ', '/bin/hook', ['--site', 'east']],
    ['"/opt/my tools/hook" "two words" ""', '/opt/my tools/hook', ['two words', '']],
    [
      String.raw`/bin/hook "a \"b\" \\ \n" \n a"b c\"d`,
      '/bin/hook',
      [String.raw`a "b" \ \n`, '\\n', 'a"b', 'c\\"d'],
    ],
    [
      "/bin/hook it's $HOME `id` ; | > %d #x *",
      '/bin/hook',
      ["it's", '$HOME', '`id`', ';', '|', '>', '%d', '#x', '*'],
    ],
  ])('%s', (line, path, args) => {
    expect(programLine(line)).toEqual({ ok: true, path, args });
  });

  it.each([
    ['', 'it is empty'],
    ['   ', 'it is empty'],
    ['hook --now', "its program 'hook' is no absolute path"],
    ['"hook"', "its program 'hook' is no absolute path"],
    ['/bin/hook "open', 'the double quote of word 2 has no end'],
    ['/bin/hook "closed"more', 'the double quote of word 2 has no end, or no blank behind it'],
    ['/bin/hook\n/bin/sh', 'printable ASCII'],
    ['/bin/höök', 'printable ASCII'],
  ])('%j is refused', (line, why) => {
    const read = programLine(line);
    expect(read.ok ? undefined : read.why).toContain(why);
  });

  it('gives back any words that were quoted', () => {
    const words = fc.array(
      fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((it) => String.fromCharCode(it)) }),
    );
    fc.assert(
      fc.property(words, (args) => {
        const quoted = args.map((it) => `"${it.replace(/[\\"]/g, '\\$&')}"`);
        expect(programLine(['/bin/hook', ...quoted].join(' '))).toEqual({
          ok: true,
          path: '/bin/hook',
          args,
        });
      }),
    );
  });
});
