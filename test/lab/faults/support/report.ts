/**
 * docs/faults.md from results: one row for each fault with what was seen, done and lost. In: results. Out: Markdown.
 * It never leaves out a bad result.
 */
import { messages } from '../../../../src/controller/core/messages.ts';
import type { Fault, Result } from './fault.ts';

export const label = (fault: Fault): string => `${fault.name} (${fault.on})`;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;

/** Messages that tell how the fault was seen: each once, in the order of time, up to the action. */
function seenAs(result: Result): string {
  const telling = result.said.filter(({ number }) => {
    const message = messages[`MCA${number}` as keyof typeof messages];
    return message !== undefined && message.type !== 'LOG' && number !== '01024' && number !== '01023';
  });
  const words = telling.map(({ server, number }) => `${server === result.primary ? 'P' : 'S'} ${number}`);
  return [...new Set(words)].join(', ') || 'nothing';
}

function row(results: readonly Result[]): string {
  const [first] = results;
  if (!first) return '';
  const { fault } = first;
  const gaps = results.map(({ gapMs }) => gapMs);
  const actions = [...new Set(results.map(({ action }) => action))].join(', ');
  const taken = results.flatMap(({ takenOverMs }) => (takenOverMs === null ? [] : [takenOverMs]));
  const lost = results.reduce((sum, it) => sum + it.lost, 0);
  const cells = [
    fault.name,
    fault.on,
    seenAs(first),
    actions,
    seconds(median(gaps)),
    seconds(Math.max(...gaps)),
    taken.length > 0 ? seconds(median(taken)) : '',
    lost > 0 && fault.splits ? `${lost} (split)` : String(lost),
    String(results.length),
  ];
  return `| ${cells.join(' | ')} |`;
}

const heads = [
  'fault',
  'on',
  'seen as',
  'action',
  'write gap, median',
  'worst',
  'new primary after',
  'rows lost',
  'runs',
];

/** The table of all faults, in the order in which they were run. */
export function table(results: readonly Result[]): string {
  const labels = [...new Set(results.map(({ fault }) => label(fault)))];
  const rows = labels.map((name) => row(results.filter(({ fault }) => label(fault) === name)));
  return [`| ${heads.join(' | ')} |`, `|${heads.map(() => ' --- |').join('')}`, ...rows].join('\n');
}

/** What `mc_ctl status` said on both servers after each fault was healed, from the last run of it. */
export function afterwards(results: readonly Result[]): string {
  const last = new Map(results.map((it) => [label(it.fault), it]));
  const lines = [...last.values()].map((it) => {
    const words = Object.entries(it.advice).map(
      ([server, text]) => `${server === it.primary ? 'P' : 'S'}: ${text}`,
    );
    return `| ${label(it.fault)} | ${words.join('<br>')} |`;
  });
  return ['| after | `mc_ctl status` |', '| --- | --- |', ...lines].join('\n');
}
