/** `pgduet explain CODE`: what a code means, and what to do about it. In: a code of any message or finding. Contacts no host. */
import { codeGroups } from '../base/code-groups.ts';
import { codes } from '../base/codes.ts';
import { DiagnosticError } from '../base/diagnostic.ts';
import { exitCode, meaningOfExit } from '../base/exit-codes.ts';
import { findingCodes } from '../base/finding-codes.ts';
import type { FindingRule } from '../base/findings/rule.ts';
import { nearest } from '../base/nearest.ts';
import type { Message } from '../controller/core/messages/message.ts';
import { messages } from '../controller/core/messages.ts';
import { type Explanation, explanationJson, explanationText } from '../report/explanation.ts';
import { argument, type Given } from './verb.ts';
import type { World } from './world.ts';

const findings: Readonly<Record<string, FindingRule>> = findingCodes;
const ofController: Readonly<Record<string, Message>> = messages;
const ofPgduet: Readonly<Record<string, { readonly exit: number; readonly title: string }>> = codes;

export const everyCode: readonly string[] = [
  ...Object.keys(ofPgduet),
  ...Object.keys(findings),
  ...Object.keys(ofController),
];

export function explain(world: World, given: Given): number {
  const code = argument(given, 'code').toUpperCase();
  const explanation = explanationOf(code);
  if (explanation === undefined) throw notKnown(code);
  world.print(
    world.options.json ? JSON.stringify(explanationJson(explanation), null, 2) : explanationText(explanation),
  );
  return exitCode.done;
}

export function explanationOf(code: string): Explanation | undefined {
  if (!everyCode.includes(code)) return undefined;
  const message = ofPgduet[code];
  if (message) {
    const { title, exit } = message;
    const toDo = codeGroups[code.slice(0, 3)]?.advice ?? '';
    return { kind: 'message', code, title, exit, exitMeaning: meaningOfExit(exit), toDo };
  }
  const finding = findings[code];
  if (finding) {
    const { title, severity, consequence } = finding;
    return { kind: 'finding', code, title, severity, ifLeftAlone: consequence, toDo: repairOf(finding) };
  }
  const line = ofController[code];
  return (
    line && {
      kind: 'controller',
      code,
      title: line.text,
      type: line.type,
      cause: line.cause,
      did: line.did,
      toDo: line.todo,
    }
  );
}

/** A rule is about any host and any object; a finding names them. */
function repairOf({ repair }: FindingRule): string {
  if (repair === 'provision') return 'pgduet provision';
  if (repair === '{object}') return 'a person; the finding says how';
  return repair.replaceAll('{host}', 'HOST').replaceAll('{object}', 'OBJECT');
}

function notKnown(code: string): DiagnosticError {
  const near = nearest(code, everyCode);
  return new DiagnosticError(
    [
      {
        code: 'CLI005',
        what: `'${code}' is no code of pgduet, of a finding or of the Mirroring Controller`,
        why: 'there is nothing to explain',
        fix: near
          ? `Did you mean '${near}'?`
          : 'Give a code as a message shows it, such as SAF003, SET001 or MCA00062.',
      },
    ],
    exitCode.inputWrong,
  );
}
