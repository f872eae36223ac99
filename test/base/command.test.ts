/** Commands stand in a text and beside it as data, and both come from one place. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { advised, filledIn, here, onHost } from '../../src/base/command.ts';
import { findingCodes } from '../../src/base/finding-codes.ts';

describe('a fix with commands', () => {
  it('says in words what its data says', () => {
    const clear = { ...onHost('server2')`mv ${'/data base'} ${'/old'}`, onlyIf: 'nobody needs it' };
    expect(advised`${clear}; then ${here`pgduet rebuild ${'server2'}`}, or leave ${'it'}.`).toEqual({
      fix: "If nobody needs it: `mv '/data base' /old` on server2; then `pgduet rebuild server2`, or leave it.",
      commands: [
        { on: 'server2', run: "mv '/data base' /old", onlyIf: 'nobody needs it' },
        { on: null, run: 'pgduet rebuild server2' },
      ],
    });
  });

  it('takes no command out of what a host says', () => {
    const odd = 'x`; `rm -r /` on {host}';
    const told = filledIn('look at {object} with `systemctl cat {object}` on {host}', 'server1', odd);
    expect(told.commands).toEqual([{ on: 'server1', run: `systemctl cat '${odd}'` }]);
    expect(told.fix).toBe(`look at ${odd} with \`systemctl cat '${odd}'\` on server1`);
    expect(advised`Look at ${odd}.`.commands).toEqual([]);
  });
});

describe('a text between backquotes in what pgduet advises', () => {
  it('is a whole command in every code of a finding, and none of them waits for ever', () => {
    for (const [code, { repair }] of Object.entries(findingCodes))
      for (const { run } of filledIn(repair, 'h', 'o').commands)
        expect(run, code).toMatch(
          /^(pgduet (ca|certificates renew (h|--ca|--ca --finish)|provision|rebuild o|replace o|rolling-update --packages|start o|switch --to o|status|secrets renew)|systemctl cat o)$/,
        );
  });

  it('is made by advised, and never written into a fix by hand', () => {
    const source = join(import.meta.dirname, '../../src');
    const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((path) =>
      path.endsWith('.ts'),
    );
    const byHand = files.flatMap((path) =>
      fixesOf(readFileSync(join(source, path), 'utf8'))
        .filter((text) => /`(pgduet|mc_|systemctl|pg_|chmod|mv|runuser)/.test(text))
        .map((text) => `${path}: ${text}`),
    );
    expect(byHand).toEqual([]);
  });
});

/** Strings that stand right behind "fix:" in a source, also behind a question mark. */
const fixesOf = (text: string): readonly string[] =>
  [...text.matchAll(/\bfix:[^'"`;{}]{0,80}('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`)/g)].map(
    ([, literal = '']) => literal.slice(1, -1),
  );
