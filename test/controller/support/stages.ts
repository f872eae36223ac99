/**
 * What a server goes through, recorded while conversations with the core are held: from which meaningful state to which,
 * and by what. In: the state before and after an event. Out: the text of docs/states.md. Nothing here judges.
 */
import type { Action } from '../../../src/controller/core/action.ts';
import type { Happening } from '../../../src/controller/core/event.ts';
import type { State } from '../../../src/controller/core/state.ts';
import { isEligible } from '../../../src/controller/core/takeover.ts';

/** Every state in the order of the document, with its meaning. */
const meanings = {
  'no controller': 'no controller runs here; the instance may',
  'looking at what is there': 'the controller has just started beside an instance that runs',
  'asking the others': 'was primary; asks every server that may have taken over before it starts',
  'waiting for its primary': 'a standby that starts when its primary does',
  starting: 'postgres is starting',
  'left alone': 'the instance is not started: --mc-only, or its start has failed',
  'primary, alone': 'takes writes; no standby could take over now',
  'primary, in sync': 'takes writes; a standby holds every acknowledged commit and may take over',
  'preparing a switch': 'a person asked for it; takes writes until the standby has replayed enough',
  'handing over: stopping': 'the instance is made sure to be stopped',
  'handing over: given': 'stopped; waits for the other server to take over or to refuse',
  'handing over: following': 'the other server is primary; this one becomes its standby',
  standby: 'receives WAL; may not take over (yet)',
  'standby, in sync': 'its primary has told it that it holds every acknowledged commit',
  'taking over: asking': 'started again in the middle; looks for the primary once more',
  'taking over: fencing': 'fencing_command shuts the old primary out',
  'taking over: cutting': 'the WAL receiver is cut',
  'taking over: gathering': 'waits until enough other standbys have cut theirs',
  'taking over: promoting': 'becomes primary',
  'letting another one take over': 'its WAL receiver is cut for another standby',
  'not answering': 'the postmaster is there, but queries get no answer',
  down: 'the instance went away without being told to',
  'stopped: cut off': 'the instance is being stopped, because this server reaches nobody',
  'stopped: another is primary': 'the instance is being stopped, because a newer primary was heard',
  'held back': 'was primary, another one is now: must be rebuilt',
  stopping: 'the instance is being stopped on purpose',
  stopped: 'the instance was stopped on purpose',
} as const;

export type Stage = keyof typeof meanings;
const order = Object.keys(meanings) as Stage[];

function duringSwitch({ takeover, yield: to, giving, ending, preparing }: State): Stage | null {
  const taking = {
    ask: 'asking',
    fence: 'fencing',
    cut: 'cutting',
    gather: 'gathering',
    promote: 'promoting',
  } as const;
  const handing = {
    stop: 'stopping',
    given: 'given',
    following: 'following',
  } as const;
  if (takeover) return `taking over: ${taking[takeover.stage]}`;
  if (to) return 'letting another one take over';
  if (preparing) return 'preparing a switch';
  if (giving) return `handing over: ${handing[giving.stage]}`;
  if (ending) return ending === 'isolated' ? 'stopped: cut off' : 'stopped: another is primary';
  return null;
}

/** The one meaningful state that a server is in. */
export function stageOf(state: State): Stage {
  if (state.boot.kind === 'new') return 'no controller';
  const { phase, role } = state.own;
  const going = phase === 'stopping' && state.stop ? null : duringSwitch(state);
  if (going) return going;
  switch (phase) {
    case 'running':
      if (role === 'primary')
        return (state.sync?.eligible.length ?? 0) > 0 ? 'primary, in sync' : 'primary, alone';
      return isEligible(state) ? 'standby, in sync' : 'standby';
    case 'waiting':
      return role === 'primary' ? 'asking the others' : 'waiting for its primary';
    case 'unknown':
      return 'looking at what is there';
    case 'held':
      return 'held back';
    case 'silent':
      return 'not answering';
    case 'stopped':
      return state.boot.kind === 'left' || state.boot.kind === 'failed'
        ? state.stop
          ? 'stopped'
          : 'left alone'
        : 'stopped';
    case 'starting':
    case 'stopping':
    case 'down':
      return phase;
  }
}

