/** The variables of a maintenance: empty texts where the command is about none. Pure. */
import type { Situation } from '../../intent/intent.ts';
import type { ReplaceIntent } from '../../intent/replace.ts';

export interface MaintenanceVariables {
  readonly state: string;
  readonly by: string;
  readonly reason: string;
  readonly expected: string;
  readonly of: string;
  readonly replace: string;
  readonly alone: string;
  /** Not empty: it comes back as a standby, and its host can be reached. */
  readonly returns: string;
  /** Not empty: the target is in maintenance now. */
  readonly lasts: string;
}

export function maintenanceVariables({ intent, view }: Situation): MaintenanceVariables {
  if (intent.kind === 'replace') return overFor(intent, view);
  const asked = intent.kind === 'maintenance' ? intent : undefined;
  const isOver = asked?.goal === 'end';
  return {
    state: isOver ? 'over' : 'open',
    by: asked?.by ?? '',
    reason: asked?.reason ?? '',
    expected: asked?.expected ?? '',
    of: asked?.of ?? '',
    replace: `${asked?.replace ?? false}`,
    alone: `${asked?.alone ?? false}`,
    returns: isOver && asked.host !== view.primary && !view.absent?.has(asked.host) ? 'yes' : '',
    lasts: asked && view.maintained?.has(asked.host) ? 'yes' : '',
  };
}

/** With its host a maintenance of it is over. */
const overFor = ({ host, by, of }: ReplaceIntent, view: Situation['view']): MaintenanceVariables => ({
  ...{ state: 'over', by, of, reason: '', expected: '', replace: 'false', alone: 'false', returns: '' },
  lasts: view.maintained?.has(host) ? 'yes' : '',
});
