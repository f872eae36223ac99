/** `mc_ctl maintenance`: the words of the command line become a request. In: words. Out: a request, or what is wrong with them. */
import { userInfo } from 'node:os';
import { foreignTo, isPlain, longestMs, longestName, longestReason } from '../base/maintenance-words.ts';
import type { ControlRequest } from './core/event.ts';

interface Words {
  readonly server?: string | undefined;
  readonly reason?: string | undefined;
  readonly for?: string | undefined;
  readonly by?: string | undefined;
  readonly of?: string | undefined;
  readonly replace?: boolean | undefined;
  readonly alone?: boolean | undefined;
}

const unitMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of "30m" or "30min", "2h", "1d"; undefined where it is none of them, or more than a year. */
export function durationMs(text: string): number | undefined {
  const [, count = '', unit = ''] = /^(\d{1,6})(m|h|d)(?:(?<=m)in)?$/.exec(text) ?? [];
  const ms = Number(count) * (unitMs[unit] ?? 0);
  return ms > 0 && ms <= longestMs ? ms : undefined;
}

/** What is wrong with the words; undefined when nothing is. */
export function wrongMaintenance(
  goal: string | undefined,
  more: string | undefined,
  words: Words,
): string | undefined {
  if (goal !== 'begin' && goal !== 'end')
    return `maintenance needs begin or end${goal === undefined ? '' : `, not '${goal}'`}`;
  if (more !== undefined) return `'${more}' is too much; maintenance ${goal} takes only options`;
  if (words.server === undefined || words.server === '') return `maintenance ${goal} needs --server ID`;
  const foreign = foreignTo[goal].find((it) => words[it] !== undefined);
  if (foreign) return `maintenance ${goal} does not know --${foreign}`;
  if (words.for !== undefined && durationMs(words.for) === undefined)
    return `--for '${words.for}' is no time such as 30m, 2h or 1d`;
  if (!isPlain(words.reason ?? '', longestReason))
    return `--reason takes one line of at most ${longestReason} characters`;
  const named = [words.by, words.of].filter((it) => it !== undefined);
  if (named.some((it) => it === '' || !isPlain(it, longestName)))
    return `--by and --of take a name of at most ${longestName} characters`;
  return undefined;
}

/** The request of words with which nothing is wrong. */
export function maintenanceRequest(goal: string | undefined, words: Words): ControlRequest {
  const { server = '', by: who = userInfo().username, of } = words;
  if (goal === 'end') return { kind: 'maintenance-end', server, who, ...(of === undefined ? {} : { of }) };
  const ms = words.for === undefined ? undefined : durationMs(words.for);
  return {
    kind: 'maintenance-begin',
    server,
    who,
    reason: words.reason ?? '',
    untilWall: ms === undefined ? null : Date.now() + ms,
    replace: words.replace ?? false,
    alone: words.alone ?? false,
  };
}
