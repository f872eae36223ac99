/** The variables of a maintenance: empty texts where the command is about none. Pure. */
import type { Situation } from '../../intent/intent.ts';

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
}

export function maintenanceVariables({ intent, view }: Situation): MaintenanceVariables {
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
  };
}
