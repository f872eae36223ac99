/**
 * The actions of a controller as text that a DBA can read, for golden conversations and for the stories of the simulation.
 * In: an action. Out: one line. Pure.
 */
import type { Action } from '../../../src/controller/core/action.ts';
import { messages, messageText } from '../../../src/controller/core/messages.ts';
import type { Persisted } from '../../../src/controller/core/state.ts';

/** Who holds the commits, and what is under way, as it is written down. */
function promises({ sync, handover, takeover, yield: to, withdrawn, suspects }: Persisted): string {
  const names = (ids: readonly string[]): string => ids.join(', ') || 'nobody';
  const parts = [
    sync
      ? `${sync.primary} waits for ${names(sync.voters)}; may take over: ${names(sync.eligible)} (${sync.timeline}.${sync.epoch})`
      : '',
    Object.keys(withdrawn).length > 0 ? `not known to know it: ${names(Object.keys(withdrawn))}` : '',
    suspects.length > 0 ? `suspect: ${names(suspects)}` : '',
    handover ? `given to ${handover.to}` : '',
    takeover ? `taking over from ${takeover.from}: ${takeover.stage}` : '',
    to ? `cut for ${to.to}` : '',
  ];
  return parts
    .filter((part) => part !== '')
    .map((part) => `; ${part}`)
    .join('');
}

/** One action as a line; empty for what is not worth one. */
export function tell(action: Action): string {
  switch (action.kind) {
    case 'log': {
      return `log ${messages[action.message].type}: ${messageText(action.message, action.values)} (${action.message})`;
    }
    case 'persist': {
      const { role, timeline, failover, degraded } = action.persisted;
      const words = `${role}, timeline ${timeline}, failover ${failover.enabled ? 'on' : 'off'}`;
      return `persist: ${words}${degraded ? `, ${degraded}` : ''}${promises(action.persisted)}`;
    }
    case 'heartbeat':
      return `send a heartbeat: ${action.view.role ?? 'role unknown'}, ${action.view.phase}`;
    case 'start-instance':
      return `start the instance as ${action.role}`;
    case 'stop-instance':
      return `stop the instance (${action.mode})${action.prove ? ', and look whether it was promoted' : ''}`;
    case 'probe-primary':
      return 'try the replication port of the primary';
    case 'ask-peer':
      return `ask ${action.peer} to ${action.request.kind}`;
    case 'reply':
      return `answer ${action.to.kind === 'peer' ? action.to.peer : 'mc_ctl'}: ${action.ok ? 'done' : 'failed'}: ${action.text}`;
    case 'exit':
      return `end with ${action.code}`;
    case 'checkpoint':
      return 'CHECKPOINT';
    case 'pre-detach':
      return `run the pre-detach command for ${action.targets.join(', ')}`;
    case 'set-names':
      return `synchronous_standby_names: ${action.ids.join(', ') || '(commented out)'}`;
    case 'set-slots': {
      const { waitFor, make, renew, drop } = action.to;
      const list = (verb: string, names: readonly string[]): string[] =>
        names.length > 0 ? [`${verb} ${names.join(', ')}`] : [];
      const waits = waitFor === undefined ? [] : [`consumers wait for ${waitFor.join(', ') || 'nobody'}`];
      return `slots: ${[...list('make', make), ...waits, ...list('renew', renew), ...list('drop', drop)].join('; ')}`;
    }
    case 'cut-receiver':
      return 'cut the WAL receiver';
    case 'promote':
      return 'promote';
    case 'follow':
      return `follow the server at ${action.host || 'its socket'}, port ${action.port}`;
    case 'ask-references':
      return 'ask the reference addresses';
    case 'run-command':
      return `run the ${action.command} command about ${action.target}`;
    case 'hook':
      return `run the ${action.hook} command`;
  }
}
