/** npm run sim -- --seed N --runs N [--trace]: scenarios from a seed on; the first failure is told with its trace. */
import { parseArgs } from 'node:util';
import { runScenario } from './scenario.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: '1000' },
    trace: { type: 'boolean', default: false },
    all: { type: 'boolean', default: false },
  },
});
const first = Number(values.seed);
const runs = Number(values.runs);
const begin = performance.now();
let failures = 0;
let promotions = 0;
let acknowledged = 0;
for (let seed = first; seed < first + runs; seed += 1) {
  const report = runScenario(seed, values.trace && runs === 1);
  promotions += report.promotions;
  acknowledged += report.acknowledged;
  for (const line of report.lines) process.stdout.write(`${line}\n`);
  if (report.violations.length === 0) continue;
  failures += 1;
  process.stdout.write(
    `seed ${seed}: ${report.policy}, ${report.servers} servers, ${report.faults.join('; ')}\n`,
  );
  for (const violation of report.violations) process.stdout.write(`  ${violation}\n`);
  if (values.all) continue;
  if (runs > 1) for (const line of runScenario(seed, true).lines) process.stdout.write(`${line}\n`);
  process.stdout.write(`replay: npm run sim -- --seed ${seed} --runs 1 --trace\n`);
  break;
}
const seconds = (performance.now() - begin) / 1000;
process.stdout.write(
  `${runs} scenarios, ${failures} failed, ${promotions} promotions, ${acknowledged} commits acknowledged, ${seconds.toFixed(1)} s\n`,
);
process.exitCode = failures > 0 ? 1 : 0;
