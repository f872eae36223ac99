/** Two texts as a unified diff; the one home of the `diff` library. Pure. */
import { createTwoFilesPatch } from 'diff';
import { withoutSecrets } from '../postgres/withheld.ts';
import { shown } from './shown.ts';

/** The lines of the diff without its file header and without secrets; empty when the texts are equal. */
export function unifiedDiff(from: string, to: string, name: string): readonly string[] {
  if (from === to) return [];
  const [before, after] = [withoutSecrets(from), withoutSecrets(to)];
  if (before === after) return [' the texts differ only in what is not shown'];
  const patch = createTwoFilesPatch(shown(name), shown(name), before, after, 'on the host', 'as declared', {
    context: 2,
  });
  return patch
    .split('\n')
    .slice(2)
    .filter((line) => line !== '' && line !== '\\ No newline at end of file');
}
