/** What a rolling update says: the sheet, the question, how it ended, why it was refused. In: a situation. Out: text or JSON, and an exit status. */
import { type Diagnostic, DiagnosticError } from '../../base/diagnostic.ts';
import { exitCode } from '../../base/exit-codes.ts';
import { diagnosticJson } from '../../report/diagnostic.ts';
import { notesText, pointText, type RollingFacts, rollingJson, sheetText } from '../../report/rolling.ts';
import { jsonText, shown } from '../../report/shown.ts';
import { leftOver, nextMove, rowOf, type Situation } from '../../rolling/next.ts';
import type { World } from '../world.ts';
import { type Driven, situationOf } from './drive.ts';
import type { Update } from './update.ts';

export function showPlan(
  world: World,
  situation: Situation,
  { points, notes }: Pick<RollingFacts, 'points' | 'notes'>,
  run: string | undefined,
): void {
  const write = world.options.check ? world.print : world.say;
  write(sheetText(situation));
  if (notes.length > 0) write(notesText(notes));
  if (run !== undefined) write(shown(`The playbook: ${run}`));
  if (points.length > 0) write(['', 'What has to be put right first:', ...points.map(pointText)].join('\n'));
}

export async function agreed(world: World, name: string): Promise<boolean> {
  if (world.options.yes) return true;
  if (!world.terminal)
    throw new DiagnosticError(
      [
        {
          code: 'CLI002',
          what: 'there is no terminal to ask on, and --yes was not given',
          why: 'nothing is changed without a yes',
          fix: 'Add --yes once you have read the sheet (--check).',
        },
      ],
      exitCode.inputWrong,
    );
  return /^y(es)?$/i.test((await world.ask(`Do this on cluster '${name}'? [y/N] `)).trim());
}

export async function report(
  update: Update,
  driven: Driven,
  facts: Pick<RollingFacts, 'points' | 'notes'>,
): Promise<number> {
  const { world, fleet, order, cluster } = update;
  // What was done last stands on the hosts; where they cannot be asked, what was known before that is shown.
  const situation = world.interrupted.aborted
    ? driven.situation
    : await fleet.look().then(
        (seen) => situationOf(order, seen, cluster),
        () => driven.situation,
      );
  const left = leftOver(situation);
  // Whom nobody has left out, and nobody could take over from.
  const open = left.filter((name) => !rowOf(situation, name).skipped);
  const isLeft = driven.ended === 'paused' || open.length > 0;
  const exit = driven.problem?.exitCode ?? (isLeft ? exitCode.changesPending : exitCode.done);
  if (!world.options.json) {
    world.say(`\n${sheetText(situation)}`);
    if (driven.ended === 'paused')
      world.say(`\nIt is your turn. When the work is done: pgduet rolling-update --continue`);
    if (driven.ended === 'failed') world.say(notesText(waysOn(situation)));
    if (driven.ended === 'done')
      world.say(
        `\nThe update is done${left.length > 0 ? `, but not on ${left.join(', ')}` : ' on every server'}; ${situation.primary} is primary.`,
      );
  }
  return told(
    world,
    situation,
    { ...facts, state: driven.ended, exit, left },
    driven.problem?.diagnostics ?? [],
  );
}

function waysOn(situation: Situation): readonly string[] {
  const move = nextMove(situation);
  const out = [...situation.out].join(', ');
  return [
    '',
    out === '' ? 'No server is out.' : `Out: ${out}; the others are whole.`,
    'Three ways on:',
    '  pgduet rolling-update --continue   once what is said below is put right',
    ...(move ? [`  pgduet rolling-update --continue --skip ${move.server}   goes on without it`] : []),
    '  pgduet rolling-update --abort      brings back what is out, and ends the update',
    '',
  ];
}

export function told(
  world: World,
  situation: Situation,
  facts: RollingFacts,
  diagnostics: readonly Diagnostic[] = [],
): number {
  if (world.options.json)
    world.print(
      jsonText({ ...rollingJson(situation, facts), diagnostics: diagnostics.map(diagnosticJson) }, 2),
    );
  else if (diagnostics.length > 0) world.tell(diagnostics);
  return facts.exit;
}

export function refusal(
  code: 'SAF015' | 'SAF065' | 'SAF066' | 'SAF067',
  what: string,
  why: string,
  fix: string,
  evidence: readonly string[] = [],
  host?: string,
): DiagnosticError {
  return new DiagnosticError(
    [{ code, what, why, fix, ...(evidence.length > 0 ? { evidence } : {}), ...(host ? { host } : {}) }],
    exitCode.refused,
  );
}
