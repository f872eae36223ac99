/**
 * The benchmark: how long a pair takes from two fresh lab hosts, by raw commands, by pgduet and by Ansible, measured
 * side by side. In: options. Out: a table, or one JSON document on stdout; progress on stderr; exit status 0 only if
 * every measured run ended well. It installs nothing for itself, and it must never leave hosts behind.
 *   npm run bench -- [--runs N] [--only floor,first,again,check,gap,ansible,many] [--json]
 */
import { availableParallelism, loadavg, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { measureAnsible, missingAnsible, missingMitogen } from './ansible.mjs';
import { measureCheck, measureMany } from './check.mjs';
import { measureFloor } from './floor.mjs';
import { measureGap } from './gap.mjs';
import { loadHarness, withFreshHosts, withFreshPair } from './lab.mjs';
import { measurePgduet } from './pgduet.mjs';
import { document, table } from './report.mjs';
import { endChildren } from './timed.mjs';

const PARTS = ['floor', 'first', 'again', 'check', 'gap', 'ansible', 'many'];
/** The part `many` looks at so many pairs in one command. */
const PAIRS = 10;
const NOISY_LOAD = 1.5;
const MOST_RUNS = 20;

/** Each contestant gets hosts of its own in every run; `parts` says which words of --only ask for it. */
const CONTESTANTS = [
  { parts: ['floor'], measure: measureFloor },
  { parts: ['first', 'again'], measure: measurePgduet },
  { parts: ['check'], measure: measureCheck },
  { parts: ['gap'], measure: measureGap },
  { parts: ['ansible'], measure: measureAnsible },
];

function readOptions() {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '3' },
      only: { type: 'string', default: PARTS.join(',') },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1 || runs > MOST_RUNS)
    throw new Error(`--runs takes a number from 1 to ${MOST_RUNS}, not '${values.runs}'`);
  const only = values.only.split(',').filter((part) => part !== '');
  const strange = only.find((part) => !PARTS.includes(part));
  if (strange !== undefined) throw new Error(`--only takes ${PARTS.join(', ')}, not '${strange}'`);
  return { runs, only: new Set(only), json: values.json, help: values.help };
}

const say = (line) => process.stderr.write(`${line}\n`);

/** What a reader has to know before believing the numbers. */
function notesBefore(options, load) {
  const notes = [];
  if (load > NOISY_LOAD)
    notes.push(
      `the machine is busy (load ${load.toFixed(2)}, more than ${NOISY_LOAD}): trust the ratios, not the seconds`,
    );
  const missing = options.only.has('ansible') ? (missingAnsible() ?? missingMitogen()) : undefined;
  if (missing !== undefined) notes.push(missing);
  return notes;
}

/** The order is turned by one in every run, so that no contestant always comes after the same other one. */
function contestants(options, run) {
  const asked = CONTESTANTS.filter(({ parts }) => parts.some((part) => options.only.has(part)));
  const present = asked.filter(({ parts }) => parts[0] !== 'ansible' || missingAnsible() === undefined);
  const turn = present.length === 0 ? 0 : run % present.length;
  return [...present.slice(turn), ...present.slice(0, turn)];
}

async function measureAll(harness, options, stopped) {
  const samples = [];
  const keep = (run) => (sample) => {
    if (stopped.aborted) return;
    samples.push({ ...sample, run: run + 1 });
    const verdict = sample.problem === undefined ? '' : `  FAILED: ${sample.problem}`;
    say(`run ${run + 1}/${options.runs}  ${sample.what}: ${sample.seconds.toFixed(2)} s${verdict}`);
  };
  for (let run = 0; run < options.runs; run += 1) {
    for (const { measure } of contestants(options, run)) {
      await withFreshPair(harness, stopped, (pair) => measure(pair, options.only, keep(run)));
      if (stopped.aborted) return samples;
    }
  }
  if (!options.only.has('many')) return samples;
  const names = Array.from({ length: PAIRS }, (_, index) => [`a${index + 1}`, `b${index + 1}`]).flat();
  await withFreshHosts(harness, stopped, names, (fleet) => measureMany(fleet, options.runs, keep(0)));
  return samples;
}

async function main() {
  const options = readOptions();
  if (options.help) {
    process.stdout.write(`npm run bench -- [--runs N] [--only ${PARTS.join(',')}] [--json]\n`);
    return 0;
  }
  const harness = await loadHarness();
  const obstacle = harness.labObstacle();
  if (obstacle !== undefined) {
    say(`The benchmark is not possible here: ${obstacle}.`);
    return 1;
  }
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => {
      stop.abort();
      endChildren();
    });
  const load = loadavg()[0];
  const notes = notesBefore(options, load);
  for (const note of notes) say(`note: ${note}`);
  const samples = await measureAll(harness, options, stop.signal);
  if (stop.signal.aborted) {
    say('The benchmark was interrupted; its hosts are removed.');
    return 130;
  }
  const machine = { cores: availableParallelism(), memoryGiB: Math.round(totalmem() / 2 ** 30), load };
  const result = document({ samples, notes, machine, runs: options.runs });
  process.stdout.write(options.json ? `${JSON.stringify(result, null, 2)}\n` : table(result));
  return samples.every((sample) => sample.problem === undefined) ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  say(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
