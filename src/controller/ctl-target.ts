/** Which controller a command of mc_ctl means, and the words for one that cannot be asked. Pure. */
import type { CallResult } from './io/control-socket.ts';

export interface Target {
  readonly dir: string;
  readonly id: string;
}

/** `why`: what is known of the reason, and what is to be done in place of a start. */
export function notAnswering(
  result: Exclude<CallResult, { kind: 'reply' }>,
  { id, dir }: Target,
  why: string | null,
): string {
  return result.kind === 'not-running'
    ? `mc_ctl: the controller of ${id} is not running (${why ?? `mc_ctl start -M ${dir} --local-server ${id}`})\n`
    : `mc_ctl: the controller of ${id} does not answer (mc_ctl stop -e ends it by force)\n`;
}
