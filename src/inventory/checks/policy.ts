/** Who may take over when the heartbeat is lost: the policy and what it needs. Pure. */
import type { Diagnostic } from '../../base/diagnostic.ts';
import type { Draft } from '../draft.ts';

export function checkPolicy(draft: Draft): Diagnostic[] {
  const keys = draft.data.multiplexing;
  const command = keys?.arbitration_command;
  const policyAt = draft.valueAt('multiplexing', 'on_heartbeat_loss');
  const commandAt = draft.valueAt('multiplexing', 'arbitration_command');
  if (draft.onHeartbeatLoss === 'arbitration') return [tellArbitration(policyAt)];
  if (draft.onHeartbeatLoss === 'command' && !draft.has('multiplexing', 'arbitration_command')) {
    return [
      {
        code: 'INV004',
        what: 'on_heartbeat_loss is command, but there is no arbitration_command',
        why: 'nobody could decide, and no host would take over',
        fix: 'Add arbitration_command under multiplexing: a command whose exit status 0 means that the other host has failed.',
        at: policyAt,
      },
    ];
  }
  if (command === undefined) return [];
  if (draft.onHeartbeatLoss !== 'command') return [tellIdle(draft.onHeartbeatLoss, commandAt)];
  if (command.trim() !== '' && !/[\u0000-\u001f\u007f]/.test(command)) return [];
  return [
    {
      code: 'INV005',
      what: `arbitration_command ${command.trim() === '' ? 'is empty' : 'holds a line break or another control character'}`,
      why: 'the file of the controller has one line for it',
      fix: 'Write one command on one line; put what is longer into a script.',
      at: commandAt,
    },
  ];
}

const tellArbitration = (at: NonNullable<Diagnostic['at']>): Diagnostic => ({
  code: 'INV016',
  what: 'on_heartbeat_loss: arbitration is not available yet',
  why: 'pgduet has no arbiter that could decide',
  fix: 'Write message (a person decides), command (your own command decides) or fallback (each host decides for itself).',
  at,
});

const tellIdle = (policy: string, at: NonNullable<Diagnostic['at']>): Diagnostic => ({
  code: 'INV005',
  what: `arbitration_command would never be asked, since on_heartbeat_loss is ${policy}`,
  why: 'whoever reads the inventory would believe that it decides',
  fix: 'Write on_heartbeat_loss: command, or remove arbitration_command.',
  at,
});
