/** What happens to a controller, as a line that a person can read; null for what happens all the time. Pure. */
import type { Happening } from '../../src/controller/core/event.ts';

const everyday = new Set<Happening['kind']>(['tick', 'heard', 'peer-refused']);

export function storyOf(it: Happening): string | null {
  if (everyday.has(it.kind)) return null;
  switch (it.kind) {
    case 'boot':
      return `a controller starts (${it.standby ? 'standby' : 'primary'}, instance ${it.running ? 'running' : 'not running'})`;
    case 'instance-check':
      return it.outcome.kind === 'answer' ? null : `the look at the instance says: ${it.outcome.kind}`;
    case 'control':
      return `a person asks: ${it.request.kind}`;
    case 'peer-request':
      return `${it.peer} asks: ${it.request.kind}`;
    case 'peer-reply':
      return `${it.peer} answers ${it.ok ? 'yes' : 'no'}: ${it.text}`;
    case 'instance-stopped':
      return `the instance has stopped: '${it.proof?.state}', checkpoint at ${it.proof?.checkpoint}`;
    case 'names-set':
      return `the names are ${it.ids.join(', ') || 'commented out'}`;
    case 'receiver-cut':
      return `the receiver is cut at ${it.lsn}`;
    case 'promoted':
      return `it is promoted to timeline ${it.timeline}`;
    case 'command-ended':
      return `the ${it.command} command about ${it.target} says ${it.yes ? 'yes' : 'no'}: ${it.why}`;
    case 'references':
      return it.answered.length > 0 ? 'a reference address answers' : 'no reference address answers';
    case 'disk-check':
      return `the check of the disk (${it.part}): ${it.ok ? 'good' : it.error}`;
    default:
      return 'why' in it && it.why !== null ? `${it.kind}: ${it.why}` : it.kind;
  }
}
