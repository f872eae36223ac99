/** Two texts as a unified diff; the one home of the `diff` library. Pure. */
import { createTwoFilesPatch } from 'diff';

/** The lines of the diff without its file header; empty when the texts are equal. */
export function unifiedDiff(before: string, after: string, name: string): readonly string[] {
  if (before === after) return [];
  const patch = createTwoFilesPatch(name, name, before, after, 'on the host', 'as declared', { context: 2 });
  return patch
    .split('\n')
    .slice(2)
    .filter((line) => line !== '' && line !== '\\ No newline at end of file');
}
