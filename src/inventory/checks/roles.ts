/** Roles: one primary and one or more standbys. Pure. */
import type { Diagnostic } from '../../base/diagnostic.ts';
import type { Draft } from '../draft.ts';

export function checkRoles(draft: Draft): Diagnostic[] {
  const { hosts } = draft;
  if (draft.data.hosts === undefined) return [];
  const at = draft.keyAt('hosts');
  const wrong = (what: string, why: string, fix: string, where = at): Diagnostic[] => [
    { code: 'INV008', what, why, fix, at: where },
  ];
  if (hosts.length === 0)
    return wrong(
      'there is no host',
      'nothing can be provisioned',
      'Add a primary and a standby under hosts.',
    );
  if (hosts.length === 1) {
    return wrong(
      `'${hosts[0]?.name}' is the only host`,
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
      `Write role: primary for one of: ${hosts.map((host) => host.name).join(', ')}.`,
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
