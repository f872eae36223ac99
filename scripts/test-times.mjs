// node scripts/test-times.mjs [SUMMARY]: takes over the times of the last run (.cache/tests/summary.json). test/times.json, which
// orders the files, gets what was run; the table of docs/lab.md is made anew from a run of everything without a failure.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

import { reports, root } from './test-run.mjs';
import { documentWithTimes, mergedTimes } from './test-summary.mjs';

const summary = JSON.parse(readFileSync(process.argv[2] ?? join(reports, 'summary.json'), 'utf8'));
const times = join(root, 'test/times.json');
const merged = mergedTimes(JSON.parse(readFileSync(times, 'utf8')), summary, (file) =>
  existsSync(join(root, file)),
);
writeFileSync(times, `${JSON.stringify(merged, undefined, 2)}\n`);
console.log(
  `test/times.json: ${summary.files.length} of ${Object.keys(merged).length} files are of this run`,
);

if (summary.everything && summary.failed === 0) {
  const document = join(root, 'docs/lab.md');
  const text = documentWithTimes(readFileSync(document, 'utf8'), summary, availableParallelism());
  writeFileSync(document, text);
  console.log('docs/lab.md: the table is of this run');
} else {
  console.log('docs/lab.md keeps its table: it shows only a run of everything without a failure');
}
