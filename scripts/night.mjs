// npm run test:night [-- --hours N] [--again]: repeats what is random in the tests, with other seeds each time, until the time is
// up: the simulation (200 times what npm test has), interrupted verbs (5 times), faults, and hosts as people have them; and searches small worlds for longer. It goes on where the last night
// stopped; --again begins from the first job. Its memory and the failures are in .cache/night, which git ignores.
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';

import { run } from './night-job.mjs';
import { after, beginningAt, jobAt } from './night-plan.mjs';
import { scratch } from './scratch.mjs';
import { clearReports, countBoots, filesBelow, root } from './test-run.mjs';
import { closingLine, linesOf } from './test-summary.mjs';

const { values } = parseArgs({
  options: { hours: { type: 'string', default: '8' }, again: { type: 'boolean', default: false } },
});
const hours = Number(values.hours);
if (!(hours > 0)) {
  console.error(`--hours ${values.hours}: it takes a number above 0, such as 8 or 0.5`);
  process.exit(3);
}

const folder = join(scratch, 'night');
const memory = join(folder, 'state.json');
const failures = join(folder, 'failures.jsonl');
mkdirSync(folder, { recursive: true });
clearReports();

const names = { files: interruptedFiles(), faults: faultNames() };
const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
const commit = git('describe', '--always', '--dirty', '--abbrev=12');
let state =
  existsSync(memory) && !values.again
    ? JSON.parse(readFileSync(memory, 'utf8'))
    : beginningAt(git('rev-parse', 'HEAD'));
let isStopped = false;
// The programs get the signal as well and end; what was under way is begun anew by the next night.
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => {
    isStopped = true;
  });

const begin = Date.now();
const done = new Map();
console.log(
  `pass ${state.pass}, job ${state.job + 1}, next seed ${state.nextSeed}; for ${hours} h; commit ${commit}`,
);
while (!isStopped && Date.now() - begin < hours * 3_600_000) {
  const job = jobAt(state, names);
  const started = Date.now();
  console.log(`\n${new Date().toISOString()} ${job.title}`);
  const result = await run(job, folder);
  if (isStopped) break;
  for (const failure of result.failures)
    appendFileSync(failures, `${JSON.stringify({ at: new Date(), commit, job: job.title, ...failure })}\n`);
  count(job, result, (Date.now() - started) / 1000);
  state = after(state, job, names);
  writeFileSync(memory, `${JSON.stringify(state)}\n`);
}
tell();

function count(job, { passed, failures: { length: failed } }, seconds) {
  const name = { simulation: 'simulation', hosts: 'hosts that nobody wrote by hand' }[job.kind] ?? job.title;
  const before = done.get(name) ?? { file: name, seconds: 0, passed: 0, failed: 0, skipped: 0 };
  done.set(name, {
    ...before,
    seconds: before.seconds + seconds,
    passed: before.passed + passed,
    failed: before.failed + failed,
  });
}

function tell() {
  const rows = [...done.values()].sort((a, b) => b.seconds - a.seconds);
  const sum = (of) => rows.reduce((total, row) => total + of(row), 0);
  const all = { passed: sum((row) => row.passed), failed: sum((row) => row.failed), skipped: 0 };
  console.log(`\n${linesOf(rows).join('\n')}`);
  console.log(
    `lab hosts were booted ${countBoots()} times; the next night begins with job ${state.job + 1} of pass ${state.pass}`,
  );
  if (all.failed > 0)
    console.log(`failures, each with the command that repeats it: ${relative(root, failures)}`);
  console.log(closingLine(all));
  process.exitCode = isStopped ? 130 : all.failed > 0 || all.passed === 0 ? 1 : 0;
}

/** The tests that read PGDUET_INTERRUPTIONS have "interrupted" in their names. */
function interruptedFiles() {
  const found = filesBelow('test/lab').filter((file) => /interrupted[^/]*\.test\.ts$/.test(file));
  if (found.length === 0) throw new Error('no test below test/lab is called interrupted');
  return found;
}

function faultNames() {
  const list = execFileSync(process.execPath, [join(root, 'scripts/faults.mjs'), '--list'], {
    encoding: 'utf8',
  });
  return list.trim().split('\n');
}
