/** The completions of the command line, made from the registry of verbs. What zsh and fish do with them: test/lab/release.test.ts. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Completed, completionFiles } from '../scripts/completions.ts';
import { verbs } from '../src/verbs/registry.ts';

describe('the file of each shell', () => {
  it.each(['pgduet.bash', '_pgduet', 'pgduet.fish'])('%s knows every verb and option', (name) => {
    const words = new Set(completionFiles()[name]?.match(/[\w-]+/g));
    const wanted = verbs.flatMap((verb) => [verb.name, ...verb.options.map((option) => option.name)]);
    const dashes = name === 'pgduet.fish' ? '' : '--';
    const missing = wanted.filter((word) => !words.has(word) && !words.has(`${dashes}${word}`));
    expect(missing).toEqual([]);
  });

  it('keeps texts with quotes, brackets and colons in their place', () => {
    const verb: Completed = {
      name: 'try',
      summary: "it's [a]: b",
      arguments: [],
      options: [{ name: 'to', takes: { kind: 'nothing' }, summary: "it's [a]: b\\" }],
    };
    const files = completionFiles([verb]);
    expect(files._pgduet).toContain("'try:it'\\''s [a]: b'");
    expect(files._pgduet).toContain("'(--to)--to[it'\\''s \\[a\\]: b\\\\]'");
    expect(files['pgduet.fish']).toContain("-l to -d 'it\\'s [a]: b\\\\'");
  });
});

describe('bash', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'pgduet-completions-'));
    writeFileSync(join(folder, 'pgduet.bash'), completionFiles()['pgduet.bash'] ?? '');
    for (const name of ['playbook.yml', 'plan.txt']) writeFileSync(join(folder, name), '');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** The words as readline splits them; the last one is the one under the cursor. */
  const offers = (...words: readonly string[]): readonly string[] =>
    execFileSync(
      'bash',
      [
        '-c',
        'source ./pgduet.bash; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _pgduet; printf "%s\\n" "${COMPREPLY[@]}"',
        'bash',
        'pgduet',
        ...words,
      ],
      { cwd: folder, encoding: 'utf8' },
    )
      .split('\n')
      .filter((word) => word !== '')
      .sort();

  it('offers the verbs first', () => {
    expect(offers('')).toEqual(expect.arrayContaining(verbs.map(({ name }) => name)));
    expect(offers('pro')).toEqual(['provision']);
  });

  it('offers the options of the verb, and its argument', () => {
    expect(offers('status', '--w')).toEqual(['--watch']);
    expect(offers('provision', '--wa')).toEqual([]);
    expect(offers('run', 'pl')).toEqual(['plan.txt', 'playbook.yml']);
    expect(offers('run', '--rest')).toEqual(['--restart']);
    expect(offers('run', '--not-there')).toEqual([]);
    expect(offers('help', 'swi')).toEqual(['switch']);
  });

  it('offers what an option takes, behind a blank or an equals sign', () => {
    expect(offers('check', '--format', 'j')).toEqual(['json', 'junit']);
    expect(offers('check', '--format', '=', 'j')).toEqual(['json', 'junit']);
    expect(offers('check', '--format', '=')).toContain('prometheus');
    expect(offers('status', '-i', 'play')).toEqual(['playbook.yml']);
    expect(offers('rebuild', 'server1', '--keep-copy', 'p')).toEqual([]);
  });

  it('offers other options behind one whose value may be left out, and nothing for names that it cannot know', () => {
    expect(offers('check', '--watch', '--di')).toEqual(['--diff']);
    expect(offers('teardown', '--keep', '')).toEqual([]);
  });
});
