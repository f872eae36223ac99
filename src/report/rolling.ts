/** The sheet of a rolling update as text and as JSON: the same rows as plan, as progress and as report. Pure. */
import { formatDuration } from '../base/units.ts';
import { type Move, type SheetRow, type Situation, sheet, statesDuring, stepOf } from '../rolling/next.ts';
import type { Order } from '../rolling/order.ts';
import type { Point } from '../rolling/preparation.ts';
import type { RowStep, ServerState } from '../rolling/row.ts';
import { shown } from './shown.ts';
import { table } from './table.ts';

const stepWords: Readonly<Record<RowStep, (server: string) => string>> = {
  fetch: (server) => `fetch the packages for ${server}`,
  out: (server) => `take ${server} out`,
  stop: (server) => `stop ${server}`,
  packages: (server) => `install on ${server}`,
  run: (server) => `run the playbook on ${server}`,
  command: (server) => `run the command on ${server}`,
  reboot: (server) => `reboot ${server}`,
  pause: (server) => `your work on ${server}`,
  proof: (server) => `prove that ${server} is fit`,
  back: (server) => `bring ${server} back, in sync`,
  check: (server) => `look for what is new on ${server}`,
};

export const moveWords = (move: Move): string =>
  move.kind === 'work'
    ? stepWords[move.step](move.server)
    : `${move.kind === 'home' ? 'back home: ' : ''}switch from ${move.server} to ${move.to}`;

/** What a person would type for it. */
function commandOf({ work }: Order, move: Move): string {
  if (move.kind !== 'work') return `pgduet switch --to ${move.to}`;
  const { server, step } = move;
  const pins = Object.entries(work.packages?.[server] ?? {}).map(([name, version]) => `${name}=${version}`);
  const commands: Readonly<Record<RowStep, string>> = {
    fetch: 'fetch, install nothing',
    out: `pgduet maintenance begin ${server}`,
    stop: `pgduet stop ${server}`,
    packages: `${pins[0] ?? ''}${pins.length > 1 ? ' …' : ''}`,
    run: 'pgduet run …',
    command: (work.command ?? '').split('\n')[0] ?? '',
    reboot: 'systemctl reboot',
    pause: 'pgduet rolling-update --continue',
    proof: work.validate?.split('\n')[0] ?? '',
    back: `pgduet maintenance end ${server}`,
    check: `pgduet check --limit ${server}`,
  };
  return commands[step];
}

const stateWords: Readonly<Record<ServerState, string>> = {
  primary: 'primary',
  standby: 'standby',
  out: 'OUT',
  away: 'away',
  held: 'held',
};

const cells = (order: Order, states: Readonly<Record<string, ServerState>>): readonly string[] =>
  order.servers.map(({ name }) => stateWords[states[name] ?? 'away']);

/** "server1 primary, server2 OUT". */
export const statesText = (order: Order, situation: Situation, move: Move): string => {
  const states = statesDuring(situation, move);
  return order.servers.map(({ name }) => `${name} ${stateWords[states[name] ?? 'away']}`).join(', ');
};

export function sheetText(situation: Situation): string {
  const { order } = situation;
  const rows = sheet(situation);
  const lines = rows.map(({ move, states, state, done }, index) => [
    String(index + 1),
    moveWords(move),
    shortened(commandOf(order, move)),
    ...cells(order, states),
    state === 'done' && done
      ? [formatDuration(done.ms), ...(done.seen && done.seen.length < 40 ? [done.seen] : [])].join(', ')
      : 'open',
  ]);
  const head = ['', 'step', 'command', ...order.servers.map(({ name }) => name), 'took'];
  return table([head, ...lines])
    .map(shown)
    .join('\n');
}

const shortened = (text: string): string => (text.length > 48 ? `${text.slice(0, 47)}…` : text);

export const pointText = ({ name, host, what, fix }: Point): string =>
  [`  ${name}${host ? ` (${host})` : ''}: ${what}`, `    ${fix}`].map(shown).join('\n');

/** A line each. */
export const notesText = (notes: readonly string[]): string => notes.map(shown).join('\n');

const rowJson = (order: Order, { move, states, state, done }: SheetRow, index: number): object => ({
  number: index + 1,
  step: stepOf(move),
  server: move.server,
  ...(move.kind === 'work' ? {} : { to: move.to }),
  what: moveWords(move),
  command: commandOf(order, move),
  states,
  state,
  began: done?.began ?? null,
  ms: done?.ms ?? null,
  seen: done?.seen ?? null,
});

export interface RollingFacts {
  readonly state: 'planned' | 'refused' | 'declined' | 'done' | 'paused' | 'failed' | 'aborted';
  readonly exit: number;
  readonly points: readonly Point[];
  readonly notes: readonly string[];
  readonly left: readonly string[];
}

export const rollingJson = (situation: Situation, facts: RollingFacts): object => ({
  schema: 1,
  verb: 'rolling-update',
  cluster: situation.order.cluster,
  exit: facts.exit,
  id: situation.order.id,
  state: facts.state,
  by: situation.order.by,
  primary: situation.primary,
  rows: sheet(situation).map((row, index) => rowJson(situation.order, row, index)),
  points: facts.points.map(({ name, host, what, fix }) => ({ name, host: host ?? null, what, fix })),
  versions: facts.notes,
  /** Servers that the work was not done on. */
  left_out: facts.left,
});
