/**
 * From samples to numbers: min, median, max, ratios of medians, round trips. In: samples. Out: one document, and the same
 * as a table. Samples with a problem are counted as failed and nowhere else. Pure.
 */

/** In the order of the table. `like` is what Ansible does in its place; `goalSeconds` is for a quiet machine. */
const ROWS = [
  { what: 'floor', title: 'raw commands, first run' },
  { what: 'first', title: 'pgduet provision, first run', like: 'ansible first', goalSeconds: 3.5 },
  { what: 'again', title: 'pgduet provision, again', like: 'ansible again', goalSeconds: 1.0 },
  { what: 'check', title: 'pgduet check', like: 'ansible check', goalSeconds: 1.0 },
  { what: 'ansible first', title: 'Ansible, first run' },
  { what: 'ansible again', title: 'Ansible, again' },
  { what: 'ansible check', title: 'Ansible --check --diff' },
];

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return Number.isInteger(middle) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[Math.floor(middle)];
}

const round = (value, digits = 3) => Number(value.toFixed(digits));

function summary({ what, title, goalSeconds }, samples) {
  const mine = samples.filter((sample) => sample.what === what);
  const good = mine.filter((sample) => sample.problem === undefined);
  if (mine.length === 0) return undefined;
  const failed = mine.length - good.length;
  if (good.length === 0) return { what, title, runs: 0, failed };
  const seconds = good.map((sample) => sample.seconds);
  return {
    what,
    title,
    runs: good.length,
    failed,
    seconds: seconds.map((value) => round(value)),
    min: round(Math.min(...seconds)),
    median: round(median(seconds)),
    max: round(Math.max(...seconds)),
    host_cpu_seconds: round(median(good.map((sample) => sample.hostCpuSeconds))),
    load: round(median(good.map((sample) => sample.load)), 2),
    ...(goalSeconds === undefined ? {} : { goal_seconds: goalSeconds }),
    ...(good[0].roundTrips === undefined ? {} : { round_trips: mostRoundTrips(good) }),
  };
}

/** The most that any run took, by host. */
function mostRoundTrips(samples) {
  const most = {};
  for (const { roundTrips } of samples)
    for (const [host, count] of Object.entries(roundTrips)) most[host] = Math.max(most[host] ?? 0, count);
  return most;
}

/** The ratios are of medians: how many times as long as the raw commands, and as Ansible for the same thing. */
function withRatios(row, rows) {
  const medianOf = (what) => rows.find((other) => other.what === what)?.median;
  const like = ROWS.find(({ what }) => what === row.what)?.like;
  const ratio = (base) => (row.median === undefined || base === undefined ? null : round(row.median / base));
  return { ...row, to_floor: ratio(medianOf('floor')), to_ansible: like ? ratio(medianOf(like)) : null };
}

export function document({ samples, notes, machine, runs }) {
  const rows = ROWS.flatMap((row) => summary(row, samples) ?? []);
  return {
    schema: 1,
    date: new Date().toISOString(),
    machine: { cores: machine.cores, memory_gib: machine.memoryGiB, load_at_start: round(machine.load, 2) },
    runs,
    results: rows.map((row) => withRatios(row, rows)),
    notes,
    problems: samples.flatMap(({ what, run, problem }) => (problem ? [{ what, run, problem }] : [])),
  };
}

const HEADINGS = [
  '',
  'runs',
  'min s',
  'median s',
  'max s',
  'goal s',
  'x floor',
  'x Ansible',
  'round trips',
  "hosts' CPU s",
  'load',
];

function cells(row) {
  const number = (value, digits = 2) => (value === undefined || value === null ? '' : value.toFixed(digits));
  return [
    row.title,
    row.failed > 0 ? `${row.runs} (${row.failed} failed)` : String(row.runs),
    number(row.min),
    number(row.median),
    number(row.max),
    number(row.goal_seconds, 1),
    number(row.to_floor),
    number(row.to_ansible),
    Object.values(row.round_trips ?? {}).join(' + '),
    number(row.host_cpu_seconds),
    number(row.load),
  ];
}

export function table(result) {
  const lines = [HEADINGS, ...result.results.map(cells)];
  const widths = HEADINGS.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const pad = (cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]));
  const { cores, memory_gib: memory, load_at_start: load } = result.machine;
  const text = [
    `Two fresh Debian 12 hosts for each line of work; ${cores} cores, ${memory} GiB, load ${load.toFixed(2)} at the start`,
    '',
    ...lines.map((line) => line.map(pad).join('  ').trimEnd()),
    '',
    ...result.problems.map(({ what, run, problem }) => `failed: ${what}, run ${run}: ${problem}`),
    ...result.notes.map((note) => `note: ${note}`),
    "x floor, x Ansible: this median divided by that one's. Goals are for a quiet machine; ratios hold on any.",
  ];
  return `${text.join('\n')}\n`;
}
