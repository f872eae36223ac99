// What a run of tests came to: numbers, a table of files by their seconds, and the closing line. In: the arrays that
// test/times-reporter.ts writes. Out: text. Nothing here reads a file or a clock.

export function summaryOf(files, { seconds, boots, everything }) {
  const sum = (of) => files.reduce((total, file) => total + of(file), 0);
  return {
    seconds,
    boots,
    everything,
    passed: sum((file) => file.passed),
    failed: sum((file) => file.failed),
    skipped: sum((file) => file.skipped),
    labSkipped: sum((file) => (file.project === 'lab' ? file.skipped : 0)),
    files: [...files].sort((a, b) => b.seconds - a.seconds || a.file.localeCompare(b.file)),
  };
}

const testsOf = (file) => file.passed + file.failed + file.skipped;

/** A line for each file or other piece of work, below a head. */
export function linesOf(files) {
  const rows = files.map((file) => [file.file, file.seconds.toFixed(1), String(testsOf(file))]);
  const width = Math.max(4, ...rows.map(([name]) => name.length));
  const line = ([name, time, tests]) => `${name.padEnd(width)} ${time.padStart(8)} ${tests.padStart(6)}`;
  return [line(['file', 'seconds', 'tests']), ...rows.map(line)];
}

export const tableOf = (summary) => [...linesOf(summary.files), totalOf(summary)].join('\n');

/** One sentence that the table of docs/lab.md ends with, too. */
export function totalOf({ files, seconds, boots }) {
  const work = files.reduce((total, file) => total + file.seconds, 0);
  const tests = files.reduce((total, file) => total + testsOf(file), 0);
  return `${tests} tests in ${files.length} files: ${work.toFixed(0)} s of work in ${seconds.toFixed(0)} s; lab hosts were booted ${boots} times`;
}

/** What failed, a line each: whoever sees only the end of the output learns it there. */
export const failuresOf = ({ files }) =>
  files.flatMap(({ file, failures }) => failures.map((failure) => `failed: ${file} > ${failure}`));

export const closingLine = ({ passed, failed, skipped }) =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;

/** The times that order the files: those of this run, and of others what still exists. Sorted by name, for small differences. */
export function mergedTimes(before, { files }, exists) {
  const measured = files.map(({ file, seconds }) => [file, Math.round(seconds)]);
  const all = Object.entries({ ...before, ...Object.fromEntries(measured) });
  return Object.fromEntries(all.filter(([file]) => exists(file)).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const marks = ['<!-- times: made by scripts/test-times.mjs, do not edit -->', '<!-- end of times -->'];

/** The document with the table of this run between its marks: the files that take at least five seconds, and the rest as one row. */
export function documentWithTimes(document, summary, cores) {
  const [begin, end] = marks;
  const from = document.indexOf(begin);
  const to = document.indexOf(end);
  if (from < 0 || to < from) throw new Error(`docs/lab.md lacks the marks ${begin} and ${end}`);
  const long = summary.files.filter(({ seconds }) => seconds >= 5);
  const short = summary.files.filter(({ seconds }) => seconds < 5);
  const row = (name, files) =>
    `| ${name} | ${files.reduce((sum, it) => sum + it.seconds, 0).toFixed(0)} | ${files.reduce((sum, it) => sum + testsOf(it), 0)} |`;
  const rows = [...long.map((file) => row(`\`${file.file}\``, [file])), row(`${short.length} others`, short)];
  const table = ['| File | Seconds | Tests |', '| --- | --- | --- |', ...rows].join('\n');
  const made = `${begin}\n\n${table}\n\n${totalOf(summary)}, on ${cores} cores.\n\n`;
  return document.slice(0, from) + made + document.slice(to);
}
