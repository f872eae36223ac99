/**
 * The catalogue of messages: number → type, text with {parameters}, cause, what the system did, what to do.
 * In: number and values. Out: the line for the log. `docs/messages.md` is made from this table. Pure.
 */
import { arbitratingMessages } from './messages/arbitrating.ts';
import { maintainingMessages } from './messages/maintaining.ts';
import type { Message, MessageType } from './messages/message.ts';
import { returningMessages } from './messages/returning.ts';
import { slotMessages } from './messages/slots.ts';
import { switchingMessages } from './messages/switching.ts';
import { watchingMessages } from './messages/watching.ts';

export const messages = {
  ...switchingMessages,
  ...watchingMessages,
  ...returningMessages,
  ...slotMessages,
  ...maintainingMessages,
  ...arbitratingMessages,
};

export type MessageNumber = keyof typeof messages;

/** The text with its parameters filled in. A line break in a value cannot forge a second message. */
export function messageText(number: MessageNumber, values: Readonly<Record<string, string>>): string {
  return messages[number].text.replace(/\{(\w+)\}/g, (_, name: string) =>
    (values[name] ?? '?').replace(/[\r\n]+/g, ' | '),
  );
}

/** `ident[pid]: TYPE: text (number)`, the form that log watchers look for. */
export function messageLine(
  ident: string,
  pid: number,
  number: MessageNumber,
  values: Readonly<Record<string, string>>,
): string {
  return `${ident}[${pid}]: ${messages[number].type}: ${messageText(number, values)} (${number})`;
}

const priorities: Readonly<Record<MessageType, number>> = {
  INFO: 6,
  LOG: 6,
  NOTICE: 5,
  WARNING: 4,
  ERROR: 3,
  FATAL: 2,
  PANIC: 1,
};

/** The syslog priority of a message: FATAL is crit (one server needs a person), PANIC is alert (all do). */
export const messagePriority = (number: MessageNumber): number => priorities[messages[number].type];
/** The text of docs/messages.md. */
export function messagesDocument(): string {
  const sections = Object.entries(messages as Readonly<Record<string, Message>>).map(([number, it]) =>
    [
      `## ${number}`,
      `\`${it.type}: ${it.text} (${number})\``,
      `- **Cause:** ${it.cause}\n- **What ${number.startsWith('MCR') ? 'the arbiter' : 'the controller'} did:** ${it.did}\n- **What to do:** ${it.todo}`,
    ].join('\n\n'),
  );
  return `${documentHead}\n${sections.join('\n\n')}\n`;
}

const documentHead = `# Messages of the Mirroring Controller

Made from the catalogue in \`src/controller/core/messages\`; a test keeps the two alike.

Every message is one line, \`programName[pid]: TYPE: text (number)\`. The program name is \`syslog_ident\`. Under systemd the line goes
to the journal under that name and with \`syslog_facility\` (\`journalctl -t programName\`), otherwise to \`<serverIdentifier>.log\` in the management directory and to syslog with \`syslog_facility\`. Numbers that
begin with MCR are of an arbiter, whose log is \`arbiter.log\`.

| type | syslog priority | meaning |
| --- | --- | --- |
| INFO, LOG | info | the course of things |
| NOTICE | notice | worth knowing |
| WARNING | warning | something is not as it should be |
| ERROR | err | the controller could not do what it was to do |
| FATAL | crit | one server needs a person |
| PANIC | alert | all servers need a person, at once |
`;
