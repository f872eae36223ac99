// `npm test`: types, lint and the lab's images beside the unit tests, then the tests on real hosts: those of the main way, and of the others what
// fits into the time (scripts/lab-share.mjs). The simulation, which has no
// other clock than its own, runs beside those on hosts and takes what they leave of the processors. Says how long each file took and ends
// with the line "N passed, N failed, N skipped". With CI=true a skipped lab test is a failure: a lab that was not there has proven
// nothing. `npm run test:all` runs every file. With other arguments, the test runner gets them and runs once.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { hasEtcd, installEtcd } from './etcd.mjs';
import { always, drawn, secondsOf } from './lab-share.mjs';
import { installedVersion, installObstacle, installPostgres } from './postgres.mjs';
import {
  beside,
  clearReports,
  countBoots,
  filesBelow,
  library,
  patientVitest,
  reports,
  root,
  vitest,
} from './test-run.mjs';
import { closingLine, failuresOf, summaryOf, tableOf } from './test-summary.mjs';

/** What all of it is to take on a quiet machine. */
const minutes = 15;

const begin = performance.now();
const elapsed = () => (performance.now() - begin) / 1000;
clearReports();

// Some unit tests run real servers on this machine; without PostgreSQL they are skipped, and say so.
if (installedVersion() === undefined) {
  const obstacle = installObstacle();
  if (obstacle) console.error(`PostgreSQL is not installed, and ${obstacle}`);
  else installPostgres();
}
// So do some for etcd.
if (!hasEtcd() && !installEtcd())
  console.error(
    'etcd is not installed, so that the tests of the register in etcd are skipped: apt-get install etcd-server',
  );

const chosen = process.argv.slice(2);
const isAll = chosen[0] === '--all';
const { runs, checks, share } = chosen.length > 0 && !isAll ? await some(chosen) : await everything(isAll);

const seconds = elapsed();
const files = runs.flatMap((run) => run.files);
const summary = summaryOf(files, { seconds, boots: countBoots(), everything: isAll });
const failedChecks = checks.filter((status) => status !== 0).length;
// A run that ends badly without a failed test has broken down by itself.
const brokenRuns = runs.filter(
  (run) => run.status !== 0 && run.files.every((file) => file.failed === 0),
).length;
const closing = { ...summary, failed: summary.failed + failedChecks + brokenRuns };
const skippedInCi = process.env.CI === 'true' && summary.labSkipped > 0;
writeFileSync(join(reports, 'summary.json'), `${JSON.stringify(summary, undefined, 1)}\n`);

console.log(`\n${tableOf(summary)}`);
console.log(`reports: ${runs.map((run) => run.report).join(', ')}, .cache/tests/summary.json`);
if (summary.labSkipped > 0)
  console.error(`${summary.labSkipped} lab tests were skipped: they need root on Debian (see docs/lab.md).`);
for (const failure of failuresOf(summary)) console.log(failure);
if (share) console.log(share);
console.log(closingLine(closing));
process.exitCode = closing.failed > 0 || closing.passed === 0 || skippedInCi ? 1 : 0;

async function some(args) {
  const [run, ...checks] = await Promise.all([vitest('chosen', args), ...typesAndLint()]);
  return { checks, runs: [run] };
}

async function everything(isAll) {
  const [unit, images, ...checks] = await Promise.all([
    vitest('unit', ['--project', 'unit', '--project', 'alone']),
    // Where no image can be built, the set-up of the lab's tests says so again, and judges it.
    beside('lab.mjs images', process.execPath, [join(root, 'scripts/lab.mjs'), 'images']),
    ...typesAndLint(),
  ]);
  if (images !== 0) console.error('The images of the lab could not be built beside the unit tests.');
  // Behind the unit tests: what those say of real controllers depends on a machine that answers in time.
  const simulation = patientVitest('sim', ['--project', 'sim']);
  const { lab, share } = await onHosts(isAll);
  return { checks, runs: [unit, ...lab, await simulation], share };
}

/** The files of the lab: those of the main way show how fast this machine is, and with that how many others there is time for. */
async function onHosts(isAll) {
  const run = (name, files) => vitest(name, ['--project', 'lab', ...files]);
  if (isAll) return { lab: [await run('lab', [])] };
  const times = JSON.parse(readFileSync(join(root, 'test/times.json'), 'utf8'));
  const before = elapsed();
  const first = await run('lab', always);
  const others = filesBelow('test/lab').filter((name) => name.endsWith('.test.ts') && !always.includes(name));
  const commit = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
  const pace = (elapsed() - before) / secondsOf(always, times);
  const files = drawn({ files: others, times, commit, seconds: minutes * 60 - elapsed(), pace });
  const further = files.length > 0 ? [await run('lab-drawn', files)] : [];
  const share =
    `lab: the ${always.length} files of the main way, and ${files.length} of ${others.length} others, ` +
    `which commit ${commit.slice(0, 8)} draws and ${minutes} minutes have room for; npm run test:all runs them all`;
  return { lab: [first, ...further], share };
}

function typesAndLint() {
  return [library('tsc', ['--noEmit']), library('biome', ['check', '.'])];
}
