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

const table = (headings: readonly string[], rows: readonly string[]): string =>
  [`| ${headings.join(' | ')} |`, `|${headings.map(() => ' --- |').join('')}`, ...rows].join('\n');

/** What `mc_ctl status` said on both servers after the fault was healed, in its last run. */
function afterwards(result: Result): string {
  const words = Object.entries(result.advice).map(
    ([server, text]) => `${server === result.primary ? 'P' : 'S'}: ${text}`,
  );
  return `| ${result.fault.name} | ${result.fault.on} | ${words.join('<br>')} |`;
}

const key = (row: string): string => row.split(' | ').slice(0, 2).join(' | ');

/** Rows of faults that were run now are new, the others stay as an earlier run has left them. */
function merged(before: string, fresh: readonly string[], order: readonly Fault[]): string[] {
  const known = new Map(before.split('\n').map((line) => [key(line), line]));
  for (const line of fresh) known.set(key(line), line);
  return order.flatMap(({ name, on }) => known.get(`| ${name} | ${on}`) ?? []);
}

/** Lines of the two parts that are no table; null where nothing was measured now. */
export interface Measured {
  readonly underLoad: readonly string[] | null;
  /** The same with heartbeat: fast. */
  readonly fastUnderLoad: readonly string[] | null;
  readonly atRest: readonly string[] | null;
}

export const nothingMeasured: Measured = { underLoad: null, fastUnderLoad: null, atRest: null };

/** The whole document. `before` is what stands in the file now. */
export function documentOf(
  before: string,
  results: readonly Result[],
  order: readonly Fault[],
  { underLoad, fastUnderLoad, atRest }: Measured,
): string {
  const labels = [...new Set(results.map(({ fault }) => label(fault)))];
  const of = (name: string) => results.filter(({ fault }) => label(fault) === name);
  const lastOf = labels.flatMap((name) => of(name).at(-1) ?? []);
  const part = (title: string): string => before.split(`## ${title}\n`)[1]?.split(/^## /m)[0] ?? '';
  const rows = (title: string, third: boolean): string =>
    table(
      heads,
      merged(
        part(title),
        labels.map((name) => row(of(name))),
        order.filter((fault) => (fault.third !== undefined) === third),
      ),
    );
  const after = merged(part('What the servers say afterwards'), lastOf.map(afterwards), order);
  const lines = (title: string, now: readonly string[] | null): string =>
    `## ${title}\n\n${(now?.join('\n') ?? part(title).trim()) || 'Not measured yet.'}\n`;
  return `${head}
## Faults

${rows('Faults', false)}

## With a third party

${thirdHead}

${rows('With a third party', true)}

## What the servers say afterwards

After the fault was healed and before anybody did anything, on the former primary (P) and the former standbys (S).

${table(['fault', 'on', '`mc_ctl status`'], after)}

${lines('Under load', underLoad)}
${lines('Under load, with heartbeat: fast', fastUnderLoad)}
${lines('At rest', atRest)}`;
}

const thirdHead = `A pair with an arbiter on a host of its own, or with an etcd of three members on hosts of their own, and three servers, whose majority
decides ([arbiter.md](arbiter.md)). The client tries an address for 0.25 s only, so that the gap is that of the servers. A link is the
way between two of the three hosts, in both directions; with the admin or the log transfer network all hosts lose it. Where the links of the primary are cut the client still reaches it, and
begins with its address each time: its commits wait there until the links are whole, although the new primary takes writes long before.
"arbiter off" means for 10 s, and until the roles are clear.`;

const head = `# Faults

Made by \`npm run faults\`: each row of a fault that is run is written anew, the others stay. Every fault happens to a pair of
lab hosts (docs/lab.md) that \`pgduet provision\` has made with the default settings (heartbeat 800 ms, 1 s, 2: a silent server is
given up after 5.4 s; \`fallback\`), while a client commits one row every 2 ms. The client knows both addresses (connect timeout
2 s, answer timeout 1 s, 10 ms until the next try, one address after the other). Another client runs on each server and knows
only that one, so that a server that is cut off and goes on acknowledging is found out.

- **write gap**: the longest time between two acknowledged rows of the client. After a host that does not even refuse, its
  own timeouts are in it: it comes back to the standby only every 2 s (1.0, 3.0, 5.0, 7.0 s). **new primary after**: from the fault to MCA00062.
- **rows lost**: acknowledged, and not on all servers in the end. Everything but 0 is an error, except where \`fallback\` meets a
  network that has failed alone: both servers go on, which is what the word means (docs/adr/0005-who-may-acknowledge.md).
- **two minutes behind**: the standby has replayed nothing for 120 s, in which the primary has written some 200 MB of WAL. From the fault
  on its replay gets a fiftieth of a processor; up to a minute after the crash of the primary it gets all that it needs.
- **seen as**: message numbers (docs/messages.md) of the primary (P) and the standbys (S) before the fault.

Times depend on the machine; they are measured, not asserted. Rows are of different runs: one that was made
while other work kept the machine busy is an upper bound. What has to hold is asserted by \`test/lab/faults/\`.

The pair of the first table has no third party; those of the second table have one, or are three servers. Where a row says \`heartbeat: fast\`, a silent server is
given up after 2.1 s.

What the lab cannot do: a host that is suspended together with all of its clocks, as a virtual machine that is restored from a snapshot.
The hosts are containers and share the kernel's clocks. A host that stands still can have its wall clock and its monotonic clock stand
still with it; the time since boot goes on, and shows the pause. Where no clock shows it, see docs/promises.md. And a pulled plug loses
no writes that were not flushed (docs/lab.md).

`;
