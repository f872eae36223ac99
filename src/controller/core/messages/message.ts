/**
 * The form of a message: what the log line says, and what the page about it says. In: nothing; these are words. Pure.
 */

export type MessageType = 'INFO' | 'LOG' | 'NOTICE' | 'WARNING' | 'ERROR' | 'FATAL' | 'PANIC';

export interface Message {
  readonly type: MessageType;
  readonly text: string;
  readonly cause: string;
  readonly did: string;
  readonly todo: string;
}
/** The words of `did` and `todo` where there is nothing to say. */
export const nothing = 'Nothing.';