const causes: Readonly<Record<Happening['kind'], string>> = {
  boot: 'the controller starts',
  tick: 'time passes',
  heard: 'another server is heard',
  'arbiter-heard': 'an arbiter tells its cell',
  'arbiter-lost': 'an arbiter is not heard',
  'peer-refused': 'another host has no controller',
  'unknown-peer': 'an unknown peer connects',
  'primary-probe': 'the primary answers on its replication port',
  'instance-check': 'the instance is looked at',
  'disk-check': 'a disk is checked',
  'instance-started': 'postgres is ready',
  'start-failed': 'postgres did not start',
  'instance-stopped': 'postgres has stopped',
  'stop-failed': 'postgres does not stop',
  control: 'mc_ctl asks',
  'peer-request': 'another server asks',
  'peer-reply': 'another server answers',
  checkpointed: 'the checkpoint is done',
  'pre-detached': 'pre_detach_command has ended',
  'names-set': 'the names are changed',
  'slots-set': 'slots are changed',
  'names-failed': 'the names cannot be changed',
  'receiver-cut': 'the WAL receiver is cut',
  'cut-failed': 'the WAL receiver cannot be cut',
  promoted: 'the promotion is complete',
  'promote-failed': 'the promotion fails',
  followed: 'it points at the new primary',
  'follow-failed': 'it cannot be pointed at the new primary',
  references: 'reference addresses have answered, or not',
  'command-ended': 'a command has ended',
  'hook-failed': 'a hook has failed',
  terminate: 'SIGTERM',
  reload: 'SIGHUP',
  'place-lost': 'its management directory is lost',
  'place-back': 'its management directory can be written to again',
  'reload-failed': 'SIGHUP',
  'persist-failed': 'the state file cannot be written',
};

function causeOf(happening: Happening): string {
  switch (happening.kind) {
    case 'control':
    case 'peer-request':
      return `${happening.kind === 'control' ? 'mc_ctl' : 'another server:'} ${happening.request.kind}`;
    case 'instance-check': {
      const seen = { answer: 'answers', busy: 'has no free connection', starting: 'is starting' } as const;
      const lost = { timeout: 'does not answer', refused: 'refuses the login', gone: 'is gone' } as const;
      return `the instance ${{ ...seen, ...lost }[happening.outcome.kind]}`;
    }
    default:
      return causes[happening.kind];
  }
}

const seen = new Map<string, { from: Stage; to: Stage; causes: Set<string> }>();

/** Remembers one step of a conversation. */
export function recordStep(
  before: State,
  happening: Happening,
  after: State,
  actions: readonly Action[],
): void {
  const from = stageOf(before);
  const to = actions.some((it) => it.kind === 'exit') ? 'no controller' : stageOf(after);
  if (from === to) return;
  const key = `${from}>${to}`;
  const step = seen.get(key) ?? { from, to, causes: new Set() };
  step.causes.add(causeOf(happening));
  seen.set(key, step);
}

const idOf = (stage: Stage): string => stage.replace(/[^a-z]+/g, '_');

/** docs/states.md, from everything that was recorded. */
export function statesDocument(): string {
  const place = (stage: Stage): number => order.indexOf(stage);
  const steps = [...seen.values()].sort(
    (one, other) => place(one.from) - place(other.from) || place(one.to) - place(other.to),
  );
  const present = order.filter((stage) => steps.some(({ from, to }) => from === stage || to === stage));
  const words = (causes: ReadonlySet<string>): string => [...causes].sort().join('; ');
  const nodes = present.map((stage) => `    state "${stage}" as ${idOf(stage)}`);
  const arrows = steps.map(
    ({ from, to, causes }) =>
      `    ${idOf(from)} --> ${idOf(to)} : ${[...causes].sort().join(' / ').replaceAll(':', '')}`,
  );
  const rows = steps.map(({ from, to, causes }) => `| ${from} | ${words(causes)} | ${to} |`);
  return `${head}
\`\`\`mermaid
stateDiagram-v2
    direction TB
${[...nodes, '    [*] --> no_controller', ...arrows].join('\n')}
\`\`\`

## The states

| state | meaning |
| --- | --- |
${present.map((stage) => `| ${stage} | ${meanings[stage]} |`).join('\n')}

## The steps

| from | what happens | to |
| --- | --- | --- |
${rows.join('\n')}
`;
}

const head = `# What a server goes through

Recorded while all golden conversations of \`test/controller/\` were held with \`decide\`, so every arrow is a step that a test shows.
\`npx vitest run --project unit test/controller/states.test.ts --update\` writes this page anew; a test checks that it is up to date.
Where an event has several consequences at once, the arrow shows the last one. "primary" is the server that takes writes.

Two states end only with a proof, whatever is not heard meanwhile ([ADR 8](adr/0008-what-cannot-be-taken-back.md)): "taking over: promoting" with
an instance that is primary, or is stopped and shown to be none; "handing over: given", once the other side has said
that it takes over, with its word or that of a person.
`;
