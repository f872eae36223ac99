/**
 * A key that takes a word or a map, such as `heartbeat`, or a number or a time: of what zod found wrong with both forms only what is wrong with the one
 * that was meant. In and out: zod's issues. Pure.
 */
import type { Issue } from './issues.ts';

export const meantIssues = (issues: readonly Issue[]): readonly Issue[] => issues.flatMap(meant);

function meant(issue: Issue): readonly Issue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const map = issue.errors.find((branch) => branch.every(isBelow));
  const word = issue.errors.find((branch) => branch.some(({ code }) => code === 'invalid_value'));
  const number = issue.errors.find((branch) => branch.some(isOfRange));
  return (map ?? number ?? word)?.map((it) => ({ ...it, path: [...issue.path, ...it.path] })) ?? [issue];
}

/** It is the number that was meant. */
const isOfRange = ({ code }: Issue): boolean => code === 'too_small' || code === 'too_big';

/** It is the map that was meant: what is wrong is a key of it. */
const isBelow = ({ code, path }: Issue): boolean => path.length > 0 || code === 'unrecognized_keys';
