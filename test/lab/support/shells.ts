/**
 * What bash, zsh and fish of this machine offer when Tab is pressed. In: the root directory that the completions are installed
 * in, and a line. Out: the words, sorted; of a path its last part, of `--option=word` the word.
 */
import { join } from 'node:path';
import { run } from '../harness/run.ts';

export type Shell = 'bash' | 'zsh' | 'fish';

const zsh = join(import.meta.dirname, 'complete.zsh');
const bash = `source "$1"; shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
"$(complete -p pgduet | sed 's/.*-F \\([^ ]*\\) .*/\\1/')"
printf '%s\\n' "\${COMPREPLY[@]}"`;
const fish = 'source $argv[1]; complete --do-complete $argv[2]';

/** As readline does: an equals sign is a word of its own. */
const wordsOf = (line: string): string[] => line.split(/\s+|(?<==)|(?==)/);

function command(shell: Shell, root: string, line: string): readonly [string, readonly string[]] {
  const share = join(root, 'usr/share');
  switch (shell) {
    case 'bash':
      return [
        'bash',
        ['-c', bash, 'bash', join(share, 'bash-completion/completions/pgduet'), ...wordsOf(line)],
      ];
    case 'zsh':
      return ['zsh', ['-f', zsh, join(share, 'zsh/vendor-completions'), line]];
    case 'fish':
      return [
        'fish',
        ['--no-config', '-c', fish, join(share, 'fish/vendor_completions.d/pgduet.fish'), line],
      ];
  }
}

export async function offered(shell: Shell, root: string, line: string): Promise<readonly string[]> {
  const { stdout } = await run(...command(shell, root, line), { check: true, timeoutMs: 60_000 });
  const words = stdout.split('\n').map((it) => it.split('\t')[0]?.replace(/\/$/, '') ?? '');
  const last = words.map(
    (word) =>
      word
        .split('/')
        .at(-1)
        ?.replace(/^--[\w-]+=/, '') ?? '',
  );
  return [...new Set(last.filter((word) => word !== ''))].sort();
}
