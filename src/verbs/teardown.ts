/**
 * `pgduet teardown`: back to a single server, or with --all-data to none. The plan names every path that is deleted; deleting
 * the whole cluster wants its name. In: the options of the command line. Out: the exit status.
 */
import { isUnreachable } from '../apply/failure-list.ts';
import type { Outcome } from '../apply/run.ts';
import { type Diagnostic, DiagnosticError } from '../base/diagnostic.ts';
import { exitCode } from '../base/exit-codes.ts';
import type { Arbiter, Cluster, Server } from '../inventory/cluster.ts';
import type { View } from '../observe/survey.ts';
import { shippedPlaybook } from '../shipped.ts';
import { applyVerb, type Purpose } from './apply.ts';
import { proofLines } from './proof.ts';
import { flag, type Given, text } from './verb.ts';
import type { World } from './world.ts';

interface TeardownOptions {
  readonly keep?: string;
  readonly keepData: boolean;
  readonly force: boolean;
  readonly allData: boolean;
  readonly controllersOnly: boolean;
  /** The cluster's name, from the command line. */
  readonly confirm?: string;
}

export async function teardown(world: World, given: Given): Promise<number> {
  const options = teardownOptions(given);
  const wrong = contradiction(options);
  if (wrong) throw new DiagnosticError([wrong], exitCode.inputWrong);
  const { keep, keepData, allData, controllersOnly } = options;
  const goes = { keepData, allData, controllersOnly } as const;
  const intent = { kind: 'teardown', ...goes, moved: false, ...(keep ? { keep } : {}) } as const;
  return controllersOnly
    ? applyVerb(world, intent, shippedPlaybook('teardown-controllers'), releasing)
    : applyVerb(world, intent, shippedPlaybook('teardown'), tearing(world, options));
}

function teardownOptions(given: Given): TeardownOptions {
  const keep = text(given, 'keep');
  const confirm = text(given, 'confirm');
  return {
    keepData: flag(given, 'keep-data'),
    force: flag(given, 'force'),
    allData: flag(given, 'all-data'),
    controllersOnly: flag(given, 'controllers-only'),
    ...(keep ? { keep } : {}),
    ...(confirm === undefined ? {} : { confirm }),
  };
}

/** What says of servers or data that they go, where none goes; and a controller that is left behind may take over when its host comes back. */
function besideControllersOnly({ keep, keepData, force, allData }: TeardownOptions): string | undefined {
  if (keep !== undefined) return '--keep';
  if (keepData) return '--keep-data';
  return allData ? '--all-data' : force ? '--force' : undefined;
}

function contradiction(options: TeardownOptions): Diagnostic | undefined {
  const { keep, keepData, allData, controllersOnly, confirm } = options;
  const beside = controllersOnly ? besideControllersOnly(options) : undefined;
  if (beside)
    return {
      code: 'CLI003',
      what: `--controllers-only and ${beside} contradict each other`,
      why:
        beside === '--force'
          ? 'a controller that is left behind on a host may take over when that comes back, beside a primary that no controller watches'
          : 'with --controllers-only all servers stay, with their data',
      fix: 'Leave one of the two out.',
    };
  const both = allData && (keep !== undefined ? '--keep' : keepData ? '--keep-data' : undefined);
  if (both)
    return {
      code: 'CLI003',
      what: `--all-data and ${both} contradict each other`,
      why: 'with --all-data nothing is kept',
      fix: 'Leave one of the two out.',
    };
  if (confirm !== undefined && !allData)
    return {
      code: 'CLI003',
      what: '--confirm belongs to --all-data',
      why: 'without it one server stays, and the plan is confirmed with a yes',
      fix: 'Leave it out, or add --all-data.',
    };
  return undefined;
}

const remaining = ['switchover', 'uncontrolled', 'single', 'replication', 'forgotten', 'dismissed'];

/** All servers stay. */
const releasing: Purpose = {
  notes: () => [
    'All servers, their data, and what they replicate with stay, and so do the packages. Nobody watches them from now on: a standby does not take over by itself, and is not taken out when it fails.',
  ],
  proof: (outcome) =>
    [
      'As seen at the end:',
      ...proofLines(outcome, remaining).map((line) => `  ${line}`),
      ...aloneNow(outcome),
    ].join('\n'),
  facts: (outcome, cluster) => ({
    kept: outcome.view.primary,
    stay: cluster.servers.map(({ name }) => name),
    dropped: [],
    left_out: [],
    left_behind: [],
    seen: proofLines(outcome, remaining),
    advice: aloneNow(outcome),
  }),
};

const aloneNow = ({ view }: Outcome): readonly string[] => [
  `Nobody takes over when ${view.primary} fails, and where synchronous_standby_names is set its commits wait when no standby is there: promote a standby by hand (pg_ctl promote), or take the names out and reload.`,
];

const proven = ['switchover', 'retired', 'holds', 'erased', 'single', 'forgotten', 'dismissed'];

