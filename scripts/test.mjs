// Runs all tests and prints the closing line "N passed, N failed, N skipped". With CI=true a skipped lab test is a failure:
// a lab that was not there has proven nothing.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { installedVersion, installObstacle, installPostgres } from './postgres.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const checks = [
  ['tsc', ['--noEmit']],
  ['biome', ['check', '.']],
];
const bin = (name) => join(root, 'node_modules', '.bin', name);
let failedChecks = 0;
for (const [name, args] of checks) {
  const result = spawnSync(bin(name), args, { cwd: root, stdio: 'inherit' });
  if (result.status !== 0) {
    failedChecks += 1;
    console.error(`${name} found mistakes.`);
  }
}

// Some unit tests run real servers on this machine; without PostgreSQL they are skipped, and say so.
if (installedVersion() === undefined) {
  const obstacle = installObstacle();
  if (obstacle) console.error(`PostgreSQL is not installed, and ${obstacle}`);
  else installPostgres();
}

const scratch = mkdtempSync(join(tmpdir(), 'pgduet-test-'));
const report = join(scratch, 'report.json');
const run = spawnSync(
  bin('vitest'),
  ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...process.argv.slice(2)],
  {
    cwd: root,
    stdio: 'inherit',
  },
);
const { passed, failed, skipped, labSkipped } = count(report);
rmSync(scratch, { recursive: true, force: true });

const inCi = process.env.CI === 'true';
if (labSkipped > 0)
  console.error(`${labSkipped} lab tests were skipped: they need root on Debian (see docs/lab.md).`);
console.log(`${passed} passed, ${failed + failedChecks} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exit(
  run.status !== 0 || failedChecks > 0 || failed > 0 || passed === 0 || (inCi && labSkipped > 0) ? 1 : 0,
);

function count(file) {
  try {
    const { testResults } = JSON.parse(readFileSync(file, 'utf8'));
    const all = testResults.flatMap((one) =>
      one.assertionResults.map((test) => ({ status: test.status, lab: one.name.includes('/test/lab/') })),
    );
    const broken = testResults.filter(
      (one) => one.status === 'failed' && one.assertionResults.every((test) => test.status !== 'failed'),
    ).length;
    const isSkipped = (test) =>
      test.status === 'skipped' || test.status === 'pending' || test.status === 'todo';
    return {
      passed: all.filter((test) => test.status === 'passed').length,
      failed: all.filter((test) => test.status === 'failed').length + broken,
      skipped: all.filter(isSkipped).length,
      labSkipped: all.filter((test) => isSkipped(test) && test.lab).length,
    };
  } catch (error) {
    console.error(`The test report could not be read: ${error.message}`);
    return { passed: 0, failed: 1, skipped: 0, labSkipped: 0 };
  }
}
