/**
 * From samples to numbers: min, median, max, ratios of medians, round trips. In: samples. Out: one document, and the same
 * as a table. Samples with a problem are counted as failed and nowhere else. Pure.
 */

/**
 * In the order of the table. `base` is the floor of the row; `like` and `mitogen` are what stands in its place there.
 * `goalSeconds` is for a quiet machine.
 */
const ROWS = [
  { what: 'floor', title: 'raw commands, first run' },
  {
    what: 'first',
    title: 'pgduet provision, first run',
    base: 'floor',
    like: 'ansible first',
    goalSeconds: 3.5,
  },
  { what: 'again', title: 'pgduet provision, again', base: 'floor', like: 'ansible again', goalSeconds: 1.0 },
  { what: 'node', title: 'node -e 0' },
  { what: 'version', title: 'pgduet --version', base: 'node', goalSeconds: 0.15 },
  { what: 'ssh floor', title: 'a trivial script on 2 hosts' },
  {
    what: 'check',
    title: 'pgduet check',
    base: 'ssh floor',
    like: 'ansible check',
    mitogen: 'mitogen check',
    goalSeconds: 0.7,
  },
  { what: 'ssh floor far', title: 'a trivial script, 80 ms away' },
  { what: 'check far', title: 'pgduet check, 80 ms away', base: 'ssh floor far', goalSeconds: 2.0 },
  { what: 'ssh floor many', title: 'a trivial script on 20 hosts' },
  { what: 'check many', title: 'pgduet check of 10 pairs', base: 'ssh floor many', goalSeconds: 2.5 },
  { what: 'gap floor', title: 'a client, while its server is restarted' },
  { what: 'gap', title: 'the same, during pgduet teardown', base: 'gap floor' },
  { what: 'ansible first', title: 'Ansible, first run', base: 'floor' },
  { what: 'ansible again', title: 'Ansible, again', base: 'floor' },
  { what: 'ansible check', title: 'Ansible --check --diff', base: 'ssh floor' },
  { what: 'mitogen check', title: 'the same with Mitogen', base: 'ssh floor' },
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

/** The ratios are of medians: how many times as long as the floor of the row, and as Ansible for the same thing. */
function withRatios(row, rows) {
  const asked = ROWS.find(({ what }) => what === row.what) ?? {};
  const ratio = (what) => {
    const other = rows.find((candidate) => candidate.what === what)?.median;
    return row.median === undefined || other === undefined ? null : round(row.median / other);
  };
  return {
    ...row,
    to_floor: ratio(asked.base),
    to_ansible: ratio(asked.like),
    to_mitogen: ratio(asked.mitogen),
  };
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
  'x Mitogen',
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
    number(row.goal_seconds),
    number(row.to_floor),
    number(row.to_ansible),
    number(row.to_mitogen),
    tripsOf(Object.values(row.round_trips ?? {})),
    number(row.host_cpu_seconds),
    number(row.load),
  ];
}

/** Twenty ones are one word. */
const tripsOf = (trips) => (trips.length > 4 ? `${trips.length} x ${Math.max(...trips)}` : trips.join(' + '));

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
    "x floor, x Ansible, x Mitogen: this median divided by that one's; the floor of a row is the nearest one above it. Goals are for a quiet machine; ratios hold on any.",
  ];
  return `${text.join('\n')}\n`;
}
