// What a night does, one job after the other, without an end: scenarios of the simulation, searches, interrupted verbs, faults,
// hosts as people have them. In: how
// far earlier nights came, and the names of files and faults. Out: jobs, with the seed of each. Nothing here runs anything.

/** One pass is two hundred times what npm test simulates. */
const scenariosInJob = 10_000;
const simulationsInPass = 20;
/** The small worlds in which everything is searched, by the number of their servers. */
const searched = [2, 3];
export const searchMinutes = 10;
/** Rounds with hosts as people have them: so many jobs of so many rounds. */
const hostJobsInPass = 6;
const hostRounds = 20;
/** Five times as many as npm test has. */
export const interruptions = 10;

/** The first night begins at a seed that follows its commit, so that nights of other people have other seeds. */
export const beginningAt = (commit) => ({
  pass: 1,
  job: 0,
  nextSeed: Number.parseInt(commit.slice(0, 8), 16),
});

/** All jobs of one pass. The simulation is spread between the others, so that a short night has some of each. */
function jobsOfPass({ files, faults }) {
  const simulations = Array.from({ length: simulationsInPass }, () => ({ kind: 'simulation' }));
  const searches = searched.map((servers) => ({ kind: 'search', servers }));
  const hosts = Array.from({ length: hostJobsInPass }, (_, index) => ({ kind: 'hosts', index }));
  const onHosts = [
    ...files.map((file) => ({ kind: 'interruptions', file })),
    ...faults.map((fault) => ({ kind: 'fault', fault })),
  ];
  const placed = [simulations, searches, hosts, onHosts].flatMap((jobs) =>
    jobs.map((job, index) => ({ job, place: (index + 0.5) / jobs.length })),
  );
  return placed.sort((a, b) => a.place - b.place).map(({ job }) => job);
}

/** The job that comes now, with its seeds and a title that names them. */
export function jobAt(state, names) {
  const jobs = jobsOfPass(names);
  // There may be fewer jobs than in the night before.
  const job = jobs[state.job % jobs.length];
  if (job.kind === 'fault') return { ...job, title: `fault: ${job.fault}` };
  if (job.kind === 'search')
    return { ...job, title: `everything that can happen, ${job.servers} servers, ${searchMinutes} minutes` };
  if (job.kind === 'interruptions')
    return { ...job, seed: state.pass, title: `${job.file}, PGDUET_SEED=${state.pass}` };
  if (job.kind === 'hosts') {
    const from = state.nextSeed + job.index * hostRounds;
    const title = `hosts that nobody wrote by hand, seeds ${from} to ${from + hostRounds - 1}`;
    return { ...job, from, count: hostRounds, title };
  }
  const last = state.nextSeed + scenariosInJob - 1;
  const seeds = { from: state.nextSeed, count: scenariosInJob };
  return { ...job, ...seeds, title: `simulation, seeds ${seeds.from} to ${last}` };
}

/** How far the nights have come once this job is done. */
export function after(state, job, names) {
  const nextSeed = job.kind === 'simulation' ? job.from + job.count : state.nextSeed;
  const isLast = state.job + 1 >= jobsOfPass(names).length;
  return isLast
    ? { pass: state.pass + 1, job: 0, nextSeed }
    : { pass: state.pass, job: state.job + 1, nextSeed };
}

/** How to run again what has failed. */
export function replayOf(job, seed) {
  if (job.kind === 'simulation')
    return seed === undefined ? `npm run sim -- ${job.count} ${job.from}` : `npm run sim -- --seed ${seed}`;
  if (job.kind === 'search')
    return `npm run sim -- --exhaustive --servers ${job.servers} --minutes ${searchMinutes}`;
  if (job.kind === 'hosts') return `npm run test:hosts -- --rounds ${job.count} --seed ${job.from}`;
  if (job.kind === 'fault') return `npm run faults -- '${job.fault}'`;
  return `PGDUET_INTERRUPTIONS=${interruptions} PGDUET_SEED=${job.seed} npx vitest run --project lab ${job.file}`;
}
