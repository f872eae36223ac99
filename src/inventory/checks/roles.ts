/** Roles: one primary and one or more standbys, and at most one arbiter. Pure. */
import type { Diagnostic } from '../../base/diagnostic.ts';
import { type Draft, isArbiter, serversOf } from '../draft.ts';

export function checkRoles(draft: Draft): Diagnostic[] {
  const { hosts } = draft;
  if (draft.data.hosts === undefined) return [];
  const at = draft.keyAt('hosts');
  const wrong = (what: string, why: string, fix: string, where = at): Diagnostic[] => [
    { code: 'INV008', what, why, fix, at: where },
  ];
  const servers = serversOf(draft);
  const [, extra] = hosts.filter(isArbiter);
  if (extra)
    return wrong(
      `'${extra.name}' is a second arbiter`,
      'two that each answer alone could give one answer to each server, and both would go on',
      `Keep one of them: remove '${extra.name}', or give it role: standby.`,
      draft.valueAt('hosts', extra.name, 'role'),
    );
  if (servers.length === 0)
    return wrong(
      hosts.length === 0 ? 'there is no host' : 'there is no host with a server',
      'nothing can be provisioned',
      'Add a primary and a standby under hosts.',
    );
  if (servers.length === 1) {
    return wrong(
      `'${servers[0]?.name}' is the only host${hosts.length > 1 ? ' with a server' : ''}`,
      'a multiplexed instance has a primary and at least one standby',
      'Add a second host with role: standby.',
    );
  }
  // A role that is missing or mistyped has been reported; what the others make together is not known then.
  if (hosts.some((host) => host.role === undefined)) return [];
  const [first, second] = hosts.filter((host) => host.role === 'primary');
  if (first === undefined) {
    return wrong(
      'no host has the role primary',
      'it is not known which server the others follow',
      `Write role: primary for one of: ${servers.map((host) => host.name).join(', ')}.`,
    );
  }
  if (second === undefined) return [];
  return wrong(
    `both '${first.name}' and '${second.name}' have the role primary`,
    'two primaries would both accept writes, and their data would part',
    `Write role: standby for '${second.name}'.`,
    draft.valueAt('hosts', second.name, 'role'),
  );
}
