/**
 * A key that takes a word or a map, such as `heartbeat`: of what zod found wrong with both forms only what is wrong with the one
 * that was meant. In and out: zod's issues. Pure.
 */
import type { Issue } from './issues.ts';

export const meantIssues = (issues: readonly Issue[]): readonly Issue[] => issues.flatMap(meant);

function meant(issue: Issue): readonly Issue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const map = issue.errors.find((branch) => branch.every(isBelow));
  const word = issue.errors.find((branch) => branch.some(({ code }) => code === 'invalid_value'));
  return (map ?? word)?.map((it) => ({ ...it, path: [...issue.path, ...it.path] })) ?? [issue];
}

/** It is the map that was meant: what is wrong is a key of it. */
const isBelow = ({ code, path }: Issue): boolean => path.length > 0 || code === 'unrecognized_keys';