function tearing(world: World, options: TeardownOptions): Purpose {
  return {
    mayBeAway: () => options.force,
    explain: (problem) => (options.force ? problem : namingForce(problem)),
    check: (cluster) => checkName(world, cluster, options),
    ...(options.allData ? { confirm: (cluster) => confirmName(world, cluster, options) } : {}),
    notes: (view, cluster) => [...leftBehind(view, cluster), ...stays(options)],
    proof: (outcome) =>
      [
        'As seen at the end:',
        ...evidence(outcome).map((line) => `  ${line}`),
        ...advice(options, keptBy(outcome)),
      ].join('\n'),
    facts: (outcome, cluster) => ({
      kept: options.allData ? null : (keptBy(outcome) ?? null),
      dropped: cluster.servers
        .map(({ name }) => name)
        .filter((name) => options.allData || name !== keptBy(outcome)),
      left_out: [...(outcome.view.absent ?? [])],
      left_behind: leftBehind(outcome.view, cluster),
      seen: evidence(outcome),
      advice: advice(options, keptBy(outcome)),
    }),
  };
}

const evidence = (outcome: Outcome): readonly string[] => proofLines(outcome, proven);

const keptBy = ({ intent }: Outcome): string | undefined =>
  intent.kind === 'teardown' ? intent.keep : undefined;

/** Who cannot be reached may be gone for good: then there is a way. */
function namingForce(error: unknown): unknown {
  if (!isUnreachable(error)) return error;
  const { diagnostics, exitCode: exit } = error;
  const fix = (one: Diagnostic): string =>
    `${one.fix} If ${one.host ?? 'the server'} is gone for good and is not to be kept: pgduet teardown --force leaves it out, and says what is left behind on it.`;
  return new DiagnosticError(
    diagnostics.map((one) => ({ ...one, fix: fix(one) })),
    exit,
  );
}

/** What stands on a host that was left out, and what it would do. */
function leftBehind(view: View, cluster: Cluster): readonly string[] {
  const { servers, arbiter } = cluster;
  return [
    ...servers.filter(({ name }) => view.absent?.has(name)).flatMap(leftOn),
    ...(arbiter && view.absent?.has(arbiter.name) ? leftOnArbiter(arbiter, cluster.name) : []),
  ];
}

const leftOnArbiter = ({ name, managementDir, unit }: Arbiter, cluster: string): readonly string[] => [
  `${name} is not reached and left out. Left behind there: ${managementDir}/clusters/${cluster}, with the key of the cluster.`,
  `  by hand there: rm -r ${managementDir}/clusters/${cluster}, then systemctl reload ${unit}; or, once it is reachable, the same command again`,
];

function leftOn({ name, postgres, multiplexing, unit }: Server): readonly string[] {
  const { dataDir, walDir } = postgres;
  const { managementDir } = multiplexing;
  return [
    `${name} is not reached and left out. Left behind there: the data in ${[dataDir, ...(walDir ? [walDir] : [])].join(' and ')}, ${managementDir}, and unit ${unit}.service, which is enabled: it would start the server when the host comes back.`,
    `  by hand there: systemctl disable --now ${unit}; or, once it is reachable, the same command again`,
  ];
}

const stays = ({ keepData, allData }: TeardownOptions): readonly string[] => [
  'The packages, and the user that owns the instance, stay on every host.',
  ...(keepData && !allData
    ? [
        'The data of the servers that go stays (--keep-data). It is that of a standby: standby.signal stands in it, and its settings name files that are gone. Do not start it as it is; to use it as a copy of its own: remove standby.signal, and set log_directory and primary_conninfo anew.',
      ]
    : []),
];

const advice = ({ allData }: TeardownOptions, kept: string | undefined): readonly string[] =>
  allData ? [] : [`Take a backup of ${kept ?? 'the server'} now: nothing else holds its data any more.`];

const nameNeeded = (cluster: Cluster, what: string): DiagnosticError =>
  new DiagnosticError(
    [
      {
        code: 'CLI002',
        what,
        why: 'with --all-data every copy of the data is deleted; --yes alone is not enough for that',
        fix: `Once you have read the plan (pgduet teardown --all-data --check): add --confirm ${cluster.name}, or type the name on a terminal.`,
      },
    ],
    exitCode.inputWrong,
  );

/** Said before any host is contacted. */
function checkName(world: World, cluster: Cluster, { allData, confirm }: TeardownOptions): void {
  if (!allData) return;
  if (confirm !== undefined && confirm !== cluster.name)
    throw nameNeeded(cluster, `--confirm names '${confirm}', the cluster is called '${cluster.name}'`);
  if (confirm === undefined && !world.terminal && !world.options.check)
    throw nameNeeded(cluster, `the name of the cluster has not been given`);
}

async function confirmName(world: World, cluster: Cluster, { confirm }: TeardownOptions): Promise<boolean> {
  if (confirm !== undefined) return true;
  const answer = await world.ask(
    `Every copy of the data is deleted. Type the name of the cluster to do so: `,
  );
  return answer.trim() === cluster.name;
}
